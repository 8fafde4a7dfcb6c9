"""Topic–agency PMI: who usually answers for what and where, learned from labelled complaints.

In: how often each agency answered for each topic, in all and in each municipality. Out: pointwise mutual information,
log P(agency | topic, municipality) / P(agency), which joint decoding adds to a combination's score. The catalogue says
what is possible; this says what is usual. Where a topic was rare in a municipality, the estimate leans on the topic in
all municipalities, narrowed down to the agencies that answer here (additive smoothing, a level at a time; cf. MacKay &
Bauman Peto 1995, «A hierarchical Dirichlet language model»).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.config import Config
from models.classifier.labels import Ints, LabelSpace

Floats = npt.NDArray[np.floating]
AgencyRows = dict[str, int]
"""Agency → rows."""
PRIOR_ROWS = 5.0
"""Each topic is thought to have had so many complaints more, shared out as over all topics; so is each municipality,
as over all municipalities."""
LOCAL_PRIOR_ROWS = 10.0
"""Each topic is thought to have had so many complaints more in each municipality, shared out as its level above says.
Chosen on Petersburg, weeks before those that are judged (docs/experiments.md); 5 and 20 differ by little."""


class TopicAgencyPmi(Config):
    """Counts of training rows, stored as JSON.

    Attributes:
        rows: topic → agency → rows, whatever their municipality.
        municipalities: id → topic → agency → rows, of the rows whose municipality the catalogue knows. Bundles
            written before it was counted have none.
    """

    rows: dict[str, AgencyRows] = {}
    municipalities: dict[str, dict[str, AgencyRows]] = {}

    def pairs(self, labels: LabelSpace) -> Ints:
        """Topics and agencies that were counted together, as label indices, shape (pairs, 2)."""
        keys = np.array(list(_rows_of_pairs(self.rows, labels)), dtype=np.int64)
        return np.column_stack(np.divmod(keys, labels.counts["agency"]))


def count_topic_agency(
    labels: LabelSpace, targets: Mapping[str, Ints], municipalities: Sequence[str | None] | None = None
) -> TopicAgencyPmi:
    """Count the rows whose topic and agency are both known; `municipalities` are ids, None where unknown."""
    rows: dict[str, AgencyRows] = {}
    local: dict[str, dict[str, AgencyRows]] = {}
    topics, agencies = targets["topic"].tolist(), targets["agency"].tolist()
    for topic, agency, place in zip(topics, agencies, municipalities or [None] * len(topics), strict=True):
        if topic < 0 or agency < 0:
            continue
        named, name = labels.names["topic"][topic], labels.names["agency"][agency]
        for counted in (rows, *([local.setdefault(place, {})] if place is not None else [])):
            of_topic = counted.setdefault(named, {})
            of_topic[name] = of_topic.get(name, 0) + 1
    return TopicAgencyPmi(rows=rows, municipalities=local)


def _rows_of_pairs(rows: Mapping[str, AgencyRows], labels: LabelSpace) -> dict[int, int]:
    """Rows by pair, as topic · agencies + agency, of the names that the labels hold."""
    topics, agencies = ({name: n for n, name in enumerate(labels.names[head])} for head in ("topic", "agency"))
    return {
        topics[topic] * len(agencies) + agencies[agency]: count
        for topic, of_topic in rows.items()
        if topic in topics
        for agency, count in of_topic.items()
        if agency in agencies
    }


@dataclass(frozen=True)
class Pmi:
    """Information of topics and agencies in one municipality, or in all.

    Attributes:
        pairs: of each pair of a topic and an agency that was asked for, shape (pairs,).
        topics, agencies: of pairs that were counted nowhere, the sum of the topic's and the agency's part, shapes
            (topics,) and (agencies,): such a pair is the less probable, the better its topic is known.
    """

    pairs: Floats
    topics: Floats
    agencies: Floats


@dataclass(frozen=True)
class _Counts:
    """Rows of each counted pair, topic and agency."""

    pairs: Floats
    topics: Floats
    agencies: Floats


class PmiTable:
    """Counts laid out for a label space, and the information that follows from them.

    Args:
        counted: the counts; names that the labels do not hold are left out.
        labels: the labels of each head.
        pairs: topics and agencies whose information will be asked for, shape (pairs, 2); each once.

    Attributes:
        agency_shares: P(agency), shape (labels of the agency,).
    """

    def __init__(self, counted: TopicAgencyPmi, labels: LabelSpace, pairs: Ints) -> None:
        self._shape = labels.counts["topic"], labels.counts["agency"]
        asked = pairs[:, 0] * self._shape[1] + pairs[:, 1]
        in_all = _rows_of_pairs(counted.rows, labels)
        # Pairs that the catalogue calls impossible were counted too: a topic's rows are shared out among all.
        self._keys = np.union1d(asked, np.array(list(in_all), dtype=np.int64))
        self._topics, self._agencies = np.divmod(self._keys, self._shape[1])
        self._asked = np.searchsorted(self._keys, asked)
        self._in_all = self._counts(in_all)
        self.agency_shares = self._shares(self._in_all)
        self._local = {
            place: self._counts(_rows_of_pairs(rows, labels)) for place, rows in counted.municipalities.items()
        }

    def of(self, municipality: str | None) -> Pmi:
        """Information in a municipality; in all, where it is None or was not counted."""
        return self._smoothed(self._in_all, None if municipality is None else self._local.get(municipality))

    def _smoothed(self, in_all: _Counts, local: _Counts | None) -> Pmi:
        """Ratios of P(agency | topic) or P(agency | topic, municipality) to P(agency), as logarithms."""
        share = self._shares(in_all)
        expected = share[self._agencies]
        unseen = PRIOR_ROWS / (in_all.topics + PRIOR_ROWS)
        of_topic = in_all.pairs / (in_all.topics + PRIOR_ROWS)[self._topics]
        ratio = of_topic / expected + unseen[self._topics]
        if local is None:
            return Pmi(np.log(ratio)[self._asked], np.log(unseen), np.zeros(self._shape[1]))
        # P(agency | topic) · P(agency | municipality) / P(agency), divided by its sum over the agencies.
        here = (local.agencies + PRIOR_ROWS * share) / (local.agencies.sum() + PRIOR_ROWS) / share
        total = np.bincount(self._topics, of_topic * here[self._agencies], self._shape[0]) + unseen
        level_above = LOCAL_PRIOR_ROWS / (local.topics + LOCAL_PRIOR_ROWS)
        of_topic_here = local.pairs / (local.topics + LOCAL_PRIOR_ROWS)[self._topics]
        ratio = of_topic_here / expected + (level_above / total)[self._topics] * ratio * here[self._agencies]
        return Pmi(np.log(ratio)[self._asked], np.log(level_above / total * unseen), np.log(here))

    def _shares(self, counts: _Counts) -> Floats:
        shares: Floats = (counts.agencies + 0.5) / (counts.agencies.sum() + 0.5 * self._shape[1])
        return shares

    def _counts(self, keyed: Mapping[int, int]) -> _Counts:
        pairs: Floats = np.zeros(len(self._keys))
        pairs[np.searchsorted(self._keys, np.array(list(keyed), dtype=np.int64))] = list(keyed.values())
        topics = np.bincount(self._topics, pairs, self._shape[0]).astype(np.float64)
        agencies = np.bincount(self._agencies, pairs, self._shape[1]).astype(np.float64)
        return _Counts(pairs, topics, agencies)
