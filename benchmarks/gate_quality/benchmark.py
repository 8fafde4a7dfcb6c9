"""Does the gate of `tsur retrain` refuse poisoned batches, and pass honest ones?

In: the bundled sample. Out: a table, and `results/gate_quality.json`. Each trial draws two thirds of the rows as what
the champion was taught and some of the others as the batch that joined; champion and challenger are heads alone on the
words' leading directions (`benchmarks/fast_heads.py`), the gate is that of `tsur retrain` with `configs/gate.yaml`.
Twenty batches poison what they teach, on both sides of the split; twenty are honest.
"""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from benchmarks.fast_heads import Floats, fit_fast, word_features
from benchmarks.gate_quality.batches import HONEST, LARGE, POISONED, Variant
from benchmarks.results import RESULTS, Target, console, markdown_table, targets_line, write_results
from data.complaints.schema import LABELS
from data.config import load_config
from data.settings import settings
from training.classifier.splits import fingerprint, stable_split
from training.retrain.comparison import earlier_test
from training.retrain.gate import Verdict, judge
from training.retrain.gate_limits import GateLimits
from training.retrain.joined_checks import checks_of_data
from training.retrain.since import rows_since
from tsur.samples import sample_complaints

NAME = "gate_quality"
TAUGHT, JOINED = 0.65, 0.17
"""Shares of the sample: taught before, and joined since."""
TEST_SHARE = 0.3
"""Held out for good: of two thousand rows 15 % would leave three of a topic."""
ERRORS = 0.05
"""Of the champion's labels, where operators find errors later."""
VARIANTS = (*POISONED, *HONEST)
LIBRARIES = ("numpy", "onnxruntime", "pandas", "scikit-learn", "scipy")
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    only: Annotated[str, typer.Option(help="Variants whose names contain this.")] = "",
    processes: Annotated[int, typer.Option(min=1, help="Trials at the same time.")] = 2,
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
) -> None:
    """Hold a challenger of each batch against the champion, and count what the gate says."""
    rows = sample_complaints()
    rows = rows.assign(place=np.arange(len(rows)))
    features = word_features(rows["text"].tolist())
    limits = load_config(settings().configs / "gate.yaml", GateLimits)
    chosen = [number for number, each in enumerate(VARIANTS) if only in each.name]
    trials = []
    with ProcessPoolExecutor(processes, get_context("fork")) as pool:
        judged = pool.map(partial(_numbered, rows=rows, features=features, limits=limits), chosen)
        for number, verdict, joined in judged:
            trials.append(Trial(VARIANTS[number], joined, verdict))
            console.print(trials[-1].line)
    console.print(table(trials))
    goals = targets(trials)
    content = {"protocol": protocol(), "trials": [each.as_json() for each in trials]}
    if not only:
        write_results(out, {"sample": fingerprint(rows)}, LIBRARIES, content, goals)
        console.print(f"results → {out}")
    console.print(targets_line(goals))


def _numbered(number: int, rows: pd.DataFrame, features: Floats, limits: GateLimits) -> "tuple[int, Verdict, int]":
    """A trial by its number alone: what a variant does cannot be sent to another process."""
    done = trial(VARIANTS[number], number, rows, features, limits)
    return number, done.verdict, done.joined


@dataclass(frozen=True)
class Trial:
    """What the gate said of one batch."""

    variant: Variant
    joined: int
    verdict: Verdict

    @property
    def right(self) -> bool:
        """Whether it is what should be said."""
        return self.verdict.promote != self.variant.poisoned

    @property
    def failed(self) -> list[str]:
        """Names of the checks that refuse it."""
        return [check.name for check in self.verdict.checks if not check.passed]

    @property
    def line(self) -> str:
        """As it is shown while it runs."""
        return f"{'' if self.right else 'WRONG '}{self.variant.name}: {self.verdict.first_line[:200]}"

    def as_json(self) -> dict[str, Any]:
        """For the results."""
        overall = self.verdict.overall
        return {
            "name": self.variant.name,
            "poisoned": self.variant.poisoned,
            "joined": self.joined,
            "refused": not self.verdict.promote,
            "failed": self.failed,
            "says": self.verdict.first_line,
            "difference": None if overall is None else overall.difference,
        }


def trial(variant: Variant, number: int, rows: pd.DataFrame, features: Floats, limits: GateLimits) -> Trial:
    """Teach a champion, let the batch come, teach a challenger, and judge."""
    rng = np.random.default_rng(number)
    base, joined = parts(variant, rows, rng)
    now_base, now_joined = variant.change(base, joined, rng)
    now = with_split(pd.concat([now_base, now_joined], ignore_index=True))
    champion, challenger = (
        fit_fast(features[taught["place"]], taught)
        for taught in (each[each["split"] == "train"] for each in (base, now))
    )
    positions = np.flatnonzero(now["split"] == "test")
    asked = features[now["place"].to_numpy()[positions]]
    labels = now[LABELS].astype(object).where(now[LABELS].notna(), None)
    truth = {head: labels[head].to_numpy(dtype=object)[positions] for head in LABELS}
    since = rows_since(base, now)
    verdict = judge(
        truth,
        champion.answers(asked),
        challenger.answers(asked),
        since.joined[positions],
        limits,
        earlier_test(since, now, positions),
        checks_of_data(now, since, limits),
    )
    return Trial(variant, int(since.changed.sum()), verdict)


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


def targets(trials: list[Trial]) -> list[Target]:
    """All that is poisoned is refused, and eighteen of twenty honest batches pass."""
    refused = sum(not each.verdict.promote for each in trials if each.variant.poisoned)
    passed = sum(each.verdict.promote for each in trials if not each.variant.poisoned)
    return [
        Target.at_least("poisoned batches refused, of 20", refused, len(POISONED)),
        Target.at_least("honest batches passed, of 20", passed, 18),
    ]


def protocol() -> dict[str, Any]:
    """What the figures depend on."""
    return {"taught": TAUGHT, "joined": JOINED, "test_share": TEST_SHARE, "errors": ERRORS}


def table(trials: list[Trial]) -> str:
    """A row a batch: what the gate said, and by which checks."""
    header = ["batch", "new or changed rows", "should", "the gate", "checks that refuse it"]
    lines = [
        [
            each.variant.name,
            str(each.joined),
            "be refused" if each.variant.poisoned else "pass",
            "passes it" if each.verdict.promote else "refuses it",
            ", ".join(each.failed[:4]) + (" …" if len(each.failed) > 4 else ""),
        ]
        for each in trials
    ]
    return markdown_table(header, lines)
