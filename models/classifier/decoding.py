"""Joint decoding and the routing decision: from logits of the heads to `route` or `review`.

In: logits of each head, shape (n, labels of the head), the catalogue's possible combinations and
the place of each complaint. Out: one `Classification` an item. Sector, topic and agency are
decoded together, so that an impossible combination cannot come out; below the threshold on the
agency's confidence a person decides.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from data.catalogue.model import Catalogue
from models.classifier.labels import HEADS, OTHER, Ints, LabelSpace
from models.classifier.topic_agency_pmi import TopicAgencyPmi

Floats = npt.NDArray[np.floating]
Reason = Literal["low_confidence", "rare_label", "no_cyrillic", "unlike_training", "several_problems"]
TOP = 3
SUREST = 1e-6
"""Confidences keep this distance from 0 and 1 when they are scaled."""


@dataclass(frozen=True)
class Proposal:
    """One label of one head with its calibrated probability."""

    label: str
    confidence: float


@dataclass(frozen=True)
class Classification:
    """What the classifier says of one complaint; `features` is what its heads read, shape (hidden,)."""

    decision: Literal["route", "review"]
    reasons: list[Reason]
    sector: Proposal
    topic: Proposal
    agency: Proposal
    alternatives: dict[str, list[Proposal]]
    deadline_hours: int | None
    truncated: bool = False
    features: Floats | None = field(default=None, compare=False, repr=False)


def log_softmax(logits: Floats) -> Floats:
    """Log-probabilities along the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    normalised: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return normalised


def log_odds(probabilities: Floats) -> Floats:
    """Log-odds, of probabilities kept away from 0 and 1."""
    chances = np.clip(probabilities, SUREST, 1 - SUREST)
    odds: Floats = np.log(chances / (1 - chances))
    return odds


def scaled(probabilities: Floats, offset: float, slope: float) -> Floats:
    """Each probability's sigmoid(offset + slope · log-odds)."""
    answer: Floats = 1 / (1 + np.exp(-offset - slope * log_odds(probabilities)))
    return answer


@dataclass
class JointDecoder:
    """Joint probabilities over the possible (sector, topic, agency) combinations.

    The score of a combination is the sum of its labels' log-probabilities, each divided by the
    temperature of its head, and of the weighted PMI of its topic and agency; combinations
    impossible in the complaint's place get none. A place that the catalogue does not have is as
    good as no place. `scaling` holds an offset and a slope a head, for the confidences given out.
    """

    labels: LabelSpace
    catalogue: Catalogue
    temperatures: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(HEADS, 1.0))
    pmi: TopicAgencyPmi = field(default_factory=TopicAgencyPmi)
    pmi_weight: float = 0.0
    scaling: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._triples = self.labels.triples(self.catalogue.triples())
        _, topics, agencies = self._triples.T
        self._information = self.pmi.matrix(self.labels)[topics, agencies]
        self._places = {place.id for place in self.catalogue.municipalities}
        self._belongs = {}
        for column, head in enumerate(HEADS):
            belongs = np.zeros((len(self._triples), len(self.labels.names[head])))
            belongs[np.arange(len(belongs)), self._triples[:, column]] = 1.0
            self._belongs[head] = belongs
        self._deadlines = [self._deadline(*triple) for triple in self._triples.tolist()]
        self._allowed: dict[str, npt.NDArray[np.bool_]] = {}

    def _allowed_in(self, municipality: str) -> npt.NDArray[np.bool_]:
        mask = self._allowed.get(municipality)
        if mask is None:
            here = {tuple(row) for row in self.labels.triples(self.catalogue.triples(municipality))}
            mask = np.array([tuple(row) in here for row in self._triples], dtype=bool)
            self._allowed[municipality] = mask
        return mask

    def joint(
        self, logits: Mapping[str, Floats], places: Sequence[str | None], counted: Mapping[str, Ints] | None = None
    ) -> Floats:
        """Probabilities of the combinations, shape (n, combinations); `places` are municipality ids.

        `counted` are the labels of rows that the PMI was counted on: each row's own count is taken out.
        """
        information = np.tile(self._information, (len(places), 1))
        if counted is not None:
            own = (self._triples[:, 1] == counted["topic"][:, None]) & (
                self._triples[:, 2] == counted["agency"][:, None]
            )
            information += own * self.pmi.own_count(self.labels)[self._triples[:, 1], self._triples[:, 2]]
        scores = self.pmi_weight * information
        for column, head in enumerate(HEADS):
            log_p = log_softmax(np.asarray(logits[head], dtype=np.float64))
            scores += log_p[:, self._triples[:, column]] / self.temperatures[head]
        for row, place in enumerate(places):
            if place in self._places and (allowed := self._allowed_in(place)).any():
                scores[row, ~allowed] = -np.inf
        return np.exp(log_softmax(scores))

    def marginal(self, joint: Floats, head: str) -> Floats:
        """Probabilities of one head's labels, shape (n, labels of the head)."""
        marginal: Floats = joint @ self._belongs[head]
        return marginal

    def confidences(self, joint: Floats, head: str) -> Floats:
        """The marginals as they are given out, shape (n, labels of the head): scaled as Platt did (1999).

        Each is sigmoid(offset + slope · log-odds): their order stays, their sum need not be 1.
        """
        offset, slope = self.scaling.get(head, (0.0, 1.0))
        marginal = self.marginal(joint, head)
        if (offset, slope) == (0.0, 1.0):
            return marginal
        return scaled(marginal, offset, slope)

    def best(self, joint: Floats) -> Ints:
        """The likeliest combination of each row as label indices, shape (n, 3)."""
        chosen: Ints = self._triples[joint.argmax(axis=1)]
        return chosen

    def deadlines(self, joint: Floats) -> list[int | None]:
        """The catalogue's deadline of each row's likeliest combination, in hours; None where no topic was learnt."""
        return [self._deadlines[row] for row in joint.argmax(axis=1).tolist()]

    def _deadline(self, sector: int, topic: int, _: int) -> int | None:
        names = self.labels.names["sector"][sector], self.labels.names["topic"][topic]
        return None if OTHER in names else self.catalogue.topic(*names).deadline_hours


def has_cyrillic(text: str) -> bool:
    """Whether the text holds at least one Cyrillic letter, beside the marks of masking such as [ТЕЛЕФОН]."""
    return _CYRILLIC.search(_MARK.sub("", text) if "[" in text else text) is not None


_CYRILLIC, _MARK = re.compile("[Ѐ-ӿ]"), re.compile(r"\[[А-ЯЁ]+\]")


def decide(
    decoder: JointDecoder,
    logits: Mapping[str, Floats],
    texts: Sequence[str],
    places: Sequence[str | None],
    threshold: float,
    unlike: Sequence[bool] | None = None,
    truncated: Sequence[bool] | None = None,
    features: Floats | None = None,
) -> list[Classification]:
    """Decode a batch and decide `route` or `review` for each item, with the reasons for review.

    `unlike` says which texts are unlike all that was trained on; `truncated` and `features` are handed through.
    """
    joint = decoder.joint(logits, places)
    best = decoder.best(joint)
    chosen, tops = {}, {}
    for column, head in enumerate(HEADS):
        confidences = decoder.confidences(joint, head)
        sure = np.take_along_axis(confidences, best[:, column, None], axis=1)[:, 0]
        chosen[head] = _proposals(best[:, column], sure, decoder.labels.names[head])
        tops[head] = _tops(confidences, decoder.labels.names[head])
    deadlines = decoder.deadlines(joint)
    results = []
    for row, text in enumerate(texts):
        sector, topic, agency = (chosen[head][row] for head in HEADS)
        reasons: list[Reason] = []
        if agency.confidence < threshold:
            reasons.append("low_confidence")
        if OTHER in (sector.label, topic.label, agency.label):
            reasons.append("rare_label")
        if not has_cyrillic(text):
            reasons.append("no_cyrillic")
        if unlike is not None and unlike[row]:
            reasons.append("unlike_training")
        results.append(
            Classification(
                decision="review" if reasons else "route",
                reasons=reasons,
                sector=sector,
                topic=topic,
                agency=agency,
                alternatives={head: tops[head][row] for head in HEADS},
                deadline_hours=deadlines[row],
                truncated=truncated is not None and truncated[row],
                features=None if features is None else features[row],
            )
        )
    return results


def _proposals(labels: Ints, confidences: Floats, names: Sequence[str]) -> list[Proposal]:
    return [Proposal(names[i], p) for i, p in zip(labels.tolist(), confidences.tolist(), strict=True)]


def _tops(confidences: Floats, names: Sequence[str]) -> list[list[Proposal]]:
    """The likeliest labels of each row, the first of equals first."""
    order = np.argsort(-confidences, axis=1, kind="stable")[:, :TOP]
    flat = _proposals(order.ravel(), np.take_along_axis(confidences, order, axis=1).ravel(), names)
    width = order.shape[1]
    return [flat[start : start + width] for start in range(0, len(flat), width)]
