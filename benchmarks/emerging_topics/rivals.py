"""The searches that `emerging_topics` compares: each takes a stream of complaints, gives scored groups.

In: a `Stream`. Out: groups of its recent complaints with a score, higher is clearer. A rival's threshold is set
on the tuning corpora, where nothing is new; this project's search has its own, `false_alarms`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.topics.emerging import EmergingConfig, doubted, emerging_topics, in_window
from models.topics.scan_statistic import unit

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
SMALLEST = 5


@dataclass(frozen=True)
class Stream:
    """Complaints as `emerging_topics` wants them, their vectors, and the last day."""

    complaints: pd.DataFrame
    vectors: Floats
    end: date


@dataclass(frozen=True)
class Group:
    """Positions of recent complaints in the stream, the score, and the words said of them."""

    rows: Ints
    score: float
    words: tuple[str, ...] = ()


Search = Callable[[Stream], list[Group]]


def scan(stream: Stream) -> list[Group]:
    """This project's search, as it is configured."""
    result = emerging_topics(stream.complaints, stream.vectors, stream.end, EmergingConfig())
    return [Group(np.array(topic.rows), 1 - topic.p_value, tuple(topic.words)) for topic in result.topics]


def kmeans(stream: Stream) -> list[Group]:
    """K-means (one centre for ten) on the doubtful recent complaints; a cluster's score is its cohesion."""
    from sklearn.cluster import KMeans

    rows = _recent(stream, doubtful=True)
    if len(rows) < 2 * SMALLEST:
        return []
    vectors = unit(stream.vectors[rows])
    labels = KMeans(max(len(rows) // 10, 2), random_state=0, n_init=1).fit_predict(vectors)
    return _cohesive(rows, vectors, labels)


def density(stream: Stream) -> list[Group]:
    """HDBSCAN on 20 principal components of the doubtful recent complaints; a cluster's score is its cohesion."""
    from sklearn.cluster import HDBSCAN
    from sklearn.decomposition import PCA

    rows = _recent(stream, doubtful=True)
    if len(rows) < 4 * SMALLEST:
        return []
    vectors = unit(stream.vectors[rows])
    reduced = PCA(min(20, len(rows)), random_state=0).fit_transform(vectors)
    return _cohesive(rows, vectors, HDBSCAN(min_cluster_size=SMALLEST, copy=True).fit_predict(reduced))


def lexical(stream: Stream) -> list[Group]:
    """Clusters of TF-IDF over all recent complaints; the score is the binomial tail of their share against the past."""
    from scipy.stats import binom
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.feature_extraction.text import TfidfVectorizer

    rows, recent = _recent(stream, doubtful=False), _recent(stream, doubtful=False, past=True)
    texts = stream.complaints["text"]
    space = TfidfVectorizer(sublinear_tf=True, min_df=2).fit(texts)
    new, old = (space.transform(texts.iloc[part]) for part in (rows, recent))
    distances = np.maximum(1 - (new @ new.T).toarray(), 0)
    clusters = AgglomerativeClustering(None, metric="precomputed", linkage="average", distance_threshold=0.85)
    labels, groups = clusters.fit_predict(distances), []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) >= SMALLEST:
            centre = np.asarray(new[members].mean(axis=0)).ravel()
            near = np.quantile(new[members] @ centre, 0.25)
            counts = int((new[members] @ centre >= near).sum()), int((old @ centre >= near).sum())
            tail = binom.logsf(counts[0] - 1, sum(counts), len(rows) / (len(rows) + len(recent)))
            groups.append(Group(rows[members], -float(tail)))
    return groups


def _cohesive(rows: Ints, vectors: Floats, labels: Ints) -> list[Group]:
    groups = []
    for label in np.unique(labels[labels >= 0]):
        members = np.flatnonzero(labels == label)
        if len(members) >= SMALLEST:
            centre = unit(vectors[members].sum(axis=0))
            groups.append(Group(rows[members], float((vectors[members] @ centre).mean())))
    return groups


def _recent(stream: Stream, doubtful: bool, past: bool = False) -> Ints:
    """Positions of the recent (or past) complaints in the window, all or the doubtful ones."""
    config = EmergingConfig()
    rows = in_window(stream.complaints, stream.end, config)
    frame = stream.complaints.iloc[rows]
    new = (frame["day"] > pd.Timestamp(stream.end) - pd.Timedelta(days=config.days)).to_numpy()
    in_period = new != past
    chosen: Ints = rows[in_period & doubted(frame, config.doubt)] if doubtful else rows[in_period]
    return chosen


SEARCHES: dict[str, tuple[str, Search]] = {
    "scan": ("TSUR", scan),
    "kmeans": ("confidence + k-means", kmeans),
    "density": ("confidence + HDBSCAN", density),
    "lexical": ("TF-IDF clusters, binomial test", lexical),
}
"""Name → title and search; the first is this project's."""
