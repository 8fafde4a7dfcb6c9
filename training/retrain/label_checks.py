"""Checks of the gate that look at one label at a time: sectors and agencies, every label, and the guarded ones.

In: true labels and what champion and challenger said of the same rows. Out: a `Check` each. Many labels are corrected
for being many (Holm 1979), so that an honest challenger is not refused for one unlucky agency.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from data.complaints.schema import LABELS
from training.retrain.answers import Answers, Floats, Names
from training.retrain.gate_limits import Check, GateLimits
from training.retrain.paired_bootstrap import Compared, Resamples, mean_difference, no_loss_by_signs, worse_after_holm

Truth = Mapping[str, Names]
"""Of each head the label of every test row, shape (n,); None where nobody knows it."""
LabelsInPlay = Mapping[str, frozenset[str]]
"""Of each head the labels that what is new in the data speaks of."""


def slices_of(
    resamples: Resamples, truth: Truth, champion: Floats, challenger: Floats, least_rows: int
) -> Iterator[tuple[str, Compared]]:
    """Of each sector and agency that is large enough, by scores of the rows, the difference on its rows alone.

    Its `p_no_loss` is that of the signs: slices are small, where a bootstrap takes chance for a loss too often.
    """
    for head in ("sector", "agency"):
        for label in sorted({name for name in truth[head] if name is not None}):
            rows = np.flatnonzero(truth[head] == label)
            if len(rows) >= least_rows:
                sides = challenger[rows], champion[rows]
                compared = resamples.compare(mean_difference(*sides), rows)
                yield f"{head} {label}", replace(compared, p_no_loss=no_loss_by_signs(*sides))


def no_slice_worse(name: str, slices: Mapping[str, Compared], level: float) -> Check:
    """No sector and no agency has lost more than chance explains."""
    names = list(slices)
    worse = worse_after_holm([slices[name].p_no_loss for name in names], level)
    says = f"none of {len(names)} sectors and agencies is worse"
    if worse:
        says = "worse in " + ", ".join(f"{names[place]} {slices[names[place]]}" for place in worse)
    return Check(name, not worse, says)


def no_label_worse(
    name: str, truth: Truth, champion: Answers, challenger: Answers, in_play: LabelsInPlay, level: float
) -> Check:
    """Every label by itself: of a topic that was taught as another one the mean hardly tells.

    The labels in play are few, so a loss of theirs is told from chance on fewer rows; the others are a family of their
    own.
    """
    exchanged = {
        (head, label): lost_and_won(truth[head], champion.predicted[head], challenger.predicted[head], label)
        for head in LABELS
        for label in sorted({name for name in truth[head] if name is not None})
    }
    playing = [pair for pair in exchanged if pair[1] in in_play.get(pair[0], frozenset())]
    worse: list[tuple[str, str]] = []
    for family in (playing, [pair for pair in exchanged if pair not in set(playing)]):
        p_values = [mcnemar(*exchanged[pair]) for pair in family]
        worse += [family[place] for place in worse_after_holm(p_values, level)]
    says = f"none of {len(exchanged)} labels is worse"
    if worse:
        losses = [(*pair, *exchanged[pair]) for pair in worse]
        says = "worse in " + ", ".join(f"{head} {label} ({lost} lost, {won} won)" for head, label, lost, won in losses)
    return Check(name, not worse, says)


def guards(truth: Truth, champion: Answers, challenger: Answers, limits: GateLimits) -> Iterator[Check]:
    """Labels that must not lose, each tested by itself."""
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
