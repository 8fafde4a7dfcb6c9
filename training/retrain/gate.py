"""The promotion gate: may a challenger take the champion's place?

In: the frozen test rows' labels, what champion and challenger said of them, which rows are the newest, and which were
tested with these labels before. Out: a `Verdict`: every check with its sentence. A challenger passes that is better or
equal overall and worse nowhere that matters. What is compared is compared in pairs, on the same rows, and a loss
counts where chance does not explain it. The rows that were tested before are looked at by themselves too: what is wrong
with new labels is wrong with the new test rows as well, and flatters whoever was taught it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from data.complaints.schema import LABELS
from training.evaluate.metrics import expected_calibration_error
from training.retrain.answers import Answers, Bools, Floats, Names
from training.retrain.gate_limits import Check, GateLimits, Judgement
from training.retrain.label_checks import LabelsInPlay, Truth, guards, no_label_worse, no_slice_worse, slices_of
from training.retrain.paired_bootstrap import (
    Compared,
    Resamples,
    calibration_difference,
    macro_f1_difference,
    mean_difference,
)


@dataclass(frozen=True)
class EarlierTest:
    """What the champion's dataset version says of the n test rows.

    Attributes:
        rows: that it held out too, with the same labels, shape (n,).
        count: how many it held out, whatever their labels.
        in_play: the labels that joined, went or came since.
    """

    rows: Bools
    count: int
    in_play: LabelsInPlay = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict(Judgement):
    """What the gate says.

    Attributes:
        overall: the share of right labels, challenger less champion; None where there were too few rows.
        slices: of each `HEAD LABEL` that is large enough, the same by itself.
        compared: the other differences of accuracy, by the names of their checks.
    """

    overall: Compared | None
    slices: Mapping[str, Compared] = field(default_factory=dict)
    compared: Mapping[str, Compared] = field(default_factory=dict)

    @property
    def first_line(self) -> str:
        """Why, in one sentence."""
        if self.refusal is not None:
            return self.refusal
        assert self.overall is not None
        return f"Passed on {self.overall.rows} test rows: {self.overall} points of accuracy, worse nowhere that matters"


def judge(
    truth: Truth,
    champion: Answers,
    challenger: Answers,
    newest: Bools,
    limits: GateLimits,
    before: EarlierTest | None = None,
    of_data: Sequence[Check] = (),
) -> Verdict:
    """Hold the challenger against the champion on the same n rows; `of_data` are checks of what it was taught."""
    rows = len(newest)
    enough = [*of_data, *_enough_rows(rows, limits, before)]
    if rows < limits.least_rows:
        return Verdict(tuple(enough), None)
    resamples = Resamples(rows)
    in_play = {} if before is None else _in_play(before, champion)
    quality = _quality("", resamples, truth, champion, challenger, limits, in_play)
    checks = [
        *enough,
        *quality.checks,
        *_newest(resamples, newest, _scores(champion, truth), _scores(challenger, truth), limits),
        *guards(truth, champion, challenger, limits),
        *_calibration(resamples, truth, champion, challenger, limits),
        *_routing(resamples, truth, champion, challenger, limits),
        *_serving(champion, challenger, limits),
    ]
    if before is not None and limits.least_rows <= before.rows.sum() < rows:
        frozen = np.flatnonzero(before.rows)
        then = {head: names[frozen] for head, names in truth.items()}
        sides = champion.at(frozen), challenger.at(frozen)
        of_frozen = _quality("tested before: ", Resamples(len(frozen)), then, *sides, limits, in_play)
        checks += of_frozen.checks
        quality = quality.with_compared(of_frozen)
    return Verdict(tuple(checks), quality.overall, quality.slices, quality.compared)


def _in_play(before: EarlierTest, champion: Answers) -> dict[str, frozenset[str]]:
    """The labels that joined, went or came, and those that the champion gives to such rows, which lose their place."""
    changed = ~before.rows
    return {
        head: before.in_play.get(head, frozenset()) | set(map(str, champion.predicted[head][changed]))
        for head in LABELS
    }


@dataclass(frozen=True)
class _Quality:
    """How right both are on some rows: its checks and the differences behind them."""

    checks: list[Check]
    overall: Compared
    slices: Mapping[str, Compared]
    compared: Mapping[str, Compared]

    def with_compared(self, other: "_Quality") -> "_Quality":
        return _Quality(self.checks, self.overall, self.slices, {**self.compared, **other.compared})


def _quality(
    prefix: str,
    resamples: Resamples,
    truth: Truth,
    champion: Answers,
    challenger: Answers,
    limits: GateLimits,
    in_play: LabelsInPlay,
) -> _Quality:
    """Accuracy overall, of each head, of sectors and agencies, and every label by itself."""
    score, rival = _scores(challenger, truth), _scores(champion, truth)
    overall = resamples.compare(mean_difference(score, rival))
    slices = dict(slices_of(resamples, truth, rival, score, limits.least_slice_rows))
    heads = dict(_heads(prefix, resamples, truth, champion, challenger, limits))
    checks = [
        _not_below(f"{prefix}all labels", overall, limits.tolerance),
        *(check for _, checks in heads.values() for check in checks),
        no_slice_worse(f"{prefix}sectors and agencies", slices, limits.level),
        no_label_worse(f"{prefix}labels", truth, champion, challenger, in_play, limits.level),
    ]
    compared = {f"{prefix}all labels": overall} | {name: accuracy for name, (accuracy, _) in heads.items()}
    return _Quality(checks, overall, slices, compared)


def _enough_rows(rows: int, limits: GateLimits, before: EarlierTest | None) -> Iterator[Check]:
    yield Check("test rows", rows >= limits.least_rows, f"{rows} test rows, at least {limits.least_rows} are needed")
    if before is not None:
        says = f"{rows} test rows, the champion's dataset has {before.count}"
        yield Check("the same test rows", rows >= before.count, says)


def _scores(answers: Answers, truth: Truth) -> Floats:
    """Of each row the share of its labels that are right; a row without labels has 0, for both models."""
    marks = np.stack([answers.right(truth, head) for head in LABELS])
    return np.asarray(np.nansum(marks, axis=0) / np.maximum((~np.isnan(marks)).sum(axis=0), 1))


def _not_below(name: str, compared: Compared, tolerance: float) -> Check:
    passed = not compared.is_worse and compared.difference >= -tolerance
    return Check(name, passed, f"{name}: {compared} points of accuracy on {compared.rows} rows")


def _heads(
    prefix: str, resamples: Resamples, truth: Truth, champion: Answers, challenger: Answers, limits: GateLimits
) -> Iterator[tuple[str, tuple[Compared, list[Check]]]]:
    """Of each head the difference of accuracy, and the checks of it and of macro-F1."""
    for head in LABELS:
        rows = _labelled(truth[head])
        if not len(rows):
            continue
        name = f"{prefix}{head}"
        marks = (challenger.right(truth, head)[rows], champion.right(truth, head)[rows])
        accuracy = resamples.compare(mean_difference(*marks), rows)
        places = {label: place for place, label in enumerate(sorted(set(truth[head][rows])))}
        coded = [
            np.array([places.get(label, -1) for label in labels[rows]], dtype=np.int64)
            for labels in (truth[head], challenger.predicted[head], champion.predicted[head])
        ]
        f1 = resamples.compare(macro_f1_difference(*coded), rows)
        yield (
            name,
            (
                accuracy,
                [
                    _not_below(name, accuracy, limits.tolerance),
                    Check(f"{name} macro-F1", not f1.is_worse, f"{name}: {f1} points of macro-F1"),
                ],
            ),
        )


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


def _routing(
    resamples: Resamples, truth: Truth, champion: Answers, challenger: Answers, limits: GateLimits
) -> Iterator[Check]:
    from scipy.stats import binomtest

    routed = challenger.routed & np.array([name is not None for name in truth["agency"]], dtype=bool)
    right = int((challenger.right(truth, "agency")[routed] == 1).sum())
    rows = int(routed.sum())
    if rows:
        interval = binomtest(right, rows).proportion_ci(0.95, method="wilson")
        says = f"{right / rows:.1%} of {rows} routed are right, {limits.promised_precision:.0%} is promised"
        yield Check("promised precision", interval.high >= limits.promised_precision, says)
    shares = float(challenger.routed.mean()), float(champion.routed.mean())
    says = f"{shares[0]:.1%} are routed, were {shares[1]:.1%}"
    known = _labelled(truth["agency"])
    if len(known):
        rightly = [np.where(side.routed, side.right(truth, "agency") == 1, 0)[known] for side in (challenger, champion)]
        lost = resamples.compare(mean_difference(*rightly), known)
        says += f", rightly: {lost} points"
        yield Check("coverage", lost.high >= -limits.coverage_tolerance, says)


def _serving(champion: Answers, challenger: Answers, limits: GateLimits) -> Iterator[Check]:
    for head, share in challenger.agreement.items():
        says = f"{head}: int8 agrees in {share:.1%}, at least {limits.least_agreement:.1%} is needed"
        yield Check(f"{head} in int8", share >= limits.least_agreement, says)
    if challenger.seconds is not None and champion.seconds is not None:
        factor = challenger.seconds / champion.seconds
        yield Check("speed", factor <= limits.slower, f"a complaint takes {factor:.2f} times as long")


def _labelled(names: Sequence[str | None] | Names) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.flatnonzero([name is not None for name in names])
