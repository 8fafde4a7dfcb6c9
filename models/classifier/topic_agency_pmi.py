"""Topic–agency PMI: who usually answers for what, learned from labelled complaints.

In: how often each agency answered for each topic. Out: pointwise mutual information, shape
(topics, agencies), which joint decoding adds to a combination's score. The catalogue says what is
possible; this says what is usual.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from data.config import Config
from models.classifier.labels import Ints, LabelSpace

Floats = npt.NDArray[np.floating]
PRIOR_ROWS = 5.0
"""Each topic is thought to have had so many complaints more, shared out as over all topics."""


class TopicAgencyPmi(Config):
    """Counts of training rows: topic → agency → rows; stored as JSON."""

    rows: dict[str, dict[str, int]] = {}

    def matrix(self, labels: LabelSpace) -> Floats:
        """Log P(agency | topic) / P(agency), smoothed, shape (topics, agencies); zeros where nothing was counted."""
        counts, overall = self._counts(labels)
        given = (counts + PRIOR_ROWS * overall) / (counts.sum(axis=1, keepdims=True) + PRIOR_ROWS)
        information: Floats = np.log(given / overall)
        return information

    def own_count(self, labels: LabelSpace) -> Floats:
        """What one row of a topic and agency less would change in their information, shape (topics, agencies)."""
        counts, overall = self._counts(labels)
        less = np.maximum(counts - 1, 0)
        difference: Floats = np.log((less + PRIOR_ROWS * overall) / (counts + PRIOR_ROWS * overall))
        return difference

    def _counts(self, labels: LabelSpace) -> tuple[Floats, Floats]:
        """Rows of each topic and agency, and each agency's share of all."""
        topics, agencies = labels.names["topic"], labels.names["agency"]
        counts = np.array([[self.rows.get(topic, {}).get(agency, 0) for agency in agencies] for topic in topics], float)
        return counts, (counts.sum(axis=0) + 0.5) / (counts.sum() + 0.5 * len(agencies))


def count_topic_agency(labels: LabelSpace, targets: Mapping[str, Ints]) -> TopicAgencyPmi:
    """Count the rows whose topic and agency are both known."""
    rows: dict[str, dict[str, int]] = {}
    for topic, agency in zip(targets["topic"].tolist(), targets["agency"].tolist(), strict=True):
        if topic >= 0 and agency >= 0:
            agencies = rows.setdefault(labels.names["topic"][topic], {})
            name = labels.names["agency"][agency]
            agencies[name] = agencies.get(name, 0) + 1
    return TopicAgencyPmi(rows=rows)
