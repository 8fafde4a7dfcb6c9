"""How well real complaints are classified by what the commands leave behind, beside rivals taught the same rows.

In: `text/kursk.csv`, `text/ryazan.csv` and `text/petersburg.csv` in the folder of real data. Out: tables, and
`results/classifier_quality.json`. Every row and every label counts. Kursk and Ryazan: five folds, every row judged
once; Petersburg: rows before 2021-02-15 teach, the four weeks from then on judge. Answers to each fold are kept in
`TSUR_HOME`, so a run that was stopped goes on where it was; what is left out keeps its figures of the JSON, if rows and
recipe are the same.
"""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.classifier_quality.answers import answers_path, kept_answers
from benchmarks.classifier_quality.contenders import (
    BY_TIME,
    DEFAULT,
    FOLDED,
    Contender,
    answers_of,
    contenders,
)
from benchmarks.classifier_quality.corpus import JUDGED_FROM, Fold, folds_of, load_corpus
from benchmarks.classifier_quality.measured import RESAMPLES, corpus_figures, with_earlier
from benchmarks.classifier_quality.tables import markdown
from benchmarks.classifier_quality.targets import targets
from benchmarks.results import RESULTS, console, real_data, targets_line, write_results
from training.classifier.splits import FOLDS

NAME = "classifier_quality"
CORPORA = (*FOLDED, *BY_TIME)
LIBRARIES = ("numpy", "scikit-learn", "scipy", "torch", "transformers")
PROTOCOL = {
    "folds": FOLDS,
    "seed": 0,
    "resamples": RESAMPLES,
    "judged_from": {name: str(moment) for name, moment in JUDGED_FROM.items()},
}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    corpora: Annotated[str, typer.Option(help="Corpora, comma-separated.")] = ",".join(CORPORA),
    names: Annotated[str, typer.Option("--contenders", help="Contenders to compute.")] = ",".join(DEFAULT),
    folds: Annotated[int | None, typer.Option(min=1, help="Only the first so many; writes no JSON.")] = None,
    override: Annotated[
        list[str] | None, typer.Option("--set", help="Handed to `tsur train classifier`; repeatable.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
    table: Annotated[Path | None, typer.Option(help="Write the tables here too (Markdown).")] = None,
) -> None:
    """Compare the contenders on real complaints, fold by fold; finished folds are not computed again."""
    every = contenders(override or [])
    chosen = _chosen(names, tuple(every), "contender")
    wanted = _chosen(corpora, CORPORA, "corpus")
    folder = real_data() / "text"
    parts = {name: folds_of(load_corpus(folder / f"{name}.csv"))[:folds] for name in wanted}
    jobs = [(name, fold) for name in chosen for of in parts.values() for fold in of if _runs(every[name], fold)]
    compute(jobs, every)
    measured = {name: corpus_figures(of, every) for name, of in parts.items()}
    whole = all(of[0].of == len(of) for of in parts.values())
    if whole:
        measured = with_earlier(measured, out, PROTOCOL, every)
        measured = {name: measured[name] for name in CORPORA if name in measured}
    text = markdown(measured)
    console.print(text)
    if table is not None:
        table.write_text(text, encoding="utf-8")
    if not whole:
        console.print("not all folds: an exploration, no JSON written")
        return
    goals = targets(measured)
    data = {name: figures["data"] for name, figures in measured.items()}
    recipes = {name: dict(contender.recipe) for name, contender in every.items()}
    write_results(out, data, LIBRARIES, {"protocol": PROTOCOL, "recipes": recipes, "corpora": measured}, goals)
    console.print(f"results → {out}\n{targets_line(goals)}")


def compute(jobs: list[tuple[str, Fold]], every: dict[str, Contender]) -> None:
    """Compute and keep the answers that are not there yet; says of each fold which it was."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("folds", total=len(jobs))
        for name, fold in jobs:
            what = f"{fold.corpus.name}, {name}, fold {fold.number}"
            progress.update(task, description=what)
            before = kept_answers(answers_path(name, every[name].recipe, fold), fold) is not None
            started = time.perf_counter()
            answers_of(name, every[name], fold)
            spent = time.perf_counter() - started
            progress.console.print(f"{what}: {'computed before' if before else f'{spent:.0f} s'}")
            progress.advance(task)


def _runs(contender: Contender, fold: Fold) -> bool:
    return fold.corpus.name in contender.corpora


def _chosen(wish: str, known: tuple[str, ...], what: str) -> list[str]:
    chosen = [name.strip() for name in wish.split(",") if name.strip()]
    for name in chosen:
        if name not in known:
            raise typer.BadParameter(f"no {what} {name!r}: known are {', '.join(known)}")
    return chosen or list(known)
