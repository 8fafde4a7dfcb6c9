"""The linear heads on the encoder's features, and the n-grams beside them.

In: `Rows`: texts, the encoder's mean-pooled features, label indices. Out: `Heads`, and logits of the
same rows by heads fitted without them. Two ways of fitting, whose errors differ: *stacked*, where the
features learn what out-of-fold n-grams leave unexplained, and *side by side* under one penalty. Both
are linear, so their mixture is one map and costs nothing more when serving; held-out rows choose each
head's penalty and mixture. Fine-tuning starts from the stacked ones (LP-FT; Kumar et al. 2022,
arXiv:2202.10054): random heads would first pull the encoder's features apart, and with dozens of rare
labels they never quite recover.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from rich.progress import track
from scipy.special import log_softmax

from models.classifier.labels import HEADS, Ints
from models.classifier.ngrams import NgramModel
from models.encoder.architecture import ComplaintNetwork
from training.classifier.fit_ngrams import fit_maps
from training.classifier.regression import fit_regression, row_weights

Floats = npt.NDArray[np.floating]
PENALTIES = (80.0, 160.0, 320.0, 640.0)
"""Of the stacked fit, in units of standardised features; what may be chosen."""
PENALTY = 320.0
"""Where no row is held out to choose by."""
SHARES = (0.0, 0.25, 0.5)
"""Of the fit side by side in the mixture."""
TEMPERATURES = (0.5, 0.6, 0.7, 0.85, 1.0, 1.2, 1.5)
"""Calibration comes later, so nothing is chosen for how sure it is of itself."""
FEATURE_SHARE = 2.0
"""Squared length of a text's features beside its n-grams' in the fit side by side."""


@dataclass(frozen=True)
class Rows:
    """Training rows: `weight` is what each counts, `folds` which rows are held out together."""

    texts: Sequence[str]
    features: Floats
    targets: Mapping[str, Ints]
    label_counts: Mapping[str, int]
    weight: Floats
    folds: npt.NDArray[np.int64]
    weighting: str
    seed: int

    def part(self, kept: npt.NDArray[np.bool_]) -> "Rows":
        """Some of the rows."""
        texts = [text for text, keep in zip(self.texts, kept, strict=True) if keep]
        targets = {head: target[kept] for head, target in self.targets.items()}
        weight, folds = self.weight[kept], self.folds[kept]
        return Rows(texts, self.features[kept], targets, self.label_counts, weight, folds, self.weighting, self.seed)

    def row_weights(self, head: str) -> Floats:
        """What each row counts for one head."""
        balanced: Floats = self.weight * row_weights(self.targets[head], self.label_counts[head], self.weighting)
        return balanced


@dataclass(frozen=True)
class Heads:
    """Weights (hidden, labels) and bias of each head on features standardised by `mean` and `deviation`."""

    weights: Mapping[str, Floats]
    bias: Mapping[str, Floats]
    mean: Floats
    deviation: Floats

    def logits(self, features: Floats) -> dict[str, Floats]:
        """Logits of each head, shape (n, labels of the head)."""
        standard = (features - self.mean) / self.deviation
        return {head: standard @ self.weights[head] + self.bias[head] for head in HEADS}

    def install(self, network: ComplaintNetwork) -> None:
        """Set the network's heads."""
        network.feature_mean.copy_(torch.from_numpy(self.mean))
        network.feature_deviation.copy_(torch.from_numpy(self.deviation))
        for head in HEADS:
            linear = network.heads[head]
            with torch.no_grad():
                linear.weight.copy_(torch.from_numpy(self.weights[head].T))  # type: ignore[operator]
                linear.bias.copy_(torch.from_numpy(self.bias[head]))  # type: ignore[operator]


@dataclass(frozen=True)
class Choice:
    """What held-out rows chose for each head, and the logits of these rows under it, shape (n, labels)."""

    penalties: Mapping[str, float]
    shares: Mapping[str, float]
    held_out: Mapping[str, Floats]


def fit_stacked(rows: Rows, priors: Mapping[str, Floats], penalties: Mapping[str, float]) -> Heads:
    """Heads that learn on top of `priors`, log-probabilities of each row by n-grams fitted without it."""
    mean, deviation = _moments(rows.features)
    standard, weights, bias = (rows.features - mean) / deviation, {}, {}
    for head in HEADS:
        fitting = rows.targets[head], rows.label_counts[head], penalties[head], rows.row_weights(head), priors[head]
        weights[head], bias[head] = fit_regression(standard, *fitting)
    return Heads(weights, bias, mean, deviation)


def fit_side_by_side(rows: Rows) -> tuple[NgramModel, Heads]:
    """N-grams and heads that learn together."""
    mean, deviation = _moments(rows.features)
    scale = np.sqrt(FEATURE_SHARE / rows.features.shape[1])
    standard = (rows.features - mean) / deviation * scale
    weighing = {head: rows.row_weights(head) for head in HEADS}
    maps = fit_maps(rows.texts, rows.targets, rows.label_counts, rows.seed, standard, weighing)
    dense = {head: maps.dense[head] * scale for head in HEADS}
    return maps.ngrams, Heads(dense, {h: np.zeros(rows.label_counts[h]) for h in HEADS}, mean, deviation)


def fit_mixture(
    rows: Rows, ngrams: NgramModel, priors: Mapping[str, Floats], choice: Choice
) -> tuple[NgramModel, Heads]:
    """Both fits, mixed as chosen; `ngrams` were fitted alone on the same texts, `priors` are theirs out of fold."""
    stacked = fit_stacked(rows, priors, choice.penalties)
    beside, heads = fit_side_by_side(rows)

    def mix(first: Mapping[str, Floats], second: Mapping[str, Floats]) -> dict[str, Floats]:
        return {h: (1 - choice.shares[h]) * first[h] + choice.shares[h] * second[h] for h in HEADS}

    mixed = NgramModel(beside.space, mix(ngrams.weights, beside.weights), mix(ngrams.bias, beside.bias))
    weights, bias = mix(stacked.weights, heads.weights), mix(stacked.bias, heads.bias)
    return mixed, Heads(weights, bias, stacked.mean, stacked.deviation)


def choose(rows: Rows, priors: Mapping[str, Floats], mixtures: bool) -> Choice:
    """Penalties and, with `mixtures`, shares that give held-out rows the highest weighted likelihood."""
    stacked = {penalty: {h: np.zeros_like(p) for h, p in priors.items()} for penalty in PENALTIES}
    beside = {head: np.zeros_like(prior) for head, prior in priors.items()}
    for fold in track(np.unique(rows.folds), description="fitting the heads fold by fold", transient=True):
        rest = rows.folds == fold
        train, features = rows.part(~rest), rows.features[rest]
        known = {head: prior[~rest] for head, prior in priors.items()}
        for penalty in PENALTIES:
            logits = fit_stacked(train, known, dict.fromkeys(HEADS, penalty)).logits(features)
            for head in HEADS:
                stacked[penalty][head][rest] = log_softmax(logits[head] + priors[head][rest], axis=-1)
        if mixtures:
            ngrams, heads = fit_side_by_side(train)
            said = ngrams.logits([text for text, held in zip(rows.texts, rest, strict=True) if held])
            for head, logit in heads.logits(features).items():
                beside[head][rest] = log_softmax(logit + said[head], axis=-1)
    found = {}
    for head in HEADS:
        tried = [(penalty, share) for penalty in PENALTIES for share in (SHARES if mixtures else SHARES[:1])]
        mixed = {t: (1 - t[1]) * stacked[t[0]][head] + t[1] * beside[head] for t in tried}
        best = min(tried, key=lambda t: _loss(mixed[t], rows, head))
        found[head] = best, mixed[best]
    return Choice(
        {head: best[0] for head, (best, _) in found.items()},
        {head: best[1] for head, (best, _) in found.items()},
        {head: logits for head, (_, logits) in found.items()},
    )


def _loss(logits: Floats, rows: Rows, head: str) -> float:
    """Weighted negative log-likelihood of the rows whose label is known, at the temperature that suits it best."""
    known = np.flatnonzero(rows.targets[head] >= 0)
    weight, truth = rows.row_weights(head)[known], rows.targets[head][known]

    def at(temperature: float) -> float:
        chances = log_softmax(logits[known] / temperature, axis=-1)[np.arange(len(known)), truth]
        return -float((chances * weight).sum())

    return min(at(temperature) for temperature in TEMPERATURES)


def _moments(features: Floats) -> tuple[Floats, Floats]:
    return features.mean(axis=0), features.std(axis=0) + 1e-6
