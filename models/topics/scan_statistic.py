"""The scan: which groups of like vectors have more recent members than chance explains?

In: vectors, and which of them are recent. Out: groups, the clearest first, each with the probability that
days shuffled among the vectors give one as clear. A Ward tree over all vectors, recent and past alike,
proposes the groups; so the proposals cannot favour the recent ones, and shuffling gives the right
probability for having looked at all of them (the tree-based scan statistic of Kulldorff et al. 2003,
doi:10.1111/1541-0420.00039).
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
AT_ONCE = 512
"""Rows of the similarity matrix that are held at a time."""


@dataclass(frozen=True)
class Group:
    """Positions of a group's members, and the chance that shuffled days give one as clear."""

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


def unusual_groups(vectors: Floats, recent: Bools, smallest: int, highest_p: float) -> list[Group]:
    """Disjoint groups with more recent members than chance explains, the clearest first.

    Args:
        vectors: shape (n, width), of length one.
        recent: shape (n,).
        smallest: recent members that a group needs.
        highest_p: groups whose p-value is higher are left out.
    """
    if recent.sum() < smallest or len(vectors) < 2 * smallest:
        return []
    tree = _Tree(linkage(unit(_smoothed(vectors)), "ward"))
    rng = np.random.default_rng(0)
    highest = np.sort([_scores(tree, rng.permutation(recent), smallest).max() for _ in range(SHUFFLES)])
    scores = _scores(tree, recent, smallest)
    free, groups = np.ones(len(vectors), dtype=bool), []
    for node in np.argsort(-scores, kind="stable"):
        p_value = (1 + len(highest) - np.searchsorted(highest, scores[node])) / (1 + len(highest))
        if scores[node] <= 0 or p_value > highest_p:
            break
        members = tree.members(int(node))
        if free[members].all():
            groups.append(Group(members, float(p_value)))
            free[members] = False
    return groups


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
    ratio = xlogy(observed, observed / expected) - (observed - expected)
    fits = (observed > expected) & (observed >= smallest) & (tree.sizes <= LARGEST_SHARE * len(recent))
    scores: Floats = np.where(fits, ratio, 0.0)
    return scores
