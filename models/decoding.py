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

from data.catalogue import Catalogue
from models.affinity import Affinity
from models.labels import HEADS, OTHER, Ints, LabelSpace

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
    temperature of its head, and of the weighted affinity of its topic and agency; combinations
    impossible in the complaint's place get none. A place that the catalogue does not have is as
    good as no place. `scaling` holds an offset and a slope a head, for the confidences given out.
    """

    labels: LabelSpace
    catalogue: Catalogue
    temperatures: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(HEADS, 1.0))
    affinity: Affinity = field(default_factory=Affinity)
    affinity_weight: float = 0.0
    scaling: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._triples = self.labels.triples(self.catalogue.triples())
        _, topics, agencies = self._triples.T
        self._affinities = self.affinity.matrix(self.labels)[topics, agencies]
        self._places = {place.id for place in self.catalogue.municipalities}
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

        `counted` are the labels of rows that the affinity was counted on: each row's own count is taken out.
        """
        affinities = np.tile(self._affinities, (len(places), 1))
        if counted is not None:
            own = (self._triples[:, 1] == counted["topic"][:, None]) & (
                self._triples[:, 2] == counted["agency"][:, None]
            )
            affinities += own * self.affinity.own_count(self.labels)[self._triples[:, 1], self._triples[:, 2]]
        scores = self.affinity_weight * affinities
        for column, head in enumerate(HEADS):
            log_p = log_softmax(np.asarray(logits[head], dtype=np.float64))
            scores += log_p[:, self._triples[:, column]] / self.temperatures[head]
        for row, place in enumerate(places):
            if place in self._places and (allowed := self._allowed_in(place)).any():
                scores[row, ~allowed] = -np.inf
        return np.exp(log_softmax(scores))

    def marginal(self, joint: Floats, head: str) -> Floats:
        """Probabilities of one head's labels, shape (n, labels of the head)."""
        column = self._triples[:, HEADS.index(head)]
        belongs = np.zeros((len(column), len(self.labels.names[head])))
        belongs[np.arange(len(column)), column] = 1.0
        marginal: Floats = joint @ belongs
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


def has_cyrillic(text: str) -> bool:
    """Whether the text holds at least one Cyrillic letter, beside the marks of masking such as [ТЕЛЕФОН]."""
    return any("Ѐ" <= letter <= "ӿ" for letter in re.sub(r"\[[А-ЯЁ]+\]", "", text))


def decide(
    decoder: JointDecoder,
    logits: Mapping[str, Floats],
    texts: Sequence[str],
    places: Sequence[str | None],
    threshold: float,
    unlike: Sequence[bool] | None = None,
) -> list[Classification]:
    """Decode a batch and decide `route` or `review` for each item, with the reasons for review.

    `unlike` says which texts are unlike all that was trained on.
    """
    joint = decoder.joint(logits, places)
    best = decoder.best(joint)
    marginals = {head: decoder.confidences(joint, head) for head in HEADS}
    results = []
    for row, text in enumerate(texts):
        chosen = {
            head: Proposal(
                decoder.labels.names[head][best[row, column]], float(marginals[head][row, best[row, column]])
            )
            for column, head in enumerate(HEADS)
        }
        reasons: list[Reason] = []
        if chosen["agency"].confidence < threshold:
            reasons.append("low_confidence")
        if any(proposal.label == OTHER for proposal in chosen.values()):
            reasons.append("rare_label")
        if not has_cyrillic(text):
            reasons.append("no_cyrillic")
        if unlike is not None and unlike[row]:
            reasons.append("unlike_training")
        results.append(
            Classification(
                decision="review" if reasons else "route",
                reasons=reasons,
                sector=chosen["sector"],
                topic=chosen["topic"],
                agency=chosen["agency"],
                alternatives={head: _top(marginals[head][row], decoder.labels.names[head]) for head in HEADS},
                deadline_hours=_deadline(decoder.catalogue, chosen["sector"].label, chosen["topic"].label),
            )
        )
    return results


def _top(probabilities: Floats, names: Sequence[str]) -> list[Proposal]:
    order = np.argsort(-probabilities, kind="stable")[:TOP]
    return [Proposal(names[i], float(probabilities[i])) for i in order]


def _deadline(catalogue: Catalogue, sector: str, topic: str) -> int | None:
    if OTHER in (sector, topic):
        return None
    return catalogue.topic(sector, topic).deadline_hours
