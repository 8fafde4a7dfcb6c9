"""Calibration of a classifier: weights of the joint decoding, scaled confidences, and the routing threshold.

In: labelled rows, each beside what was fitted and counted without it. Out: a `Calibration`. The temperatures and the
weights of what topics and places say of agencies are fitted on the marginals of the joint decoding; then an offset and
a slope a head set right what sector and topic, which speak of the same thing, say too loudly together; the threshold is
the lowest at which the agency is right as often as promised, by an exact binomial bound.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.classifier.bundle import ClassifierBundle
from models.classifier.calibration import (
    NEVER_ROUTE,
    PROMISES,
    UNSCALED,
    Calibration,
    JointWeights,
    PlattScaling,
    log_odds,
)
from models.classifier.classifier import Classifier
from models.classifier.decoding import Floats, JointDecoder
from models.classifier.joint import Evidence
from models.classifier.labels import HEADS, Ints
from models.classifier.routing import unroutable
from training.classifier.held_out_rows import UnseenRows
from training.long_step import LongStep, Tell, quiet

Bools = npt.NDArray[np.bool_]
LOG_TEMPERATURES = (-3.0, 4.0)
"""Temperatures between 0.05 and 55: beyond them a head decides alone or says nothing, which no data asked for."""
POOL_WEIGHTS = (0.0, 2.0)
"""Of the PMI and of what topics and place say of the agency: a whole factor P(agency | topic) / P(agency) is 1; more
than its square would only repeat the commonest agency."""
FIRST_TEMPERATURE, FIRST_PMI_WEIGHT = 2.0, 0.5
"""Where the search begins: sums of three heads are over-confident, and fitted weights of the PMI lie around 0.5."""
STEP = 0.3
"""How far the second search looks around: a third of a weight, or a temperature a third higher."""
SEARCH = {"xatol": 0.01, "fatol": 1e-4, "maxiter": 400}
"""A hundredth of a temperature's logarithm changes no decision; five numbers settle in some 300 steps."""
CELLS = 4_000_000
"""Rows times combinations that are held at once, 32 MB an array, and that the weights are fitted on: 2,000 rows where
there are 2,000 combinations. Each of some 300 steps reads them all, and more rows would move five numbers little."""
LEAST_WEIGHING_ROWS = 500
"""That many fit the weights, however many combinations there are."""
LEAST_PROBABILITY = 1e-12
"""Of a true label, so that one impossible row is dear and not infinitely so."""
ASSURANCE = 0.8
"""How surely the promise is kept. At 0.5 it is a coin's toss; at 0.95 nothing is routed below some 400 rows
(docs/experiments.md, "The routing threshold"). As sure as the 80 % intervals of the forecasts."""
SCALING_C = 1e3
"""Next to no penalty: two numbers are fitted to hundreds of rows."""


def calibrate(
    classifier: Classifier,
    unseen: Sequence[UnseenRows],
    promised: float,
    say: Tell = quiet,
    weights: JointWeights | None = None,
) -> Calibration:
    """Fit a classifier's calibration on labelled rows.

    Args:
        classifier: its labels, catalogue and vocabulary are used.
        unseen: the rows, each beside what was fitted and counted without it.
        promised: the precision that is promised of what is routed.
        say: told how far it is.
        weights: of the joint decoding, where they are fitted already.
    """
    bundle = classifier.bundle
    parts = [DecodedRows.of(bundle, rows) for rows in unseen]
    if weights is None:
        weights = _drawn_weights(parts, say)
    best, probability = _decoded(parts, weights)
    frame = pd.concat([rows.frame for rows in unseen])
    targets = bundle.labels.targets(frame)
    routable = _routable(bundle, frame["text"].tolist(), best)  # the others get to an operator and have no say
    scaling, thresholds = {}, {}
    for head, chosen in zip(HEADS, best.T, strict=True):
        labelled = targets[head] >= 0
        right, said = chosen[labelled] == targets[head][labelled], probability[head][labelled]
        scaling[head] = fit_scaling(said, right)
        confidence, judged = scaling[head].scale(said), routable[labelled]
        thresholds[head] = {
            precision: fit_threshold(confidence[judged], right[judged], precision)
            for precision in {promised, *PROMISES}
        }
    routing = thresholds["agency"]
    return Calibration(
        temperatures=dict(weights.temperatures),
        pmi_weight=weights.pmi,
        agency_by_topic_weight=weights.agency_by_topic,
        scaling=scaling,
        threshold=routing[promised].value,
        topic_threshold=thresholds["topic"][promised].value,
        promised_precision=promised,
        coverage=routing[promised].coverage * float(routable.mean()),
        thresholds={precision: routing[precision].value for precision in PROMISES},
    )


@dataclass(frozen=True)
class DecodedRows:
    """Rows of one fold, and the decoder that knows no more of them than the fit whose logits they have.

    Attributes:
        decoder: by the PMI counted without the rows.
        logits: of each head, shape (n, labels of the head).
        municipalities: ids of the catalogue, None where unknown.
        targets: true label indices of each head, shape (n,); negative where there is none.
    """

    decoder: JointDecoder
    logits: Mapping[str, Floats]
    municipalities: Sequence[str | None]
    targets: Mapping[str, Ints]

    @classmethod
    def of(cls, bundle: ClassifierBundle, rows: UnseenRows) -> "DecodedRows":
        """Rows held out, under the labels and the catalogue of a bundle."""
        return cls(
            JointDecoder(bundle.labels, bundle.catalogue, rows.pmi),
            rows.logits,
            bundle.catalogue.municipality_ids(rows.frame["municipality"]),
            bundle.labels.targets(rows.frame),
        )

    def __len__(self) -> int:
        """How many rows."""
        return len(self.municipalities)

    def part(self, rows: Ints) -> "DecodedRows":
        """The rows at these positions."""
        return replace(
            self,
            logits={head: values[rows] for head, values in self.logits.items()},
            municipalities=[self.municipalities[row] for row in rows.tolist()],
            targets={head: labels[rows] for head, labels in self.targets.items()},
        )

    def evidence(self) -> Evidence:
        """What speaks for each combination."""
        return self.decoder.evidence(self.logits, self.municipalities)

    @property
    def at_once(self) -> int:
        """How many rows are held in memory with all their combinations."""
        return max(LEAST_WEIGHING_ROWS, CELLS // len(self.decoder.combinations.listed))


def _drawn_weights(parts: Sequence[DecodedRows], say: Tell) -> JointWeights:
    """The weights, fitted on all rows, or on as many as are enough."""
    share = min(1.0, parts[0].at_once / sum(len(part) for part in parts))
    rng = np.random.default_rng(0)
    drawn = [part.part(np.sort(rng.permutation(len(part))[: int(np.ceil(share * len(part)))])) for part in parts]
    with LongStep("calibrating", say) as tell:
        return fit_weights(drawn, tell)


def _decoded(parts: Sequence[DecodedRows], weights: JointWeights) -> tuple[Ints, dict[str, Floats]]:
    """The likeliest combination of each row, shape (n, 3), and the probability of its label for each head."""
    best: list[Ints] = []
    probability: dict[str, list[Floats]] = {head: [] for head in HEADS}
    for part in parts:
        for start in range(0, len(part), part.at_once):
            rows = np.arange(start, min(start + part.at_once, len(part)))
            joint = part.part(rows).evidence().joint(weights)
            best.append(joint.best())
            for head, chosen in zip(HEADS, best[-1].T, strict=True):
                probability[head].append(joint.marginal(head)[np.arange(len(rows)), chosen])
    return np.concatenate(best), {head: np.concatenate(parts) for head, parts in probability.items()}


def _routable(bundle: ClassifierBundle, texts: list[str], best: Ints) -> Bools:
    """Which rows would go out alone if they were sure enough; `best`: label indices, shape (n, 3)."""
    unknown = bundle.out_of_vocabulary.unlike_training(texts).tolist()
    is_rare = [np.array([name in bundle.labels.rare[head] for name in bundle.labels.names[head]]) for head in HEADS]
    rare = np.column_stack([of_head[labels] for of_head, labels in zip(is_rare, best.T, strict=True)])
    is_rare_row: list[bool] = np.any(rare, axis=1).tolist()
    return np.array([not unroutable(*row) for row in zip(is_rare_row, texts, unknown, strict=True)], dtype=bool)


def fit_weights(parts: Sequence[DecodedRows], tell: Tell = quiet) -> JointWeights:
    """The temperatures and weights that minimise the negative log-likelihood, all heads together."""
    from scipy.optimize import minimize

    evidences = [(part.evidence(), part.targets) for part in parts]
    labelled = {head: max(1, sum(int((part.targets[head] >= 0).sum()) for part in parts)) for head in HEADS}

    def weights_of(point: npt.NDArray[np.float64]) -> JointWeights:
        temperatures = np.exp(np.clip(point[: len(HEADS)], *LOG_TEMPERATURES)).tolist()
        pmi, *by_topic = np.clip(point[len(HEADS) :], *POOL_WEIGHTS).tolist()
        return JointWeights(dict(zip(HEADS, temperatures, strict=True)), pmi, *by_topic)

    def loss(point: npt.NDArray[np.float64]) -> float:
        weights = weights_of(point)
        tell(f"temperatures {', '.join(f'{value:.2f}' for value in weights.temperatures.values())}")
        total = 0.0
        for evidence, targets in evidences:
            joint = evidence.joint(weights)
            for head in HEADS:
                known = np.flatnonzero(targets[head] >= 0)
                probability = joint.marginal(head)[known, targets[head][known]]
                total -= float(np.log(np.maximum(probability, LEAST_PROBABILITY)).sum()) / labelled[head]
        return total

    start = [np.log(FIRST_TEMPERATURE)] * len(HEADS) + [FIRST_PMI_WEIGHT]
    without = minimize(loss, start, method="Nelder-Mead", options=SEARCH).x
    # The agency's second opinion comes last, from the best there is without it: five numbers from afar end anywhere.
    best = np.append(without, 0.0)
    simplex = np.vstack([best, best + np.diag(np.full(len(best), STEP))])
    return weights_of(minimize(loss, best, method="Nelder-Mead", options=SEARCH | {"initial_simplex": simplex}).x)


def fit_scaling(confidence: Floats, correct: Bools) -> PlattScaling:
    """The scaling that makes confidences as high as the share of right answers.

    Where all answers are right, all wrong, or the slope would turn the order round: no change.
    """
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(correct)) < 2:
        return UNSCALED
    regression = LogisticRegression(C=SCALING_C).fit(log_odds(confidence)[:, None], correct)
    scaling = PlattScaling(float(regression.intercept_[0]), float(regression.coef_[0, 0]))
    return scaling if scaling.slope > 0 else UNSCALED


@dataclass(frozen=True)
class RoutingThreshold:
    """From which confidence a decision goes out alone, and the share of the rows that pass it."""

    value: float
    coverage: float


def fit_threshold(confidence: Floats, correct: Bools, precision: float) -> RoutingThreshold:
    """The lowest threshold that keeps the promise; `NEVER_ROUTE` where none does.

    It keeps it where the precision above it is at least the promise by the lower end of Clopper and Pearson's
    interval (1934) at `ASSURANCE`, so that a handful of lucky rows promises nothing.
    """
    from scipy.special import betaincinv

    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    routed = np.arange(1, len(order) + 1)
    hits = np.cumsum(correct[order])
    # Without a hit the bound is 0, which the inverse of the beta distribution is not defined for.
    lower = np.where(hits > 0, betaincinv(np.maximum(hits, 1), routed - hits + 1, 1 - ASSURANCE), 0.0)
    last_of_equals = np.append(falling[1:] < falling[:-1], True)[: len(order)]
    keeping = np.flatnonzero((lower >= precision) & last_of_equals)
    if len(keeping) == 0:
        return RoutingThreshold(NEVER_ROUTE, 0.0)
    lowest = int(keeping[-1])
    return RoutingThreshold(float(falling[lowest]), (lowest + 1) / len(order))
