"""Routing decision: from joint probabilities to `route` or `review`.

In: a decoder, logits of each head, texts and municipalities. Out: one `Classification` an item. Below the threshold
on the agency's confidence a person decides, and wherever something else speaks against deciding alone; the reasons
are named.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from models.classifier.calibration import NEVER_ROUTE
from models.classifier.decoding import Floats, JointDecoder
from models.classifier.joint import Joint
from models.classifier.labels import HEADS, Ints

Reason = Literal["low_confidence", "rare_label", "no_cyrillic", "unlike_training", "several_problems"]
ALTERNATIVES = 3
"""Labels given out for each head unless more are asked for: as many as are taken in at a glance."""


@dataclass(frozen=True)
class Proposal:
    """One label of one head with its calibrated probability."""

    label: str
    confidence: float


@dataclass(frozen=True)
class Classification:
    """What the classifier says of one complaint.

    `topic_sure`: whether the topic, which the deadline follows from, is right as often as is promised of the agency;
    `features` is what its heads read, shape (hidden,).
    """

    decision: Literal["route", "review"]
    reasons: list[Reason]
    sector: Proposal
    topic: Proposal
    agency: Proposal
    alternatives: dict[str, list[Proposal]]
    deadline_hours: int | None
    topic_sure: bool = False
    truncated: bool = False
    features: Floats | None = field(default=None, compare=False, repr=False)

    @property
    def topic_margin(self) -> float:
        """How much likelier the likeliest topic is than the next one, 0 to 1 (the margin of Scheffer et al. 2001)."""
        likeliest = sorted((each.confidence for each in self.alternatives["topic"]), reverse=True)
        return likeliest[0] - likeliest[1] if len(likeliest) > 1 else 1.0


_CYRILLIC, _MASK = re.compile("[Ѐ-ӿ]"), re.compile(r"\[[А-ЯЁ]+\]")


def has_cyrillic(text: str) -> bool:
    """Whether the text holds at least one Cyrillic letter, beside the marks of masking such as [ТЕЛЕФОН]."""
    return _CYRILLIC.search(_MASK.sub("", text) if "[" in text else text) is not None


def unroutable(rare: bool, text: str, out_of_vocabulary: bool) -> list[Reason]:
    """Why an operator decides whatever the confidence; `rare`: a decided label taught by too few rows."""
    reasons: list[Reason] = []
    if rare:
        reasons.append("rare_label")
    if not has_cyrillic(text):
        reasons.append("no_cyrillic")
    if out_of_vocabulary:
        reasons.append("unlike_training")
    return reasons


def decide(
    decoder: JointDecoder,
    logits: Mapping[str, Floats],
    texts: Sequence[str],
    municipalities: Sequence[str | None],
    threshold: float,
    *,
    topic_threshold: float = NEVER_ROUTE,
    out_of_vocabulary: Sequence[bool] | None = None,
    truncated: Sequence[bool] | None = None,
    features: Floats | None = None,
    alternatives: int = ALTERNATIVES,
) -> list[Classification]:
    """Decode a batch and decide `route` or `review` for each item, with the reasons for review.

    `threshold` is on the agency's confidence, `topic_threshold` says from which one a topic is sure.
    `out_of_vocabulary` says which texts are unlike all that was trained on; `truncated` and `features` are handed
    through; so many `alternatives` of each head are given out.
    """
    joint = decoder.joint(logits, municipalities)
    best = decoder.best(joint)
    deadlines = decoder.deadlines(best)
    decided, likeliest = _labels(decoder, joint, best, alternatives)
    unknown = [False] * len(texts) if out_of_vocabulary is None else out_of_vocabulary
    results = []
    for row, text in enumerate(texts):
        given = {head: decided[head][row] for head in HEADS}
        rare = {head: given[head].label in decoder.labels.rare[head] for head in HEADS}
        reasons: list[Reason] = ["low_confidence"] if given["agency"].confidence < threshold else []
        reasons += unroutable(any(rare.values()), text, unknown[row])
        results.append(
            Classification(
                decision="review" if reasons else "route",
                reasons=reasons,
                **given,
                alternatives={head: likeliest[head][row] for head in HEADS},
                deadline_hours=deadlines[row],
                topic_sure=given["topic"].confidence >= topic_threshold and not rare["topic"],
                truncated=truncated is not None and truncated[row],
                features=None if features is None else features[row],
            )
        )
    return results


def _labels(
    decoder: JointDecoder, joint: Joint, best: Ints, count: int
) -> tuple[dict[str, list[Proposal]], dict[str, list[list[Proposal]]]]:
    """Of each head the label that is decided and the `count` likeliest ones, the first of equals first."""
    decided, alternatives = {}, {}
    for column, head in enumerate(HEADS):
        confidences, names = decoder.confidences(joint, head), decoder.labels.names[head]
        decided[head] = [row[0] for row in _proposals(best[:, [column]], confidences, names)]
        likeliest = np.argsort(-confidences, axis=1, kind="stable")[:, :count]
        alternatives[head] = _proposals(likeliest, confidences, names)
    return decided, alternatives


def _proposals(labels: Ints, confidences: Floats, names: Sequence[str]) -> list[list[Proposal]]:
    """The proposals of each row for its labels, given as indices of shape (n, labels a row)."""
    taken = np.take_along_axis(confidences, labels, axis=1)
    return [
        [Proposal(names[label], confidence) for label, confidence in zip(*row, strict=True)]
        for row in zip(labels.tolist(), taken.tolist(), strict=True)
    ]
