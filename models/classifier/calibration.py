"""Calibration: what was fitted so that confidences mean what they say, and from which one a decision goes out alone.

In: `calibration.json` of a bundle. Out: a `Calibration`: weights of the joint decoding, a scaling of each head's
confidences, the routing threshold. Fitted in `training/classifier/calibrate.py`, on rows no weight was trained on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import AliasChoices, Field, field_validator
from scipy.special import expit, logit

from data.config import Config
from models.classifier.labels import HEADS

Floats = npt.NDArray[np.floating]
NEVER_ROUTE = 1.01
"""A threshold that no confidence reaches."""
PROMISES = (0.9, 0.95, 0.98)
"""Precisions whose thresholds are fitted beside the promised one, so that a region sees what another promise costs."""
SUREST = 1e-6
"""Confidences keep this distance from 0 and 1 when they are scaled: log-odds of up to ±14, never infinite."""


def log_odds(probabilities: Floats) -> Floats:
    """Log-odds, of probabilities kept away from 0 and 1."""
    odds: Floats = logit(np.clip(probabilities, SUREST, 1 - SUREST))
    return odds


class PlattScaling(NamedTuple):
    """Confidences as high as the share of right answers: sigmoid(offset + slope · log-odds) (Platt 1999)."""

    offset: float = 0.0
    slope: float = 1.0

    def scale(self, probabilities: Floats) -> Floats:
        """Each probability scaled: their order stays, those of several labels need not sum to 1."""
        if self == UNSCALED:
            return probabilities
        scaled: Floats = expit(self.offset + self.slope * log_odds(probabilities))
        return scaled


UNSCALED = PlattScaling()


@dataclass(frozen=True)
class JointWeights:
    """What each kind of evidence counts in joint decoding.

    Attributes:
        temperatures: by what each head's log-probabilities are divided (Guo et al. 2017, arXiv:1706.04599).
        pmi: by what the topic–agency PMI is multiplied.
        agency_by_topic: by what the logarithm of P(agency | all topics, place) is multiplied: a second opinion on the
            agency, pooled with its head's (logarithmic pool, Genest & Zidek 1986).
    """

    temperatures: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(HEADS, 1.0))
    pmi: float = 0.0
    agency_by_topic: float = 0.0


class Calibration(Config):
    """What `calibration.json` holds; `threshold` above 1 means that nothing is routed unseen."""

    temperatures: dict[str, float]
    pmi_weight: float = Field(default=0.0, validation_alias=AliasChoices("pmi_weight", "affinity_weight"))
    """Of the topic–agency PMI in the joint score; bundles of formats 3 and 4 call it `affinity_weight`."""
    agency_by_topic_weight: float = 0.0
    """Of what topics and the place say of the agency; earlier recipes did not ask them."""
    scaling: dict[str, PlattScaling] = {}
    threshold: float
    topic_threshold: float = NEVER_ROUTE
    """From which confidence a topic is as sure as promised; earlier recipes fitted none, and are never sure."""
    promised_precision: float
    coverage: float
    thresholds: dict[float, float] = {}
    """Threshold that each of several precisions would take (`PROMISES`); empty in earlier bundles."""

    @field_validator("temperatures")
    @classmethod
    def one_a_head(cls, value: dict[str, float]) -> dict[str, float]:
        """A temperature above 0 for every head."""
        if set(value) != set(HEADS) or min(value.values()) <= 0:
            raise ValueError(f"a temperature above 0 is needed for each of {', '.join(HEADS)}")
        return value

    @property
    def weights(self) -> JointWeights:
        """The weights of the joint decoding."""
        return JointWeights(self.temperatures, self.pmi_weight, self.agency_by_topic_weight)
