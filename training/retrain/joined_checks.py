"""Checks of the gate that look at the data: what joined and what was relabelled since the champion's version.

In: the rows of a version, what became of them since (`training/retrain/since.py`). Out: a `Check` each. They tell what
test rows cannot: labels that are wrong in the same way on both sides of the split.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.complaints.schema import LABELS
from training.classifier.splits import text_keys
from training.retrain.gate_limits import Check, GateLimits
from training.retrain.paired_bootstrap import worse_after_holm
from training.retrain.since import Since
from training.retrain.wrong_labels import Spoken, what_earlier_rows_say

Bools = npt.NDArray[np.bool_]
FLOOD = 20
"""Copies of one text below which nobody is flooded: a notice in a stairwell brings a dozen."""
LEAST_RELABELLED = 8
"""Rows of a label below which a handful of corrections is half of them."""
LEAST_JUDGED = 8
"""New and earlier rows of a label below which no test tells anything of it."""
ALIKE = (0.5, 0.8)
"""A topic that nobody has met is another's name where as large a share of its rows looks like that one as of that one's
own rows: at least the first of these, and at most the second need to."""
ALL_LEVEL = 0.001
"""Of the test of all labels together, which a change of season moves too."""


def checks_of_data(rows: pd.DataFrame, since: Since, limits: GateLimits) -> list[Check]:
    """All of them; `rows` are those of the version, in its order. Nothing joined, nothing to check."""
    if not since.changed.any():
        return []
    spoken = what_earlier_rows_say(rows, since.changed)
    return [
        _no_flood(rows, since.joined, limits),
        _no_unrecorded_migration(rows, since, limits),
        _no_other_name(rows, since.changed, spoken["topic"]),
        *_surprises(rows, since.changed, spoken, limits),
    ]


def _no_flood(rows: pd.DataFrame, joined: Bools, limits: GateLimits) -> Check:
    texts = Counter(text_keys(rows["text"][joined]).tolist())
    copies, all_joined = max(texts.values(), default=0), int(joined.sum())
    passed = copies < FLOOD or copies <= limits.most_copies * all_joined
    return Check("copies", passed, f"one text stands in {copies} of the {all_joined} rows that joined")


def _no_unrecorded_migration(rows: pd.DataFrame, since: Since, limits: GateLimits) -> Check:
    """A label that becomes another one in most of its rows is a change of the catalogue, or an attack."""
    moves = []
    for head in LABELS:
        had = Counter(label for label in since.former[head] if label is not None)
        changed = since.relabelled[head]
        pairs = Counter(zip(since.former[head][changed], rows[head][changed], strict=True))
        moves += [
            f"{head} {was}: {moved} of {had[was]} rows became {now}"
            for (was, now), moved in pairs.items()
            if had[was] >= LEAST_RELABELLED and moved > limits.most_relabelled * had[was]
        ]
    says = "; ".join(moves) + ": record a migration in the catalogue" if moves else "no label became another one"
    return Check("relabelled", not moves, says)


def _no_other_name(rows: pd.DataFrame, new: Bools, spoken: Spoken) -> Check:
    """Complaints on a topic that nobody has met are not what earlier rows know well under another name."""
    topics = rows["topic"].to_numpy(dtype=object)
    alike = []
    for topic in sorted({name for name in topics[new] if isinstance(name, str)} - set(topics[~new])):
        said = spoken.said[new & (topics == topic)]
        known, times = Counter(said.tolist()).most_common(1)[0]
        if known is None or len(said) < LEAST_JUDGED:
            continue
        own = spoken.said[~new & (topics == known)]
        if times / len(said) >= np.clip((own == known).mean(), *ALIKE):
            alike.append(f"{times} of {len(said)} complaints on «{topic}», which nobody has met, look like «{known}»")
    return Check("topics not met", not alike, "; ".join(alike) or "no known topic has got another name")


def _surprises(rows: pd.DataFrame, new: Bools, spoken_of: Mapping[str, Spoken], limits: GateLimits) -> Iterator[Check]:
    """What earlier rows say of new ones with the same label is right about as often as of each other.

    A topic that nobody has met is no surprise, nor are its sector and agency: only what there were rows of is judged.
    """
    for head, spoken in spoken_of.items():
        labels = rows[head].to_numpy(dtype=object)
        every = _Surprise.of("all labels", spoken, new, np.ones(len(rows), dtype=bool))
        each = [_Surprise.of(str(label), spoken, new, labels == label) for label in set(labels[new & spoken.judged])]
        each = sorted((one for one in each if one.enough), key=lambda one: one.label)
        places = worse_after_holm([one.p for one in each], limits.surprise_level)
        found = [each[place] for place in places if each[place].more > limits.surprise]
        if every.enough and every.p < ALL_LEVEL and every.more > limits.surprise_of_all:
            found.insert(0, every)
        told = f"{head}: " + "; ".join(map(str, found)) if found else f"{head}: new labels agree with earlier rows"
        yield Check(f"{head} agrees with earlier rows", not found, told)


@dataclass(frozen=True)
class _Surprise:
    """How often earlier rows say another label of rows with one label: of new ones, and of each other."""

    label: str
    new: tuple[int, int]
    earlier: tuple[int, int]

    @classmethod
    def of(cls, label: str, spoken: Spoken, new: Bools, chosen: Bools) -> "_Surprise":
        """Counted among the chosen rows that are judged."""
        new_rows, earlier = (spoken.judged & chosen & part for part in (new, ~new))
        counts = [(int((spoken.otherwise & part).sum()), int(part.sum())) for part in (new_rows, earlier)]
        return cls(label, *counts)

    @property
    def enough(self) -> bool:
        return min(self.new[1], self.earlier[1]) >= LEAST_JUDGED

    @property
    def more(self) -> float:
        """By how much more often they do so of new ones."""
        return self.new[0] / self.new[1] - self.earlier[0] / self.earlier[1]

    @property
    def p(self) -> float:
        """How often chance alone makes it as much more (Fisher's exact test)."""
        from scipy.stats import fisher_exact

        table = [[wrong, rows - wrong] for wrong, rows in (self.new, self.earlier)]
        return float(fisher_exact(table, alternative="greater").pvalue)

    def __str__(self) -> str:
        return (
            f"earlier rows speak against {self.new[0]} of {self.new[1]} new labels «{self.label}», and against "
            f"{self.earlier[0]} of {self.earlier[1]} earlier ones"
        )
