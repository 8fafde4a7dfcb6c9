"""The scan: which groups of like vectors have more recent members than chance explains, and than their topics do?

In: vectors, which of them are recent, and the known topic that each was named as. Out: groups, the clearest first,
each with the probability that days shuffled among the vectors give one as clear. A Ward tree over all vectors, recent
and past alike, proposes the groups; so the proposals cannot favour the recent ones, and shuffling gives the right
probability for having looked at all of them (the tree-based scan statistic of Kulldorff et al. 2003,
doi:10.1111/1541-0420.00039). A known topic that surges is a group too: so a group counts only for what it has beyond
the *other* complaints on the topics that its members were named as (expectations adjusted for a covariate, as there).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.special import xlogy

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SHUFFLES = 199
"""So p-values are multiples of 0.005, as fine as `false_alarms` can ask for."""
NEIGHBOURS = 5
"""Each vector is replaced by the mean over so many like it: one text alone is a noisy sign of its topic."""
SHRINKAGE = 0.5
"""Half-way to a multiple of identity: a few hundred complaints do not tell a covariance of 384 directions."""
LARGEST_SHARE = 0.2
"""A group of more than this share of all vectors is no topic."""
OTHERS_PRIOR = 10.0
"""So many complaints weigh as much as the others on a group's topic: of these there may be few."""
AT_ONCE = 512
"""Rows of the similarity matrix that are held at a time."""


@dataclass(frozen=True)
class Group:
    """Positions of a group's members, and the chance that shuffled days give one as clear, beyond its topics."""

    members: Ints
    p_value: float


def topic_metric(vectors: Floats, topics: Ints) -> Floats:
    """The linear map, shape (width, width), under which topics differ most beside the scatter inside them.

    Whitening by the covariance inside topics, shrunk half-way to a multiple of identity: directions in
    which complaints on one topic differ anyway (place, length, politeness) say little about a new topic.
    """
    width = vectors.shape[1]
    _, inverse, counts = np.unique(topics, return_inverse=True, return_counts=True)
    means = np.zeros((len(counts), width))
    np.add.at(means, inverse, vectors)
    means /= counts[:, None]
    inside = vectors - means[inverse]
    covariance = inside.T @ inside / max(len(inside) - len(counts), 1)
    scale = np.trace(covariance) / width
    if not scale > 0:
        return np.eye(width)
    shrunk = (1 - SHRINKAGE) * covariance + SHRINKAGE * scale * np.eye(width)
    mapped: Floats = np.linalg.inv(np.linalg.cholesky(shrunk)).T
    return mapped


def unit(vectors: Floats) -> Floats:
    """The same directions, of length one."""
    scaled: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return scaled


def unusual_groups(
    vectors: Floats, recent: Bools, named: Ints, among: Bools, smallest: int, highest_p: float
) -> list[Group]:
    """Disjoint groups with more recent members than chance and their topics explain, the clearest first.

    Args:
        vectors: shape (n, width), of length one.
        recent: shape (n,).
        named: the known topic of each as a number from 0, shape (n,).
        among: those that groups are made of, shape (n,); the others only tell how recent their topics are.
        smallest: recent members that a group needs.
        highest_p: groups whose p-value is higher are left out.
    """
    rows = np.flatnonzero(among)
    new = recent[rows]
    if new.sum() < smallest or len(rows) < 2 * smallest:
        return []
    tree = _Tree(linkage(unit(_smoothed(vectors[rows])), "ward"))
    rng = np.random.default_rng(0)
    highest = np.sort([_scores(tree, rng.permutation(new), smallest).max() for _ in range(SHUFFLES)])
    scores = _scores(tree, new, smallest)
    free, groups = np.ones(len(vectors), dtype=bool), []
    for node in np.argsort(-scores, kind="stable"):
        if scores[node] <= 0 or _p_value(scores[node], highest) > highest_p:
            break
        members = rows[tree.members(int(node))]
        if free[members].all():
            beyond = min(float(scores[node]), _beyond_topics(members, recent, named))
            groups.append(Group(members, _p_value(beyond, highest)))
            free[members] = False
    return sorted((group for group in groups if group.p_value <= highest_p), key=lambda group: group.p_value)


def _p_value(score: float, highest: Floats) -> float:
    """The chance of so high a score, from the highest ones of shuffled days, which are sorted."""
    return float(1 + len(highest) - np.searchsorted(highest, score)) / (1 + len(highest))


def _beyond_topics(members: Ints, recent: Bools, named: Ints) -> float:
    """The score of a group where each member is expected to be as recent as the others named as its topic."""
    outside = np.ones(len(recent), dtype=bool)
    outside[members] = False
    others = np.bincount(named[outside], minlength=named.max() + 1)
    recent_others = np.bincount(named[outside & recent], minlength=named.max() + 1)
    shares = (recent_others + OTHERS_PRIOR * recent.mean()) / (others + OTHERS_PRIOR)
    return float(_log_likelihood_ratio(recent[members].sum(), shares[named[members]].sum()))


class _Tree:
    """A linkage whose inner nodes are intervals of one order of the leaves, so that sums are differences.

    Attributes:
        sizes: leaves below each inner node.
    """

    def __init__(self, merges: Floats) -> None:
        self._order: Ints = leaves_list(merges).astype(np.int64)
        self.sizes: Ints = merges[:, 3].astype(np.int64)
        starts = np.empty(2 * len(merges) + 1, dtype=np.int64)
        starts[self._order] = np.arange(len(self._order))
        for node, (left, right) in enumerate(merges[:, :2].astype(np.int64).tolist(), start=len(self._order)):
            starts[node] = min(starts[left], starts[right])
        self._starts = starts[len(self._order) :]

    def sums(self, values: Floats) -> Floats:
        """The sum of the leaves' values below each inner node."""
        until = np.concatenate([[0.0], np.cumsum(values[self._order])])
        sums: Floats = until[self._starts + self.sizes] - until[self._starts]
        return sums

    def members(self, node: int) -> Ints:
        """The leaves below an inner node, in the order of the vectors."""
        return np.sort(self._order[self._starts[node] : self._starts[node] + self.sizes[node]])


def _smoothed(vectors: Floats) -> Floats:
    """Each vector's mean with its nearest neighbours, block by block: the full matrix of a region is large."""
    out, near = np.empty_like(vectors), min(NEIGHBOURS, len(vectors))
    for start in range(0, len(vectors), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        nearest = np.argpartition(-(vectors[rows] @ vectors.T), near - 1, axis=1)[:, :near]
        out[rows] = vectors[np.sort(nearest, axis=1)].mean(axis=1)
    return out


def _scores(tree: _Tree, recent: Bools, smallest: int) -> Floats:
    """Of each inner node, the Poisson log-likelihood ratio of its recent members against those expected.

    Zero where there are fewer than expected or than `smallest`, or too many members for one topic.
    """
    observed, expected = tree.sums(recent.astype(np.float64)), tree.sizes * recent.mean()
    fits = (observed >= smallest) & (tree.sizes <= LARGEST_SHARE * len(recent))
    scores: Floats = np.where(fits, _log_likelihood_ratio(observed, expected), 0.0)
    return scores


def _log_likelihood_ratio(observed: Floats, expected: Floats) -> Floats:
    """Poisson's, of so many against those expected; zero where there are no more than that."""
    ratio = xlogy(observed, observed / expected) - (observed - expected)
    more: Floats = np.where(observed > expected, ratio, 0.0)
    return more
