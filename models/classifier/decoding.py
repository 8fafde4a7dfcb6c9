"""Joint decoding: from logits of the heads to probabilities of whole (sector, topic, agency) combinations.

In: logits of each head, shape (n, labels of the head), the catalogue's possible combinations and the municipality
of each complaint. Out: joint probabilities (`joint.py`), and what follows from them. The three labels are decided
together, so that an impossible combination cannot come out.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from data.catalogue.model import Catalogue
from models.classifier.calibration import UNSCALED, JointWeights, PlattScaling
from models.classifier.joint import Combinations, Evidence, Joint
from models.classifier.labels import HEADS, OTHER, Ints, LabelSpace
from models.classifier.topic_agency_pmi import Pmi, PmiTable, TopicAgencyPmi

Floats = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]


class JointDecoder:
    """The possible combinations of a label space and a catalogue, and how probable each one is.

    Args:
        labels: the labels of each head, in the order of its logits.
        catalogue: which combinations are possible, and where; under a drafted one, all agencies for each topic.
        pmi: which agency usually answers for which topic, and where.
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
        self.weights = weights or JointWeights()
        self.scaling = scaling or {}
        counted = pmi or TopicAgencyPmi()
        self.combinations = Combinations(labels.triples(catalogue.triples()), labels.counts, catalogue.drafted)
        if catalogue.drafted:
            self.combinations = self.combinations.with_pairs(counted.pairs(labels))
        pairs, pair_of = np.unique(self.combinations.listed[:, 1:], axis=0, return_inverse=True)
        self._pmi, self._pair_of = PmiTable(counted, labels, pairs), pair_of.ravel()
        self._municipalities = {place.id for place in catalogue.municipalities}
        self._pmi_in: dict[str | None, Pmi] = {}
        self._possible_in: dict[str | None, Bools] = {}
        self._deadlines = {topic: self._deadline(*topic) for topic in map(tuple, self.combinations.topics.tolist())}

    def evidence(self, logits: Mapping[str, Floats], municipalities: Sequence[str | None]) -> Evidence:
        """What speaks for each combination in each row.

        Args:
            logits: of each head, shape (n, labels of the head).
            municipalities: ids; one that the catalogue does not have is as good as None.
        """
        known = [place if place in self._municipalities else None for place in municipalities]
        position = {place: n for n, place in enumerate(dict.fromkeys(known))}
        pmi = [self._pmi_at(place) for place in position]
        places, size = len(position), len(self.combinations.listed)
        return Evidence(
            self.combinations,
            {head: log_softmax(np.asarray(logits[head], dtype=np.float64), axis=1) for head in HEADS},
            Pmi(
                np.array([of.pairs for of in pmi]).reshape(places, size),
                np.array([of.topics for of in pmi]).reshape(places, self.labels.counts["topic"]),
                np.array([of.agencies for of in pmi]).reshape(places, self.labels.counts["agency"]),
            ),
            np.array([self._possible(place) for place in position], dtype=bool).reshape(places, size),
            np.array([position[place] for place in known], dtype=np.int64),
            np.log(self._pmi.agency_shares),
        )

    def joint(self, logits: Mapping[str, Floats], municipalities: Sequence[str | None]) -> Joint:
        """Probabilities of the combinations; `municipalities` are ids."""
        return self.evidence(logits, municipalities).joint(self.weights)

    def marginal(self, joint: Joint, head: str) -> Floats:
        """Probabilities of one head's labels, shape (n, labels of the head)."""
        return joint.marginal(head)

    def confidences(self, joint: Joint, head: str) -> Floats:
        """The marginals as they are given out, scaled, shape (n, labels of the head)."""
        return self.scaling.get(head, UNSCALED).scale(joint.marginal(head))

    def best(self, joint: Joint) -> Ints:
        """The likeliest combination of each row as label indices, shape (n, 3)."""
        return joint.best()

    def deadlines(self, best: Ints) -> list[int | None]:
        """The catalogue's deadline of each combination, shape (n, 3), in hours; None where no topic was learnt."""
        return [self._deadlines[sector, topic] for sector, topic, _ in best.tolist()]

    def _pmi_at(self, municipality: str | None) -> Pmi:
        """The PMI of each combination in a municipality; kept for the next batch."""
        if municipality not in self._pmi_in:
            of = self._pmi.of(municipality)
            self._pmi_in[municipality] = Pmi(of.pairs[self._pair_of], of.topics, of.agencies)
        return self._pmi_in[municipality]

    def _possible(self, municipality: str | None) -> Bools:
        """Which combinations there are in a municipality; all, where the labels learnt leave none."""
        if self.catalogue.drafted:
            municipality = None  # what was seen in one place is possible in the others
        if municipality not in self._possible_in:
            here = {tuple(row) for row in self.labels.triples(self.catalogue.triples(municipality)).tolist()}
            mask = np.array([tuple(row) in here for row in self.combinations.listed.tolist()], dtype=bool)
            self._possible_in[municipality] = mask if mask.any() else np.ones_like(mask)
        return self._possible_in[municipality]

    def _deadline(self, sector: int, topic: int) -> int | None:
        names = self.labels.names["sector"][sector], self.labels.names["topic"][topic]
        return None if OTHER in names else self.catalogue.topic(*names).deadline_hours
