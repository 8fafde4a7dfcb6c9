"""Joint decoding: from logits of the heads to probabilities of whole (sector, topic, agency) combinations.

In: logits of each head, shape (n, labels of the head), the catalogue's possible combinations and the municipality
of each complaint. Out: joint probabilities, shape (n, combinations), and what follows from them. The three labels are
decided together, so that an impossible combination cannot come out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax, softmax

from data.catalogue.model import Catalogue
from models.classifier.calibration import UNSCALED, JointWeights, PlattScaling
from models.classifier.labels import HEADS, OTHER, Ints, LabelSpace
from models.classifier.topic_agency_pmi import TopicAgencyPmi

Floats = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Evidence:
    """What speaks for each combination in each of n rows, before it is weighed.

    Attributes:
        combinations: label indices of each combination, shape (combinations, 3), in the order of `HEADS`.
        log_probabilities: of each head's labels, shape (n, labels of the head).
        pmi: topic–agency PMI of each combination, shape (1 or n, combinations).
        possible: which combinations there are in the row's municipality, shape (n, combinations).
    """

    combinations: Ints
    log_probabilities: Mapping[str, Floats]
    pmi: Floats
    possible: Bools

    def joint(self, weights: JointWeights) -> Floats:
        """Probabilities of the combinations, shape (n, combinations).

        The score of a combination is the sum of its labels' log-probabilities, each divided by the temperature of
        its head, and of the weighted PMI; impossible ones get none.
        """
        scores = np.where(self.possible, weights.pmi * self.pmi, -np.inf)
        for labels, head in zip(self.combinations.T, HEADS, strict=True):
            scores += self.log_probabilities[head][:, labels] / weights.temperatures[head]
        joint: Floats = softmax(scores, axis=1)
        return joint


class JointDecoder:
    """The possible combinations of a label space and a catalogue, and how probable each one is.

    Args:
        labels: the labels of each head, in the order of its logits.
        catalogue: which combinations are possible, and where.
        pmi: which agency usually answers for which topic.
        weights: what each kind of evidence counts.
        scaling: of each head's confidences, as they are given out; a head that lacks is not scaled.
    """

    def __init__(
        self,
        labels: LabelSpace,
        catalogue: Catalogue,
        pmi: TopicAgencyPmi | None = None,
        weights: JointWeights | None = None,
        scaling: Mapping[str, PlattScaling] | None = None,
    ) -> None:
        self.labels, self.catalogue = labels, catalogue
        self.pmi = pmi or TopicAgencyPmi()
        self.weights = weights or JointWeights()
        self.scaling = scaling or {}
        self.combinations = labels.triples(catalogue.triples())
        self._pmi_of_combinations = self._of_combinations(self.pmi.matrix(labels))
        self._municipalities = {place.id for place in catalogue.municipalities}
        self._possible_in: dict[str, Bools] = {}
        self._has_label = {
            head: (combination_labels[:, None] == np.arange(len(labels.names[head]))).astype(np.float64)
            for head, combination_labels in zip(HEADS, self.combinations.T, strict=True)
        }
        self._deadlines = [self._deadline(sector, topic) for sector, topic, _ in self.combinations.tolist()]

    def evidence(
        self,
        logits: Mapping[str, Floats],
        municipalities: Sequence[str | None],
        own_labels: Mapping[str, Ints] | None = None,
    ) -> Evidence:
        """What speaks for each combination in each row.

        Args:
            logits: of each head, shape (n, labels of the head).
            municipalities: ids; one that the catalogue does not have is as good as None.
            own_labels: true labels of these rows, where the PMI was counted on them: each row's own count is
                taken out, so that it has no vote for itself.
        """
        pmi = self._pmi_of_combinations[None, :]
        if own_labels is not None:
            _, topics, agencies = self.combinations.T
            own = (own_labels["topic"][:, None] == topics) & (own_labels["agency"][:, None] == agencies)
            pmi = pmi + own * self._of_combinations(self.pmi.own_count(self.labels))
        possible = np.ones((len(municipalities), len(self.combinations)), dtype=bool)
        for row, municipality in enumerate(municipalities):
            if municipality in self._municipalities:
                possible[row] = self._possible(municipality)
        log_probabilities = {head: log_softmax(np.asarray(logits[head], dtype=np.float64), axis=1) for head in HEADS}
        return Evidence(self.combinations, log_probabilities, pmi, possible)

    def joint(self, logits: Mapping[str, Floats], municipalities: Sequence[str | None]) -> Floats:
        """Probabilities of the combinations, shape (n, combinations); `municipalities` are ids."""
        return self.evidence(logits, municipalities).joint(self.weights)

    def marginal(self, joint: Floats, head: str) -> Floats:
        """Probabilities of one head's labels, shape (n, labels of the head)."""
        marginal: Floats = joint @ self._has_label[head]
        return marginal

    def confidences(self, joint: Floats, head: str) -> Floats:
        """The marginals as they are given out, scaled, shape (n, labels of the head)."""
        return self.scaling.get(head, UNSCALED).scale(self.marginal(joint, head))

    def best(self, joint: Floats) -> Ints:
        """The likeliest combination of each row as label indices, shape (n, 3)."""
        chosen: Ints = self.combinations[joint.argmax(axis=1)]
        return chosen

    def deadlines(self, joint: Floats) -> list[int | None]:
        """The catalogue's deadline of each row's likeliest combination, in hours; None where no topic was learnt."""
        return [self._deadlines[combination] for combination in joint.argmax(axis=1).tolist()]

    def _of_combinations(self, matrix: Floats) -> Floats:
        """Of a matrix of topics × agencies, what each combination has; shape (combinations,)."""
        _, topics, agencies = self.combinations.T
        values: Floats = matrix[topics, agencies]
        return values

    def _possible(self, municipality: str) -> Bools:
        """Which combinations there are in a municipality; all, where the labels learnt leave none."""
        if municipality not in self._possible_in:
            here = {tuple(row) for row in self.labels.triples(self.catalogue.triples(municipality)).tolist()}
            mask = np.array([tuple(row) in here for row in self.combinations.tolist()], dtype=bool)
            self._possible_in[municipality] = mask if mask.any() else np.ones_like(mask)
        return self._possible_in[municipality]

    def _deadline(self, sector: int, topic: int) -> int | None:
        names = self.labels.names["sector"][sector], self.labels.names["topic"][topic]
        return None if OTHER in names else self.catalogue.topic(*names).deadline_hours
