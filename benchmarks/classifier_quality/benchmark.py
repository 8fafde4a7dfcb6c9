"""How well each candidate classifies real complaints: the same five folds for all, every row predicted once.

In: `text/kursk.csv` and `text/ryazan.csv` in the folder of real data. Out: a table, and
`results/classifier_quality.json`. Labels with fewer than five rows are neither taught nor scored.
Each fold of each candidate is kept in `TSUR_HOME`, so a run that was stopped goes on where it was; a candidate
that is left out keeps its figures of the JSON, if they are of the same data, folds and recipe.
"""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.classifier_quality import figures as quality
from benchmarks.classifier_quality.candidates import CANDIDATES, LEXICAL, REFERENCE, STUDENT, WINNER
from benchmarks.classifier_quality.corpus import Fold, Scores, load_corpus, recipe_hash
from benchmarks.results import (
    RESULTS,
    Target,
    console,
    markdown_table,
    real_data,
    resample_weights,
    targets_line,
    write_results,
)
from models.classifier.labels import HEADS, Ints
from training.classifier.splits import FOLDS, MIN_LABEL_ROWS, cross_validation_folds
from training.evaluate.metrics import expected_calibration_error

NAME = "classifier_quality"
CORPORA = ("kursk", "ryazan")
AIMS = {
    "kursk": {"sector": (0.84, 0.58, 0.975), "agency": (0.53, 0.32, 0.82), "topic": (0.67, 0.48, 0.86)},
    "ryazan": {"sector": (0.77, 0.52, 0.94), "agency": (0.68, 0.31, 0.84), "topic": (0.69, 0.47, 0.85)},
}
"""Accuracy, macro-F1 and top-3 that the winner should reach."""
NEAR = 0.015
"""How far below the winner the student may be in accuracy."""
ECE, PRECISION, SLACK, MORE_COVERAGE = 0.04, 0.95, 0.02, 1.3
TOP_WORDS = "confidence lost without the top 3 words beyond that without 3 random ones"
LIBRARIES = ("floret", "numpy", "scikit-learn", "scipy", "torch", "transformers")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    corpora: Annotated[str, typer.Option(help="Corpora, comma-separated.")] = ",".join(CORPORA),
    candidates: Annotated[str, typer.Option(help="Candidates to compute, comma-separated; default: all.")] = "",
    fold: Annotated[int | None, typer.Option(help="Only this fold, to explore; writes no JSON.")] = None,
    folds: Annotated[int, typer.Option(min=2, help="Number of folds.")] = FOLDS,
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
    table: Annotated[Path | None, typer.Option(help="Write the table here too (Markdown).")] = None,
) -> None:
    """Compare the candidates on real complaints, fold by fold; finished folds are not computed again."""
    names = _chosen(candidates, tuple(CANDIDATES), "candidate")
    if fold is not None and not 0 <= fold < folds:
        raise typer.BadParameter(f"fold {fold} is not one of 0 to {folds - 1}")
    folder = real_data() / "text"
    parts: dict[str, list[Fold]] = {}
    for name in _chosen(corpora, CORPORA, "corpus"):
        corpus = load_corpus(folder / f"{name}.csv")
        rows = enumerate(cross_validation_folds(corpus.frame, folds))
        parts[name] = [Fold(corpus, i, *part) for i, part in rows if fold in (None, i)]
    compute([(name, part) for name in names for corpus_parts in parts.values() for part in corpus_parts], folds)
    measured = {name: corpus_figures(corpus_parts, folds) for name, corpus_parts in parts.items()}
    data = {name: corpus_parts[0].corpus.fingerprint for name, corpus_parts in parts.items()}
    protocol = {"folds": folds, "seed": 0, "least_rows_of_a_label": MIN_LABEL_ROWS}
    if fold is None:
        add_earlier(measured, out, data, protocol)
    text = markdown(measured)
    console.print(text)
    if table is not None:
        table.write_text(text, encoding="utf-8")
    if fold is not None:
        console.print(f"fold {fold} only: an exploration, no JSON written")
        return
    goals = targets(measured)
    recipes = {name: {"title": c.title, "recipe": dict(c.recipe)} for name, c in CANDIDATES.items()}
    figures = {"protocol": protocol, "candidates": recipes, "corpora": measured}
    write_results(out, data, LIBRARIES, figures, goals)
    console.print(f"results → {out}\n{targets_line(goals)}")


def compute(jobs: list[tuple[str, Fold]], folds: int) -> None:
    """Compute and keep the scores that are not there yet; says of each fold which it was."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("folds", total=len(jobs))
        for name, fold in jobs:
            what = f"{fold.corpus.name}, {name}, fold {fold.number}"
            progress.update(task, description=what)
            if kept_scores(name, fold, folds) is not None:
                progress.console.print(f"{what}: computed before")
            else:
                started = time.perf_counter()
                candidate = CANDIDATES[name]
                scores = candidate.fit_predict(fold, candidate.recipe)
                seconds = time.perf_counter() - started
                keep_scores(name, fold, folds, scores, seconds)
                progress.console.print(f"{what}: {seconds:.0f} s")
            progress.advance(task)


def scores_path(name: str, fold: Fold, folds: int) -> Path:
    """Where the scores of one fold are kept: by data, candidate, recipe and number of folds."""
    key = recipe_hash(CANDIDATES[name].recipe)
    return fold.corpus.work / f"{name}-{key}" / f"fold-{fold.number}-of-{folds}.npz"


def keep_scores(name: str, fold: Fold, folds: int, scores: Scores, seconds: float) -> None:
    """Write one fold's scores; a kill leaves either the whole file or none."""
    path = scores_path(name, fold, folds)
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(".unfinished.npz")
    arrays: dict[str, Any] = {name: values.astype(np.float32) for name, values in scores.items()}
    np.savez(unfinished, train=fold.train, test=fold.test, seconds=seconds, **arrays)
    unfinished.rename(path)


def kept_scores(name: str, fold: Fold, folds: int) -> tuple[Scores, float] | None:
    """One fold's scores and the seconds they took; None if they are absent or of another split."""
    path = scores_path(name, fold, folds)
    if not path.exists():
        return None
    with np.load(path) as arrays:
        if not (np.array_equal(arrays["train"], fold.train) and np.array_equal(arrays["test"], fold.test)):
            return None
        scores = {name: arrays[name] for name in arrays.files if name not in ("train", "test", "seconds")}
        return scores, float(arrays["seconds"])


def corpus_figures(parts: list[Fold], folds: int) -> dict[str, Any]:
    """Figures of every candidate whose folds are all there, by head, over the pooled test rows of `parts`."""
    corpus = parts[0].corpus
    rows = np.concatenate([part.test for part in parts])
    of_fold = np.concatenate([np.full(len(part.test), part.number) for part in parts])
    fold_scores: dict[str, list[Scores]] = {}
    seconds: dict[str, float] = {}
    for name in CANDIDATES:
        finished = [fold for fold in (kept_scores(name, part, folds) for part in parts) if fold is not None]
        if len(finished) == len(parts):
            fold_scores[name] = [scores for scores, _ in finished]
            seconds[name] = sum(spent for _, spent in finished)
    lengths = corpus.frame["text"].str.len().to_numpy()[rows]
    long = lengths >= np.quantile(lengths, 0.9)
    heads: dict[str, Any] = {}
    for head in HEADS:
        labelled = corpus.targets[head][rows] >= 0
        truth, weights = corpus.targets[head][rows][labelled], resample_weights(int(labelled.sum()))
        scores = {name: np.concatenate([of[head] for of in parts])[labelled] for name, parts in fold_scores.items()}
        measured = {name: quality.estimates(truth, values, weights) for name, values in scores.items()}
        heads[head] = {"labels": len(corpus.labels.names[head]), "rows": len(truth), "candidates": {}}
        for name in measured:
            figures: dict[str, Any] = {key: estimate.as_dict() for key, estimate in measured[name].items()}
            if REFERENCE in measured and name != REFERENCE:
                figures["difference"] = {
                    key: quality.difference(measured[name][key], measured[REFERENCE][key]).as_dict()
                    for key in ("accuracy", "macro_f1")
                }
            figures |= _confidence_figures(truth, scores[name], of_fold[labelled], CANDIDATES[name].probabilities)
            figures["accuracy_longest_tenth"] = float((scores[name].argmax(axis=1) == truth)[long[labelled]].mean())
            if (raw := f"uncalibrated.{head}") in fold_scores[name][0]:
                before = np.concatenate([of[raw] for of in fold_scores[name]])[labelled]
                confidence, correct = quality.confidences(before, True), before.argmax(axis=1) == truth
                figures["calibration"]["ece_before"] = expected_calibration_error(confidence, correct)
            heads[head]["candidates"][name] = figures
    deletion = {
        name: np.mean([of["deletion"] for of in parts], axis=0).tolist()
        for name, parts in fold_scores.items()
        if "deletion" in parts[0]
    }
    return {"rows": len(corpus.frame), "heads": heads, "seconds": seconds, "deletion": deletion}


def add_earlier(measured: dict[str, Any], path: Path, data: dict[str, str], protocol: dict[str, int]) -> None:
    """Take from an earlier JSON what was not computed now, where data, protocol and recipe are the same.

    `earlier` of a corpus says at which commit each of these candidates was computed.
    """
    earlier: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if earlier.get("protocol") != protocol:
        return
    for corpus, figures in measured.items():
        if earlier["data"].get(corpus) != data[corpus]:
            continue
        before = earlier["corpora"][corpus]
        for name, candidate in CANDIDATES.items():
            same_recipe = earlier["candidates"].get(name, {}).get("recipe") == candidate.recipe
            if name in figures["seconds"] or name not in before["seconds"] or not same_recipe:
                continue
            figures["earlier"] = figures.get("earlier", {}) | {
                name: before.get("earlier", {}).get(name, earlier["commit"])
            }
            for part in ("seconds", "deletion"):
                figures[part] |= {name: before[part][name]} if name in before[part] else {}
            for head in HEADS:
                figures["heads"][head]["candidates"][name] = before["heads"][head]["candidates"][name]
        for of_head in figures["heads"].values():
            candidates = of_head["candidates"]
            of_head["candidates"] = {name: candidates[name] for name in CANDIDATES if name in candidates}


def _confidence_figures(truth: Ints, scores: quality.Floats, of_fold: Ints, probabilities: bool) -> dict[str, Any]:
    confidence, correct = quality.confidences(scores, probabilities), scores.argmax(axis=1) == truth
    figures: dict[str, Any] = {"risk_coverage": quality.risk_coverage(confidence, correct)}
    if len(np.unique(of_fold)) > 1:
        figures["routing"] = asdict(quality.coverage_at_precision(confidence, correct, of_fold, PRECISION))
    if probabilities:
        several = len(np.unique(of_fold)) > 1
        scaled = quality.rescaled(confidence, correct, of_fold) if several else confidence
        figures["calibration"] = quality.calibration_figures(scaled, correct)
        figures["calibration"]["ece_unscaled"] = expected_calibration_error(confidence, correct)
    return figures


def targets(measured: dict[str, Any]) -> list[Target]:
    """What the winner should reach, on each corpus and head; unmeasured while there is no winner."""
    goals: list[Target] = []
    for corpus, head in [(corpus, head) for corpus in measured for head in HEADS]:
        candidates = measured[corpus]["heads"][head]["candidates"]
        ours: dict[str, Any] = candidates.get(WINNER, {})
        place = f"{corpus} {head}"
        for key in ("accuracy", "macro_f1"):
            low = ours.get("difference", {}).get(key, {}).get("low")
            goals.append(Target.above(f"{place} {key}: gain on {REFERENCE}, lower end", low, 0.0))
        for key, aim in zip(("accuracy", "macro_f1", "top3"), AIMS[corpus][head], strict=True):
            goals.append(Target.at_least(f"{place} {key}", ours.get(key, {}).get("value"), aim))
        goals.append(Target.at_most(f"{place} ECE", ours.get("calibration", {}).get("ece"), ECE))
        routing, rival = ours.get("routing", {}), candidates.get(LEXICAL, {}).get("routing", {})
        reached = routing.get("precision")
        goals.append(Target.at_least(f"{place} precision at {PRECISION} promised", reached, PRECISION - SLACK))
        # A rival that dares nothing must still be beaten: half a row of coverage is the least.
        least = max(MORE_COVERAGE * rival.get("coverage", 0.0), 0.5 / measured[corpus]["rows"])
        goals.append(Target.at_least(f"{place} coverage at {PRECISION} promised", routing.get("coverage"), least))
    for corpus, head in [(corpus, head) for corpus in measured for head in HEADS]:
        goals += _student_targets(f"{corpus} {head}", measured[corpus]["heads"][head]["candidates"])
    for corpus, figures in measured.items():
        top, random = figures.get("deletion", {}).get(WINNER, (None, None))
        goals.append(Target.above(f"{corpus} {TOP_WORDS}", None if top is None else top - random, 0.0))
    return goals


def _student_targets(place: str, candidates: dict[str, Any]) -> list[Target]:
    """The student close to the winner, and above the lexical rival."""

    def gain(rival: str, key: str) -> float | None:
        if not {STUDENT, rival} <= set(candidates):
            return None
        return float(candidates[STUDENT][key]["value"] - candidates[rival][key]["value"])

    goals = [Target.at_least(f"{place} accuracy: student on {WINNER}", gain(WINNER, "accuracy"), -NEAR)]
    for key in ("accuracy", "macro_f1"):
        goals.append(Target.above(f"{place} {key}: student on {LEXICAL}", gain(LEXICAL, key), 0.0))
    return goals


def markdown(measured: dict[str, Any]) -> str:
    """A table a corpus: figures with their 95 % intervals, and what is gained on the reference."""
    header = ["", "candidate", "accuracy", "macro-F1", "weighted F1", "top-3", "Δ accuracy", "Δ macro-F1", "coverage"]
    sections = []
    for corpus, figures in measured.items():
        rows = []
        for head, of_head in figures["heads"].items():
            for name, ours in of_head["candidates"].items():
                gained = [_between(ours.get("difference", {}).get(key), "+.3f") for key in ("accuracy", "macro_f1")]
                routing = ours.get("routing")
                covered = f"{routing['coverage']:.1%}" if routing else ""
                cells = [_between(ours["accuracy"]), _between(ours["macro_f1"])]
                cells += [f"{ours[key]['value']:.3f}" for key in ("weighted_f1", "top3")]
                rows.append([f"{head} ({of_head['labels']})", CANDIDATES[name].title, *cells, *gained, covered])
        sections.append(f"{corpus.capitalize()}, {figures['rows']} complaints:\n\n{markdown_table(header, rows)}")
    note = "Δ: gain on " + CANDIDATES[REFERENCE].title + ", paired by row. In brackets 95 % bootstrap intervals. "
    note += f"Coverage: share decided without a person at {PRECISION:.0%} promised precision.\n"
    return "\n".join([*sections, note])


def _between(figure: dict[str, float] | None, form: str = ".3f") -> str:
    if figure is None:
        return ""
    return f"{figure['value']:{form}} ({figure['low']:{form}} … {figure['high']:{form}})"


def _chosen(wish: str, known: tuple[str, ...], what: str) -> list[str]:
    chosen = [name.strip() for name in wish.split(",") if name.strip()] or list(known)
    for name in chosen:
        if name not in known:
            raise typer.BadParameter(f"no {what} {name!r}: known are {', '.join(known)}")
    return chosen
