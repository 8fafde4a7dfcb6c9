"""Joint probabilities of (sector, topic, agency) combinations, from what speaks for each.

In: log-probabilities of each head, the catalogue's combinations, and the PMI of topics and agencies in each row's
municipality. Out: a `Joint`. Under a drafted catalogue, which lists what was seen, unlisted pairs of a topic and an
agency are possible too. The PMI gives all of them the sum of a topic's and an agency's part, so that their
probabilities are an outer product: nothing larger than the listed combinations is ever computed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from models.classifier.calibration import JointWeights
from models.classifier.labels import HEADS, Ints
from models.classifier.topic_agency_pmi import Pmi

Floats = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]
LEAST_PROBABILITY = 1e-6
"""Of an agency that no likely topic goes to: dear, and its own head can still outvote it."""


@dataclass(frozen=True)
class Combinations:
    """What can come out.

    Attributes:
        listed: label indices of combinations that have a score of their own, shape (combinations, 3), in the order of
            `HEADS`; the catalogue's.
        label_counts: how many labels each head has.
        drafted: whether a listed topic may go to any agency, listed for it or not.
    """

    listed: Ints
    label_counts: Mapping[str, int]
    drafted: bool = False

    def with_pairs(self, pairs: Ints) -> "Combinations":
        """These and, of each listed topic, its pairs with agencies, given as label indices, shape (pairs, 2)."""
        agencies: dict[int, list[int]] = {}
        for topic, agency in pairs.tolist():
            agencies.setdefault(topic, []).append(agency)
        rows = [(*of, agency) for of in self.topics.tolist() for agency in agencies.get(of[1], [])]
        more = np.array(rows, dtype=np.int64).reshape(-1, len(HEADS))
        return replace(self, listed=np.unique(np.concatenate([self.listed, more]), axis=0))

    @cached_property
    def topics(self) -> Ints:
        """The listed topics as label indices of sector and topic, shape (listed topics, 2)."""
        return self._topics[0]

    @cached_property
    def topic_of(self) -> Ints:
        """Which of `topics` each combination has, shape (combinations,)."""
        return self._topics[1]

    @cached_property
    def _topics(self) -> tuple[Ints, Ints]:
        topics, topic_of = np.unique(self.listed[:, :2], axis=0, return_inverse=True)
        return topics, topic_of.ravel()

    @cached_property
    def has_label(self) -> dict[str, Any]:
        """Of each head: which combination has which label, sparse, shape (combinations, labels of the head)."""
        return {head: _indicator(self.listed[:, n], self.label_counts[head]) for n, head in enumerate(HEADS)}

    @cached_property
    def has_topic(self) -> Any:
        """Which combination has which listed topic, sparse, shape (combinations, listed topics)."""
        return _indicator(self.topic_of, len(self.topics))

    @cached_property
    def topic_has_label(self) -> dict[str, Any]:
        """Of sector and topic: which listed topic has which label, sparse, shape (listed topics, labels)."""
        return {head: _indicator(self.topics[:, n], self.label_counts[head]) for n, head in enumerate(HEADS[:2])}


def _indicator(labels: Ints, count: int) -> Any:
    rows = len(labels)
    return csr_array((np.ones(rows), labels, np.arange(rows + 1)), shape=(rows, count))


@dataclass(frozen=True)
class Joint:
    """Probabilities of the combinations in each of n rows.

    Attributes:
        combinations: what there is.
        excess: of each listed combination, what it has beyond the product of the other two, shape (n, combinations).
        topics, agencies: of each listed topic and of each agency, shapes (n, listed topics) and (n, labels of the
            agency). Their product is what an unlisted combination has; zeros where there is none.
    """

    combinations: Combinations
    excess: Floats
    topics: Floats
    agencies: Floats

    def listed(self) -> Floats:
        """Probabilities of the listed combinations, shape (n, combinations)."""
        listed = self.combinations.listed
        product = self.topics[:, self.combinations.topic_of] * self.agencies[:, listed[:, 2]]
        probabilities: Floats = self.excess + product
        return probabilities

    def marginal(self, head: str) -> Floats:
        """Probabilities of one head's labels, shape (n, labels of the head)."""
        marginal: Floats = self.excess @ self.combinations.has_label[head]
        if not self.combinations.drafted:
            return marginal
        if head == "agency":
            marginal += self.topics.sum(axis=1, keepdims=True) * self.agencies
        else:
            of_topics = self.topics * self.agencies.sum(axis=1, keepdims=True)
            marginal += of_topics @ self.combinations.topic_has_label[head]
        return marginal

    def best(self) -> Ints:
        """The answer to each row as label indices, shape (n, 3).

        Of an official catalogue's combinations the likeliest. Under a drafted one, where every agency is possible, the
        likeliest topic and the likeliest agency, each by itself: the likeliest pair is of many more, and a topic that
        goes to one agency alone would win over topics that share theirs (docs/experiments.md).
        """
        if not self.combinations.drafted:
            best: Ints = self.combinations.listed[self.excess.argmax(axis=1)]
            return best
        of_topics = self.excess @ self.combinations.has_topic
        of_topics += self.topics * self.agencies.sum(axis=1, keepdims=True)
        chosen: Ints = np.column_stack(
            [self.combinations.topics[of_topics.argmax(axis=1)], self.marginal("agency").argmax(axis=1)]
        )
        return chosen


@dataclass(frozen=True)
class Evidence:
    """What speaks for each combination in each of n rows, before it is weighed.

    Attributes:
        combinations: what there is.
        log_probabilities: of each head's labels, shape (n, labels of the head).
        places: the PMI in each of k municipalities: arrays of shape (k, combinations), (k, labels of the topic) and
            (k, labels of the agency).
        possible: which listed combinations there are in each of them, shape (k, combinations).
        place_of: in which of them each row is, shape (n,).
        agency_shares: of all counted rows, as logarithms, shape (labels of the agency,).
    """

    combinations: Combinations
    log_probabilities: Mapping[str, Floats]
    places: Pmi
    possible: Bools
    place_of: Ints
    agency_shares: Floats

    def joint(self, weights: JointWeights) -> Joint:
        """Probabilities of the combinations.

        The score of a combination is the sum of its labels' log-probabilities, each divided by the temperature of
        its head, of the weighted PMI, and of what all topics together say of its agency; impossible ones get none.
        """
        scores = {head: self.log_probabilities[head] / weights.temperatures[head] for head in HEADS}
        sectors, topics = self.combinations.topics.T
        of_topics, of_agencies = scores["sector"][:, sectors] + scores["topic"][:, topics], scores["agency"]
        if weights.agency_by_topic:
            of_agencies = of_agencies + weights.agency_by_topic * self._agencies_by_topic(of_topics)
        return self._scored(of_topics, of_agencies, weights.pmi)

    def _agencies_by_topic(self, of_topics: Floats) -> Floats:
        """Log Σ P(topic) · P(agency | topic, place), what an agency is given without its own head, (n, agencies)."""
        agencies = np.broadcast_to(self.agency_shares, (len(of_topics), len(self.agency_shares)))
        marginal = self._scored(of_topics, agencies, 1.0).marginal("agency")
        by_topic: Floats = np.log(np.maximum(marginal, LEAST_PROBABILITY))
        return by_topic

    def _scored(self, of_topics: Floats, of_agencies: Floats, pmi_weight: float) -> Joint:
        """Probabilities from the scores of listed topics and of agencies, (n, listed topics) and (n, agencies)."""
        if self.combinations.drafted:
            topics = self.combinations.topics[:, 1]
            of_topics = of_topics + (pmi_weight * self.places.topics[:, topics])[self.place_of]
            of_agencies = of_agencies + (pmi_weight * self.places.agencies)[self.place_of]
        listed = of_topics[:, self.combinations.topic_of]
        listed += of_agencies[:, self.combinations.listed[:, 2]]
        listed += self._weighed(pmi_weight)[self.place_of]
        return self._normalised(listed, of_topics, of_agencies)

    def _weighed(self, weight: float) -> Floats:
        """What is added to the scores of listed combinations in each place, shape (k, combinations)."""
        if not self.combinations.drafted:
            return np.where(self.possible, weight * self.places.pairs, -np.inf)
        _, topics, agencies = self.combinations.listed.T
        beyond = self.places.pairs - self.places.topics[:, topics] - self.places.agencies[:, agencies]
        with np.errstate(divide="ignore"):  # a listed pair that was not counted has nothing beyond an unlisted one
            excess: Floats = np.log(np.expm1(weight * np.maximum(beyond, 0.0)))
        return excess

    def _normalised(self, listed: Floats, of_topics: Floats, of_agencies: Floats) -> Joint:
        """Scores as probabilities that sum to one in each row."""
        highest = listed.max(axis=1, keepdims=True)
        if not self.combinations.drafted:
            np.exp(listed - highest, out=listed)
            listed /= listed.sum(axis=1, keepdims=True)
            return Joint(self.combinations, listed, np.zeros_like(of_topics), np.zeros_like(of_agencies))
        best_topic, best_agency = (part.max(axis=1, keepdims=True) for part in (of_topics, of_agencies))
        highest = np.maximum(highest, best_topic + best_agency)
        np.exp(listed - highest, out=listed)
        topics = np.exp(of_topics - best_topic)
        agencies = np.exp(of_agencies - best_agency + (best_topic + best_agency - highest))
        total = listed.sum(axis=1, keepdims=True)
        total += topics.sum(axis=1, keepdims=True) * agencies.sum(axis=1, keepdims=True)
        listed /= total
        agencies /= total
        return Joint(self.combinations, listed, topics, agencies)
