"""Which labels teach most: rows chosen by margin against rows drawn at random.

In: features and topics of a corpus. Out: macro-F1 on rows kept back by the number of labelled rows, for each way to
choose, and how many rows each needs for a share of what all of them give.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from benchmarks.fast_heads import ridge

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]
Choose = Callable[[Floats, Floats, int, np.random.Generator], Ints]
"""From scores (rows, labels) and features (rows, width) of what is not labelled, to positions of the next ones."""
KEPT_BACK = 0.3
FIRST, STEP = 60, 60
"""Rows that are labelled to begin with, and in each round."""
ENOUGH = 0.95
"""Share of the macro-F1 of all rows that is asked for."""
WIDER = 4
"""Among so many times as many rows of small margin those are chosen that differ."""


def at_random(scores: Floats, features: Floats, count: int, rng: np.random.Generator) -> Ints:
    """Any rows."""
    return rng.permutation(len(scores))[:count]


def by_margin(scores: Floats, features: Floats, count: int, rng: np.random.Generator) -> Ints:
    """Rows whose two likeliest labels are the closest: as `tsur suggest-labels` chooses."""
    return np.argsort(margins(scores), kind="stable")[:count]


def by_margin_and_difference(scores: Floats, features: Floats, count: int, rng: np.random.Generator) -> Ints:
    """Of the rows with small margins those that are far from each other, greedily (Sener & Savarese 2018)."""
    small = np.argsort(margins(scores), kind="stable")[: WIDER * count]
    rows = features[small] / np.linalg.norm(features[small], axis=1, keepdims=True)
    chosen = [0]
    nearest = rows @ rows[0]
    while len(chosen) < min(count, len(small)):
        nearest[chosen] = np.inf
        chosen.append(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, rows @ rows[chosen[-1]])
    return np.asarray(small[chosen])


WAYS: Mapping[str, Choose] = {
    "at random": at_random,
    "by margin": by_margin,
    "by margin and difference": by_margin_and_difference,
}


def margins(scores: Floats) -> Floats:
    """Best less second best score, shape (rows,)."""
    two = np.partition(scores, -2, axis=1)[:, -2:]
    distance: Floats = two[:, 1] - two[:, 0]
    return distance


def curves(features: Floats, topics: npt.NDArray[np.object_], seed: int) -> tuple[dict[str, list[float]], float]:
    """Of each way the macro-F1 after each round, and that of all rows."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(topics))
    kept_back, pool = np.split(order, [round(KEPT_BACK * len(order))])
    first = pool[:FIRST]
    out: dict[str, list[float]] = {}
    for name, choose in WAYS.items():
        labelled, rest = first.copy(), pool[FIRST:].copy()
        out[name] = []
        while True:
            names, weights = fitted(features[labelled], topics[labelled])
            out[name].append(macro_f1(names, weights, features[kept_back], topics[kept_back]))
            if not len(rest):
                break
            scores = _scores(features[rest], weights)
            chosen = choose(scores, features[rest], STEP, np.random.default_rng([seed, len(labelled)]))
            labelled, rest = np.concatenate([labelled, rest[chosen]]), np.delete(rest, chosen)
    return out, out["at random"][-1]


def rows_for(curve: list[float], enough: float) -> float:
    """How many labelled rows a curve needs to reach a macro-F1, interpolated."""
    for place, value in enumerate(curve):
        if value >= enough:
            if place == 0:
                return float(FIRST)
            before = curve[place - 1]
            return FIRST + STEP * (place - 1 + (enough - before) / max(value - before, 1e-9))
    return float(FIRST + STEP * len(curve))


def fitted(features: Floats, topics: npt.NDArray[np.object_]) -> tuple[npt.NDArray[np.object_], Floats]:
    """Names of the topics, and the weights of a ridge regression."""
    names, targets = np.unique(topics, return_inverse=True)
    return names, ridge(features, targets, len(names))[0]


def macro_f1(
    names: npt.NDArray[np.object_], weights: Floats, features: Floats, topics: npt.NDArray[np.object_]
) -> float:
    """Over the topics of the judged rows; one that nobody has labelled is never right."""
    from sklearn.metrics import f1_score

    said = names[_scores(features, weights).argmax(axis=1)]
    return float(f1_score(topics, said, labels=np.unique(topics), average="macro", zero_division=0))


def _scores(features: Floats, weights: Floats) -> Floats:
    scores: Floats = features @ weights[:-1] + weights[-1]
    return scores
