"""Checks of the gate that look at the data: what joined and what was relabelled since the champion's version.

In: the rows of a version, what became of them since (`training/retrain/since.py`). Out: a `Check` each. They tell what
test rows cannot: labels that are wrong in the same way on both sides of the split.
"""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.complaints.schema import LABELS
from training.classifier.splits import text_keys
from training.retrain.gate_limits import Check, GateLimits
from training.retrain.since import Since
from training.retrain.wrong_labels import find_wrong_labels

FLOOD = 20
"""Copies of one text below which nobody is flooded: a notice in a stairwell brings a dozen."""
LEAST_RELABELLED = 8
"""Rows of a label below which a handful of corrections is half of them."""
LEAST_JUDGED = 30
"""Labels that joined below which no test tells whether they are believed."""
MORE_OFTEN = 1.5
"""As often as other labels, what joined may be a suspect: a hard topic is disbelieved more often too."""


def checks_of_data(rows: pd.DataFrame, since: Since, limits: GateLimits) -> list[Check]:
    """All of them; `rows` are those of the version, in its order. Nothing joined, nothing to check."""
    if not since.changed.any():
        return []
    return [
        _no_flood(rows, since.joined, limits),
        _no_unrecorded_migration(rows, since, limits),
        *_believed(rows, since, limits),
    ]


def _no_flood(rows: pd.DataFrame, joined: npt.NDArray[np.bool_], limits: GateLimits) -> Check:
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


def _believed(rows: pd.DataFrame, since: Since, limits: GateLimits) -> Iterator[Check]:
    """Labels that are new are as believable to a model that has not seen them as the others are."""
    from scipy.stats import fisher_exact

    wrong = find_wrong_labels(rows)
    for head in LABELS:
        judged = rows[head].notna().to_numpy()
        suspect = np.zeros(len(rows), dtype=bool)
        suspect[[each.row for each in wrong.suspects if each.head == head]] = True
        new = judged & (since.joined | since.relabelled[head])
        old = judged & ~new
        if new.sum() < LEAST_JUDGED or not old.any():
            continue
        counts = [[int((suspect & of).sum()), int((~suspect & of).sum())] for of in (new, old)]
        shares = [count[0] / sum(count) for count in counts]
        p = float(fisher_exact(counts, alternative="greater").pvalue)
        passed = p >= limits.least_believable or shares[0] <= MORE_OFTEN * shares[1]
        says = f"{head}: {shares[0]:.1%} of {int(new.sum())} new labels are likely wrong, of the others {shares[1]:.1%}"
        yield Check(f"{head} believed", passed, says)
