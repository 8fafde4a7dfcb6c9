"""The linear heads on the encoder's features, and the n-grams beside them.

In: `Rows`: texts, the encoder's mean-pooled features, label indices. Out: `LinearHeads`, and logits of the
same rows by heads fitted without them. Two ways of fitting, whose errors differ: *stacked*, where the
features learn what out-of-fold n-grams leave unexplained, and *side by side* under one penalty. Both
are linear, so their mixture is one map and costs nothing more when serving; held-out rows choose each
head's penalty and mixture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from models.classifier.heads import LinearHeads
from models.classifier.labels import HEADS, Ints
from models.classifier.ngrams import NgramModel
from training.classifier.evidence import least_cross_entropy
from training.classifier.fit_ngrams import fit_maps
from training.classifier.regression import fit_regression, row_weights
from training.long_step import Tell, quiet, within

Floats = npt.NDArray[np.floating]
Bools = npt.NDArray[np.bool_]
PENALTIES = (80.0, 160.0, 320.0, 640.0)
"""Of the stacked fit, in units of standardised features; what may be chosen. Kursk's folds did best around 320, at
40 they lost 2 points (docs/experiments.md)."""
PENALTY = 320.0
"""Where no row is held out to choose by."""
SHARES = (0.0, 0.25, 0.5)
"""Of the fit side by side in the mixture: the stacked one is the better on rare labels and keeps at least half."""
SHARES_OF_FEW = (*SHARES, 0.75, 1.0)
"""Where a label has a handful of rows: n-grams that were fitted without a fold know too few of its labels to stack on
(docs/experiments.md, "A region that begins")."""
FEW_ROWS = 5
"""Of a label, in the mean of a head's labels: below, `SHARES_OF_FEW` may be chosen."""
FEATURE_SHARE = 2.0
"""Squared length of a text's features beside its n-grams' in the fit side by side: those have 1 for words and 1 for
letters, so that both halves begin with the same say."""
LEAST_DEVIATION = 1e-6
"""Of a feature that is the same in all rows."""


@dataclass(frozen=True)
class Rows:
    """Training rows.

    Attributes:
        texts: as the models read them.
        features: the encoder's mean-pooled vectors, shape (n, hidden).
        targets: label indices of each head, shape (n,); -100 where the row has no label.
        label_counts: labels of each head.
        weight: what each row counts, shape (n,).
        folds: which rows are held out together, shape (n,).
        held_out: the folds that are, in turn.
        weighting: of labels by their rows: none, sqrt or balanced.
        asked: the texts as they are read when held out; None: as they teach.
        asked_features: the encoder's vectors of these.
        judged: which rows choose where they are held out, shape (n,); None: all.
    """

    texts: Sequence[str]
    features: Floats
    targets: Mapping[str, Ints]
    label_counts: Mapping[str, int]
    weight: Floats
    folds: npt.NDArray[np.int64]
    held_out: Sequence[int]
    weighting: str
    asked: Sequence[str] | None = None
    asked_features: Floats | None = None
    judged: Bools | None = None

    def part(self, kept: Bools) -> "Rows":
        """Some of the rows."""
        return replace(
            self,
            texts=[text for text, keep in zip(self.texts, kept, strict=True) if keep],
            features=self.features[kept],
            targets={head: target[kept] for head, target in self.targets.items()},
            weight=self.weight[kept],
            folds=self.folds[kept],
            judged=None if self.judged is None else self.judged[kept],
        )

    @property
    def choosing(self) -> Bools:
        """Rows that are held out and judged, shape (n,)."""
        held_out: Bools = np.isin(self.folds, self.held_out)
        return held_out if self.judged is None else held_out & self.judged

    def held_out_as_asked(self, fold: int) -> tuple[Bools, list[str], Floats]:
        """Which rows are of a fold, shape (n,), and their texts and vectors as they are read when held out."""
        held_out = self.folds == fold
        texts = self.texts if self.asked is None else self.asked
        features = self.features if self.asked_features is None else self.asked_features
        return held_out, [texts[row] for row in np.flatnonzero(held_out).tolist()], features[held_out]

    def row_weights(self, head: str) -> Floats:
        """What each row counts for one head: its own weight and that of its label."""
        balanced: Floats = self.weight * row_weights(self.targets[head], self.label_counts[head], self.weighting)
        return balanced


@dataclass(frozen=True)
class Choice:
    """What held-out rows chose for each head, and the logits of these rows under it, shape (n, labels)."""

    penalties: Mapping[str, float]
    shares: Mapping[str, float]
    held_out: Mapping[str, Floats]


def fit_stacked(rows: Rows, priors: Mapping[str, Floats], penalties: Mapping[str, float]) -> LinearHeads:
    """Heads that learn on top of `priors`, log-probabilities of each row by n-grams fitted without it."""
    mean, deviation = moments(rows.features)
    standard = (rows.features - mean) / deviation
    weights, bias = {}, {}
    for head in HEADS:
        weights[head], bias[head] = fit_regression(
            standard,
            rows.targets[head],
            rows.label_counts[head],
            penalties[head],
            row_weights=rows.row_weights(head),
            offset=priors[head],
        )
    return LinearHeads(weights, bias, mean, deviation)


def fit_side_by_side(
    rows: Rows, tell: Tell = quiet, feature_share: float = FEATURE_SHARE
) -> tuple[NgramModel, LinearHeads]:
    """N-grams and heads that learn together; `feature_share` is the squared length of a text's features."""
    mean, deviation = moments(rows.features)
    scale = np.sqrt(feature_share / rows.features.shape[1])
    maps = fit_maps(
        rows.texts,
        rows.targets,
        rows.label_counts,
        features=(rows.features - mean) / deviation * scale,
        row_weights={head: rows.row_weights(head) for head in HEADS},
        tell=tell,
    )
    weights = {head: maps.dense[head] * scale for head in HEADS}
    bias = {head: np.zeros(rows.label_counts[head]) for head in HEADS}  # the n-grams have one already
    return maps.ngrams, LinearHeads(weights, bias, mean, deviation)


def fit_mixture(
    rows: Rows, ngrams: NgramModel, priors: Mapping[str, Floats], choice: Choice, tell: Tell = quiet
) -> tuple[NgramModel, LinearHeads]:
    """Both fits, mixed as chosen; `ngrams` were fitted alone on the same texts, `priors` are theirs out of fold."""
    stacked = fit_stacked(rows, priors, choice.penalties)
    ngrams_beside, heads_beside = fit_side_by_side(rows, tell)

    def mix(of_stacked: Mapping[str, Floats], of_beside: Mapping[str, Floats]) -> dict[str, Floats]:
        shares = choice.shares
        return {head: (1 - shares[head]) * of_stacked[head] + shares[head] * of_beside[head] for head in HEADS}

    mixed_ngrams = NgramModel(
        ngrams_beside.space, mix(ngrams.weights, ngrams_beside.weights), mix(ngrams.bias, ngrams_beside.bias)
    )
    weights, bias = mix(stacked.weights, heads_beside.weights), mix(stacked.bias, heads_beside.bias)
    return mixed_ngrams, LinearHeads(weights, bias, stacked.mean, stacked.deviation)


def choose(
    rows: Rows,
    priors: Mapping[str, Floats],
    mixtures: bool,
    tell: Tell = quiet,
    asked_priors: Mapping[str, Floats] | None = None,
) -> Choice:
    """Penalties and, with `mixtures`, shares that give held-out rows the highest weighted likelihood.

    `asked_priors` are those of the rows as they are read when held out; None: as `priors`.
    """
    asked = asked_priors or priors
    stacked = {penalty: _stacked_out_of_fold(rows, priors, asked, penalty, tell) for penalty in PENALTIES}
    beside = _side_by_side_out_of_fold(rows, tell) if mixtures else priors  # at share 0 they have no say
    chosen_penalties, chosen_shares, held_out = {}, {}, {}
    for head in HEADS:
        least = np.inf
        for penalty in PENALTIES:
            for share in _shares(rows, head) if mixtures else (0.0,):
                logits = (1 - share) * stacked[penalty][head] + share * beside[head]
                loss = _loss(logits, rows, head)
                if loss < least:
                    least = loss
                    chosen_penalties[head], chosen_shares[head], held_out[head] = penalty, share, logits
    return Choice(chosen_penalties, chosen_shares, held_out)


def _shares(rows: Rows, head: str) -> Sequence[float]:
    """What may be chosen for a head, by how many rows its labels have in the mean."""
    few = np.count_nonzero(rows.targets[head] >= 0) < FEW_ROWS * rows.label_counts[head]
    return SHARES_OF_FEW if few else SHARES


def _stacked_out_of_fold(
    rows: Rows, priors: Mapping[str, Floats], asked_priors: Mapping[str, Floats], penalty: float, tell: Tell
) -> dict[str, Floats]:
    """Log-probabilities of each row by stacked heads fitted without its fold."""
    out = {head: np.zeros_like(prior) for head, prior in priors.items()}
    for fold in rows.held_out:
        tell(f"stacked, penalty {penalty:g}, fold {fold + 1}")
        held_out, _, features = rows.held_out_as_asked(fold)
        priors_of_rest = {head: prior[~held_out] for head, prior in priors.items()}
        heads = fit_stacked(rows.part(~held_out), priors_of_rest, dict.fromkeys(HEADS, penalty))
        for head, logits in heads.logits(features).items():
            out[head][held_out] = log_softmax(logits + asked_priors[head][held_out], axis=1)
    return out


def _side_by_side_out_of_fold(rows: Rows, tell: Tell) -> dict[str, Floats]:
    """Log-probabilities of each row by n-grams and heads that were fitted together without its fold."""
    of_ngrams, of_heads = side_by_side_out_of_fold(rows, tell)
    return {head: log_softmax(of_ngrams[head] + of_heads[head], axis=1) for head in HEADS}


def side_by_side_out_of_fold(rows: Rows, tell: Tell) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Scores of held-out rows by n-grams, and by heads, that were fitted together without their fold.

    Shape (n, labels); zeros for rows that are never held out.
    """
    of_ngrams, of_heads = (
        {head: np.zeros((len(rows.texts), count), dtype=np.float32) for head, count in rows.label_counts.items()}
        for _ in range(2)
    )
    for fold in rows.held_out:
        held_out, texts, features = rows.held_out_as_asked(fold)
        ngrams, heads = fit_side_by_side(rows.part(~held_out), within(tell, f"side by side, fold {fold + 1}"))
        by_ngrams, by_heads = ngrams.logits(texts), heads.logits(features)
        for head in HEADS:
            of_ngrams[head][held_out], of_heads[head][held_out] = by_ngrams[head], by_heads[head]
    return of_ngrams, of_heads


def _loss(logits: Floats, rows: Rows, head: str) -> float:
    """Cross-entropy of the held-out rows whose label is known, at the temperature that suits it best."""
    chosen = rows.choosing
    return least_cross_entropy(logits[chosen], rows.targets[head][chosen], rows.row_weights(head)[chosen])


def moments(features: Floats) -> tuple[Floats, Floats]:
    """Mean and deviation of each feature."""
    return features.mean(axis=0), features.std(axis=0) + LEAST_DEVIATION
