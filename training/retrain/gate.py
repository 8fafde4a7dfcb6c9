"""The promotion gate: may a challenger take the champion's place?

In: the frozen test rows' labels, what champion and challenger said of them, which rows are the newest. Out: a
`Verdict`: every check with its sentence. A challenger passes that is better or equal overall and worse nowhere that
matters. What is compared is compared in pairs, on the same rows, and a loss counts where chance does not explain it;
many slices are corrected for being many (Holm 1979), so that an honest challenger is not refused for one unlucky
agency.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from pydantic import Field

from data.complaints.schema import LABELS
from data.config import Config
from training.evaluate.metrics import expected_calibration_error
from training.retrain.answers import Answers, Bools, Floats, Names
from training.retrain.paired_bootstrap import (
    Compared,
    Resamples,
    calibration_difference,
    macro_f1_difference,
    mean_difference,
    worse_after_holm,
)

Truth = Mapping[str, Names]
"""Of each head the label of every test row, shape (n,); None where nobody knows it."""


class GateLimits(Config):
    """What a challenger may cost.

    Attributes:
        tolerance: of accuracy, overall and on the newest rows: so much less is equal.
        level: of all slices and labels together: how often an honest challenger is refused for them.
        least_rows: test rows below which nothing can be said.
        least_slice_rows: of a sector or an agency that is looked at by itself.
        guard_labels: of each head, labels that must not lose; each is tested by itself, uncorrected.
        calibration_tolerance: of the calibration error.
        promised_precision: of what is routed.
        coverage_tolerance: of the share that is routed.
        least_agreement: of int8 with fp32.
        slower: by this factor at most.
    """

    tolerance: float = Field(default=0.01, ge=0)
    level: float = Field(default=0.05, gt=0, lt=1)
    least_rows: int = Field(default=200, ge=1)
    least_slice_rows: int = Field(default=30, ge=1)
    guard_labels: dict[str, list[str]] = {}
    calibration_tolerance: float = Field(default=0.01, ge=0)
    promised_precision: float = Field(default=0.95, gt=0, lt=1)
    coverage_tolerance: float = Field(default=0.05, ge=0)
    least_agreement: float = Field(default=0.99, ge=0, le=1)
    slower: float = Field(default=1.5, ge=1)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: whether it passed, and a sentence with its figures."""

    name: str
    passed: bool
    says: str


@dataclass(frozen=True)
class Verdict:
    """What the gate says.

    Attributes:
        checks: all of them, in the order in which they matter.
        overall: the share of right labels, challenger less champion; None where there were too few rows.
        slices: of each `HEAD LABEL` that is large enough, the same by itself.
    """

    checks: tuple[Check, ...]
    overall: Compared | None
    slices: Mapping[str, Compared] = field(default_factory=dict)

    @property
    def promote(self) -> bool:
        """Whether the challenger may serve."""
        return all(check.passed for check in self.checks)

    @property
    def first_line(self) -> str:
        """Why, in one sentence."""
        failed = [check for check in self.checks if not check.passed]
        if failed:
            return f"Refused, {len(failed)} of {len(self.checks)} checks failed: " + "; ".join(c.says for c in failed)
        assert self.overall is not None
        return f"Passed on {self.overall.rows} test rows: {self.overall} points of accuracy, worse nowhere that matters"


def judge(
    truth: Truth,
    champion: Answers,
    challenger: Answers,
    newest: Bools,
    limits: GateLimits,
    rows_before: int | None = None,
) -> Verdict:
    """Hold the challenger against the champion on the same n rows; `rows_before` is how many the last gate had."""
    rows = len(newest)
    enough = list(_enough_rows(rows, limits, rows_before))
    if rows < limits.least_rows:
        return Verdict(tuple(enough), None)
    score = {name: _scores(answers, truth) for name, answers in (("champion", champion), ("challenger", challenger))}
    resamples = Resamples(rows)
    overall = resamples.compare(mean_difference(score["challenger"], score["champion"]))
    slices = dict(_slices(resamples, truth, score["champion"], score["challenger"], limits.least_slice_rows))
    checks = [
        *enough,
        _not_below("all labels", overall, limits.tolerance),
        *_heads(resamples, truth, champion, challenger, limits),
        *_newest(resamples, newest, score["champion"], score["challenger"], limits),
        _no_slice_worse(slices, limits.level),
        _no_label_worse(truth, champion, challenger, limits),
        *_guards(truth, champion, challenger, limits),
        *_calibration(resamples, truth, champion, challenger, limits),
        *_routing(truth, champion, challenger, limits),
        *_serving(champion, challenger, limits),
    ]
    return Verdict(tuple(checks), overall, slices)


def _enough_rows(rows: int, limits: GateLimits, before: int | None) -> Iterator[Check]:
    yield Check("test rows", rows >= limits.least_rows, f"{rows} test rows, at least {limits.least_rows} are needed")
    if before is not None:
        yield Check("the same test rows", rows >= before, f"{rows} test rows, the last gate had {before}")


def _scores(answers: Answers, truth: Truth) -> Floats:
    """Of each row the share of its labels that are right; a row without labels has 0, for both models."""
    marks = np.stack([answers.right(truth, head) for head in LABELS])
    return np.asarray(np.nansum(marks, axis=0) / np.maximum((~np.isnan(marks)).sum(axis=0), 1))


def _not_below(name: str, compared: Compared, tolerance: float) -> Check:
    passed = not compared.is_worse and compared.difference >= -tolerance
    return Check(name, passed, f"{name}: {compared} points of accuracy on {compared.rows} rows")


def _heads(
    resamples: Resamples, truth: Truth, champion: Answers, challenger: Answers, limits: GateLimits
) -> Iterator[Check]:
    for head in LABELS:
        rows = _labelled(truth[head])
        if not len(rows):
            continue
        marks = (challenger.right(truth, head)[rows], champion.right(truth, head)[rows])
        yield _not_below(head, resamples.compare(mean_difference(*marks), rows), limits.tolerance)
        places = {name: place for place, name in enumerate(sorted(set(truth[head][rows])))}
        coded = [
            np.array([places.get(name, -1) for name in names[rows]], dtype=np.int64)
            for names in (truth[head], challenger.predicted[head], champion.predicted[head])
        ]
        f1 = resamples.compare(macro_f1_difference(*coded), rows)
        yield Check(f"{head} macro-F1", not f1.is_worse, f"{head}: {f1} points of macro-F1")


def _newest(
    resamples: Resamples, newest: Bools, champion: Floats, challenger: Floats, limits: GateLimits
) -> Iterator[Check]:
    rows = np.flatnonzero(newest)
    if len(rows):
        compared = resamples.compare(mean_difference(challenger[rows], champion[rows]), rows)
        passed = not compared.is_worse
        if len(rows) >= limits.least_rows:  # an estimate on fewer is nobody's loss
            passed = _not_below("", compared, limits.tolerance).passed
        yield Check("newest rows", passed, f"newest rows: {compared} points of accuracy on {len(rows)} rows")


def _slices(
    resamples: Resamples, truth: Truth, champion: Floats, challenger: Floats, least_rows: int
) -> Iterator[tuple[str, Compared]]:
    for head in ("sector", "agency"):
        for label in sorted({name for name in truth[head] if name is not None}):
            rows = np.flatnonzero(truth[head] == label)
            if len(rows) >= least_rows:
                difference = mean_difference(challenger[rows], champion[rows])
                yield f"{head} {label}", resamples.compare(difference, rows)


def _no_slice_worse(slices: Mapping[str, Compared], level: float) -> Check:
    names = list(slices)
    worse = worse_after_holm([slices[name].p_no_loss for name in names], level)
    says = f"none of {len(names)} sectors and agencies is worse"
    if worse:
        says = "worse in " + ", ".join(f"{names[place]} {slices[names[place]]}" for place in worse)
    return Check("sectors and agencies", not worse, says)


def _no_label_worse(truth: Truth, champion: Answers, challenger: Answers, limits: GateLimits) -> Check:
    """Every label by itself: of a topic that was taught as another one the mean hardly tells."""
    found = {
        f"{head} {label}": lost_and_won(truth[head], champion.predicted[head], challenger.predicted[head], label)
        for head in LABELS
        for label in sorted({name for name in truth[head] if name is not None})
    }
    names = list(found)
    worse = worse_after_holm([mcnemar(*found[name]) for name in names], limits.level)
    says = f"none of {len(names)} labels is worse"
    if worse:
        says = "worse in " + ", ".join(
            f"{names[place]} ({found[names[place]][0]} lost, {found[names[place]][1]} won)" for place in worse
        )
    return Check("labels", not worse, says)


def _guards(truth: Truth, champion: Answers, challenger: Answers, limits: GateLimits) -> Iterator[Check]:
    for head, labels in limits.guard_labels.items():
        for label in labels:
            lost, won = lost_and_won(truth[head], champion.predicted[head], challenger.predicted[head], label)
            rows = int((truth[head] == label).sum())
            passed = mcnemar(lost, won) > limits.level
            yield Check(f"guard {head}", passed, f"guard {head} {label}: {lost} lost, {won} won of {rows}")


def lost_and_won(truth: Names, champion: Names, challenger: Names, label: str) -> tuple[int, int]:
    """Rows that only the champion has right, and those that only the challenger has: of this label, or taken for it."""
    concerned = (truth == label) | (champion == label) | (challenger == label)
    concerned &= np.array([name is not None for name in truth], dtype=bool)
    before, after = champion == truth, challenger == truth
    return int((concerned & before & ~after).sum()), int((concerned & after & ~before).sum())


def mcnemar(lost: int, won: int) -> float:
    """Exact one-sided p that as much or more is lost by chance (McNemar 1947)."""
    from scipy.stats import binom

    return float(binom.sf(lost - 1, lost + won, 0.5)) if lost + won else 1.0


def _calibration(
    resamples: Resamples, truth: Truth, champion: Answers, challenger: Answers, limits: GateLimits
) -> Iterator[Check]:
    for head in LABELS:
        rows = _labelled(truth[head])
        if not len(rows):
            continue
        one, other = (
            (answers.confidence[head][rows], answers.right(truth, head)[rows]) for answers in (challenger, champion)
        )
        errors = [expected_calibration_error(confidence, right == 1) for confidence, right in (one, other)]
        more = resamples.compare(calibration_difference(one, other), rows)
        passed = not (more.is_worse and errors[0] - errors[1] > limits.calibration_tolerance)
        yield Check(f"{head} calibration", passed, f"{head}: calibration error {errors[0]:.3f}, was {errors[1]:.3f}")


def _routing(truth: Truth, champion: Answers, challenger: Answers, limits: GateLimits) -> Iterator[Check]:
    from scipy.stats import binomtest

    routed = challenger.routed & np.array([name is not None for name in truth["agency"]], dtype=bool)
    right = int((challenger.right(truth, "agency")[routed] == 1).sum())
    rows = int(routed.sum())
    if rows:
        interval = binomtest(right, rows).proportion_ci(0.95, method="wilson")
        says = f"{right / rows:.1%} of {rows} routed are right, {limits.promised_precision:.0%} is promised"
        yield Check("promised precision", interval.high >= limits.promised_precision, says)
    shares = float(challenger.routed.mean()), float(champion.routed.mean())
    passed = shares[0] >= shares[1] - limits.coverage_tolerance
    yield Check("coverage", passed, f"{shares[0]:.1%} are routed, were {shares[1]:.1%}")


def _serving(champion: Answers, challenger: Answers, limits: GateLimits) -> Iterator[Check]:
    for head, share in challenger.agreement.items():
        says = f"{head}: int8 agrees in {share:.1%}, at least {limits.least_agreement:.1%} is needed"
        yield Check(f"{head} in int8", share >= limits.least_agreement, says)
    if challenger.seconds is not None and champion.seconds is not None:
        factor = challenger.seconds / champion.seconds
        yield Check("speed", factor <= limits.slower, f"a complaint takes {factor:.2f} times as long")


def _labelled(names: Sequence[str | None] | Names) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.flatnonzero([name is not None for name in names])
