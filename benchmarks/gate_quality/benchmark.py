"""Does the gate of `tsur retrain` refuse poisoned batches, and pass honest ones?

In: the bundled sample. Out: a table, and `results/gate_quality.json`. Each trial draws two thirds of the rows as what
the champion was taught and some of the others as the batch that joined; champion and challenger are heads on the
encoder's vectors (`benchmarks/vector_classifier.py`), the gate is that of `tsur retrain` with `configs/gate.yaml`.
Twenty batches poison what they teach, on both sides of the split; twenty are honest. Limits are chosen on other seeds
than the reported one, 0.
"""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from benchmarks.classifier_quality.corpus import recipe_hash
from benchmarks.frozen_vectors import frozen_vectors
from benchmarks.gate_quality.batches import HONEST, LARGE, POISONED, Variant
from benchmarks.kept import kept
from benchmarks.results import RESULTS, Target, console, markdown_table, targets_line, write_results
from benchmarks.vector_classifier import Floats, fit_on_vectors
from data.complaints.schema import LABELS
from data.config import load_config
from data.settings import settings
from models.encoder.source import PACKAGED
from models.text.model_input import model_input
from training.classifier.splits import fingerprint, stable_split
from training.retrain.comparison import earlier_test
from training.retrain.gate import Verdict, judge
from training.retrain.gate_limits import GateLimits
from training.retrain.joined_checks import checks_of_data
from training.retrain.paired_bootstrap import Compared
from training.retrain.since import rows_since
from tsur.samples import sample_complaints

NAME = "gate_quality"
TAUGHT, JOINED = 0.65, 0.17
"""Shares of the sample: taught before, and joined since."""
TEST_SHARE = 0.3
"""Held out for good: of two thousand rows 15 % would leave three of a topic."""
ERRORS = 0.05
"""Of the champion's labels, where operators find errors later."""
LEAST_PASSED = 18
"""Of the twenty honest batches."""
SHOWN = 4
"""Failed checks in the table."""
PROTOCOL = {"taught": TAUGHT, "joined": JOINED, "test_share": TEST_SHARE, "errors": ERRORS, "seed": 0}
CODE = 5
"""Goes up when what was measured before is not what would be measured now."""
VARIANTS = (*POISONED, *HONEST)
LIBRARIES = ("numpy", "onnxruntime", "pandas", "scikit-learn", "scipy", "torch")
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    only: Annotated[str, typer.Option(help="Variants whose names contain this; writes no results.")] = "",
    seed: Annotated[int, typer.Option(help="Of the draws; another than 0 writes no results.")] = 0,
    encoder: Annotated[str, typer.Option(help="Whose vectors the heads read.")] = PACKAGED,
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
) -> None:
    """Hold a challenger of each batch against the champion, and count what the gate says."""
    rows = sample_complaints()
    vectors = frozen_vectors([model_input(*each) for each in _texts_and_places(rows)], encoder)
    rows = rows.assign(place=np.arange(len(rows)))
    limits = load_config(settings().configs / "gate.yaml", GateLimits)
    recipe = {"seed": seed, "encoder": encoder, "limits": limits.model_dump(mode="json"), "code": CODE}
    work = settings().home / "benchmarks" / NAME / recipe_hash(recipe)
    trials = []
    for number, variant in enumerate(VARIANTS):
        if only in variant.name:
            rng = np.random.default_rng([seed, number])
            trials.append(kept(work / f"{number}.json", partial(trial, variant, rng, rows, vectors, limits)))
            console.print(_line(trials[-1]))
    console.print(table(trials))
    goals = targets(trials)
    if not only and not seed:
        write_results(out, {"sample": fingerprint(rows)}, LIBRARIES, {"protocol": PROTOCOL, "trials": trials}, goals)
        console.print(f"results → {out}")
    console.print(targets_line(goals))


def _texts_and_places(rows: pd.DataFrame) -> list[tuple[str, str | None]]:
    places = rows["municipality"].astype(object).where(rows["municipality"].notna(), None)
    return list(zip(rows["text"], places, strict=True))


def trial(
    variant: Variant, rng: np.random.Generator, rows: pd.DataFrame, vectors: Floats, limits: GateLimits
) -> dict[str, Any]:
    """Teach a champion, let the batch come, teach a challenger, and judge; `place` leads from rows to vectors."""
    base, joined = parts(variant, rows, rng)
    now_base, now_joined = variant.change(base, joined, rng)
    now = with_split(pd.concat([now_base, now_joined], ignore_index=True))
    champion, challenger = (
        fit_on_vectors(taught, vectors[taught["place"]])
        for taught in (each[each["split"] == "train"].reset_index(drop=True) for each in (base, now))
    )
    positions = np.flatnonzero(now["split"] == "test")
    asked = vectors[now["place"].to_numpy()[positions]]
    labels = now[LABELS].astype(object).where(now[LABELS].notna(), None)
    since = rows_since(base, now)
    verdict = judge(
        {head: labels[head].to_numpy(dtype=object)[positions] for head in LABELS},
        champion.answers(asked),
        challenger.answers(asked),
        since.joined[positions],
        limits,
        earlier_test(since, now, positions),
        checks_of_data(now, since, limits),
    )
    return said(variant, int(since.changed.sum()), verdict)


def said(variant: Variant, changed: int, verdict: Verdict) -> dict[str, Any]:
    """What the gate said of a batch with so many rows that are new or have another label."""
    overall = verdict.overall
    return {
        "name": variant.name,
        "poisoned": variant.poisoned,
        "changed": changed,
        "refused": not verdict.promote,
        "failed": [check.name for check in verdict.checks if not check.passed],
        "says": verdict.first_line,
        "difference": None if overall is None else asdict(overall),
    }


def _line(trial: dict[str, Any]) -> str:
    """As it is shown while it runs."""
    return f"{'' if trial['refused'] == trial['poisoned'] else 'WRONG '}{trial['name']}: {trial['says'][:300]}"


def parts(variant: Variant, rows: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the champion was taught (with `split`, and the true labels beside those taught), and what joined since."""
    drawn = rows.iloc[rng.permutation(len(rows))].reset_index(drop=True)
    taught, end = round(TAUGHT * len(rows)), round((TAUGHT + JOINED) * len(rows))
    base, joined = drawn.iloc[:taught], drawn.iloc[taught:end]
    if variant.begins == "unknown topic":
        counts = base["topic"].value_counts()
        topic = rng.choice(counts.index[counts >= LARGE].to_numpy())
        joined = pd.concat([joined, base[base["topic"] == topic]])
        base = base[base["topic"] != topic]
    base, joined = with_split(base.reset_index(drop=True)), joined.reset_index(drop=True)
    base = base.assign(**{f"true {head}": base[head] for head in LABELS})
    if variant.begins == "errors":
        wrong = np.flatnonzero(rng.random(len(base)) < ERRORS)
        known = base[LABELS].drop_duplicates().reset_index(drop=True)
        base.loc[wrong, LABELS] = known.iloc[rng.integers(0, len(known), len(wrong))].to_numpy(dtype=object)
    return base, joined


def with_split(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with the column `split`, as a dataset version has it."""
    split = np.full(len(rows), "train", dtype=object)
    split[stable_split(rows, TEST_SHARE, NAME).test] = "test"
    return rows.assign(split=split)


def targets(trials: list[dict[str, Any]]) -> list[Target]:
    """All that is poisoned is refused, and eighteen of twenty honest batches pass."""
    refused = sum(each["refused"] for each in trials if each["poisoned"])
    passed = sum(not each["refused"] for each in trials if not each["poisoned"])
    return [
        Target.at_least(f"poisoned batches refused, of {len(POISONED)}", refused, len(POISONED)),
        Target.at_least(f"honest batches passed, of {len(HONEST)}", passed, LEAST_PASSED),
    ]


def table(trials: list[dict[str, Any]]) -> str:
    """A row a batch: what the gate said, and by which checks."""
    header = ["batch", "new or changed rows", "points of accuracy", "should", "the gate", "checks that refuse it"]
    lines = [
        [
            each["name"],
            str(each["changed"]),
            "" if each["difference"] is None else str(Compared(**each["difference"])),
            "be refused" if each["poisoned"] else "pass",
            "refuses it" if each["refused"] else "passes it",
            ", ".join(each["failed"][:SHOWN]) + (" …" if len(each["failed"]) > SHOWN else ""),
        ]
        for each in trials
    ]
    return markdown_table(header, lines)
