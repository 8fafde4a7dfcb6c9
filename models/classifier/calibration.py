"""Calibration: temperatures and the routing threshold, fitted on rows no weight was trained on.

In: logits and true labels of held-out rows. Out: `Calibration`. One temperature a head (Guo et
al. 2017, arXiv:1706.04599) and the weight of the topic–agency PMI are fitted on the marginals of the joint
decoding; then an offset and a slope a head (Platt 1999) set right what sector and topic, which
speak of the same thing, say too loudly together; the threshold is the lowest at which the agency is
right as often as promised.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from pydantic import AliasChoices, Field, field_validator

from data.config import Config
from models.classifier.decoding import Floats, JointDecoder, log_odds
from models.classifier.labels import HEADS, Ints

NEVER_ROUTE = 1.01


class Calibration(Config):
    """What `calibration.json` holds; `threshold` above 1 means that nothing is routed unseen."""

    temperatures: dict[str, float]
    pmi_weight: float = Field(default=0.0, validation_alias=AliasChoices("pmi_weight", "affinity_weight"))
    """Of the topic–agency PMI in the joint score; bundles of formats 3 and 4 call it `affinity_weight`."""
    scaling: dict[str, tuple[float, float]] = {}
    threshold: float
    promised_precision: float
    coverage: float

    @field_validator("temperatures")
    @classmethod
    def one_a_head(cls, value: dict[str, float]) -> dict[str, float]:
        """A temperature above 0 for every head."""
        if set(value) != set(HEADS) or min(value.values()) <= 0:
            raise ValueError(f"a temperature above 0 is needed for each of {', '.join(HEADS)}")
        return value


def fit_decoder(
    decoder: JointDecoder,
    logits: Mapping[str, Floats],
    targets: Mapping[str, Ints],
    places: Sequence[str | None],
    counted: bool = False,
) -> None:
    """Set the temperatures and the weight of the PMI that minimise the negative log-likelihood, all heads together.

    `counted` says that the PMI was counted on these very rows.
    """
    from scipy.optimize import minimize

    def apply(values: npt.NDArray[np.float64]) -> None:
        decoder.temperatures = dict(zip(HEADS, np.exp(np.clip(values[:3], -3, 4)).tolist(), strict=True))
        decoder.pmi_weight = float(np.clip(values[3], 0, 2))

    def loss(values: npt.NDArray[np.float64]) -> float:
        apply(values)
        joint = decoder.joint(logits, places, targets if counted else None)
        total = 0.0
        for head in HEADS:
            known = targets[head] >= 0
            if known.any():
                p = decoder.marginal(joint[known], head)[np.arange(known.sum()), targets[head][known]]
                total -= float(np.log(np.maximum(p, 1e-12)).mean())
        return total

    start = np.array([np.log(2.0)] * len(HEADS) + [0.5])
    found = minimize(loss, start, method="Nelder-Mead", options={"xatol": 0.01, "fatol": 1e-4, "maxiter": 400})
    apply(found.x)


def fit_scaling(confidence: Floats, correct: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Offset and slope of the log-odds that make confidences as high as the share of right answers.

    Where all answers are right, all wrong, or the slope would turn the order round: (0, 1), no change.
    """
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(correct)) < 2:
        return 0.0, 1.0
    found = LogisticRegression(C=1e3).fit(log_odds(confidence)[:, None], correct)
    offset, slope = float(found.intercept_[0]), float(found.coef_[0, 0])
    return (offset, slope) if slope > 0 else (0.0, 1.0)


def fit_threshold(confidence: Floats, correct: npt.NDArray[np.bool_], precision: float) -> tuple[float, float]:
    """The lowest threshold that keeps the promise, and the coverage it gives.

    Precision above the threshold is estimated as (hits + 1) / (rows + 2), Laplace's rule, so that
    a handful of lucky rows promises nothing. Returns `NEVER_ROUTE` and 0 where no threshold does.
    """
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    lowest_of_equals = np.append(falling[1:] < falling[:-1], True)[: len(order)]
    rows = np.arange(1, len(order) + 1)
    estimated = (np.cumsum(correct[order]) + 1) / (rows + 2)
    kept = np.flatnonzero((estimated >= precision) & lowest_of_equals)
    if len(kept) == 0:
        return NEVER_ROUTE, 0.0
    last = int(kept[-1])
    return float(falling[last]), (last + 1) / len(order)


def expected_calibration_error(confidence: Floats, correct: npt.NDArray[np.bool_], bins: int = 15) -> float:
    """Mean |confidence − accuracy| over equal-mass bins, weighted by their rows."""
    order = np.argsort(confidence, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    gaps = [abs(float(confidence[part].mean()) - float(correct[part].mean())) * len(part) for part in parts]
    return sum(gaps) / max(len(order), 1)
