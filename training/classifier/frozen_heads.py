"""Heads on the encoder as it is: what a region has without fine-tuning, and what fine-tuning has to beat.

In: training rows and the encoder's vectors of them, shape (n, hidden). Out: a `Candidate`: what it says of rows held
out, and how it is fitted on all rows. Up to 4,000 rows heads stacked on n-grams are mixed with those fitted side by
side with them, as held-out rows choose; beyond, both are fitted side by side and held-out rows weigh them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.classifier.heads import LinearHeads
from models.classifier.labels import HEADS
from models.classifier.ngrams import NgramModel
from training.classifier.evidence import fit_factors
from training.classifier.fit_ngrams import MOST_TEXTS, fit_maps, scores_out_of_fold, silent
from training.classifier.heads import (
    PENALTY,
    Rows,
    choose,
    fit_mixture,
    fit_side_by_side,
    fit_stacked,
    side_by_side_out_of_fold,
)
from training.classifier.taught_rows import TaughtRows
from training.long_step import Tell, within

Floats = npt.NDArray[np.floating]
FEATURE_SHARE_OF_NAMES = 8.0
"""Squared length of a text's features where nearly all that teaches are names; four times that of other fits
(docs/experiments.md, "A region without labels")."""


@dataclass(frozen=True)
class RowVectors:
    """The encoder's vectors of the rows, shape (n, hidden).

    Attributes:
        taught: as they teach.
        asked: as they are read when held out; as they teach, where they never are.
    """

    taught: Floats
    asked: Floats


@dataclass(frozen=True)
class Candidate:
    """A way to fit a classifier.

    Attributes:
        held_out: logits of `TaughtRows.held_out_rows` by fits without them, shape (rows, labels of the head).
        fit_all: fits n-grams and heads on all rows.
    """

    held_out: Mapping[str, Floats]
    fit_all: Callable[[Tell], tuple[NgramModel, LinearHeads]]


def frozen_heads(taught: TaughtRows, vectors: RowVectors, ngrams: bool, tell: Tell) -> Candidate:
    """The candidate that leaves the encoder as it is; without `ngrams` its heads stand alone."""
    rows = Rows(
        texts=taught.texts,
        features=vectors.taught,
        targets=taught.targets,
        label_counts=taught.label_counts,
        weight=taught.weight,
        folds=taught.folds,
        held_out=taught.held_out,
        weighting=taught.weighting,
        asked=taught.asked,
        asked_features=vectors.asked,
        judged=taught.judged,
    )
    if not taught.held_out:
        nothing = {head: np.zeros((0, count)) for head, count in taught.label_counts.items()}
        return Candidate(nothing, _unchosen(rows, ngrams))
    fit = _mixed if not ngrams or len(taught.texts) <= MOST_TEXTS else _side_by_side
    logits, fit_all = fit(rows, ngrams, tell)
    return Candidate({head: logits[head][taught.held_out_rows] for head in HEADS}, fit_all)


FitAll = Callable[[Tell], tuple[NgramModel, LinearHeads]]
Fitted = tuple[Mapping[str, Floats], FitAll]


def _unchosen(rows: Rows, ngrams: bool) -> FitAll:
    """N-grams and heads fitted together, where no row is held out to choose anything by.

    Names of topics share few words with complaints: the encoder, which knows their meaning, has the louder say.
    """

    def fit_all(tell: Tell) -> tuple[NgramModel, LinearHeads]:
        if ngrams:
            return fit_side_by_side(rows, tell, FEATURE_SHARE_OF_NAMES)
        model = fit_maps(rows.texts, rows.targets, rows.label_counts, tell=within(tell, "n-grams")).ngrams
        return silent(model), fit_stacked(rows, _no_priors(rows), dict.fromkeys(HEADS, PENALTY))

    return fit_all


def _no_priors(rows: Rows) -> dict[str, Floats]:
    return {head: np.zeros((len(rows.texts), count), np.float32) for head, count in rows.label_counts.items()}


def _mixed(rows: Rows, ngrams: bool, tell: Tell) -> Fitted:
    """Stacked heads and those side by side, mixed as held-out rows choose."""
    wordings = [rows.texts, rows.texts if rows.asked is None else rows.asked]
    if ngrams:
        priors, asked_priors = scores_out_of_fold(
            rows.texts, wordings, rows.targets, rows.label_counts, rows.folds, rows.held_out, within(tell, "n-grams")
        )
    else:
        priors = asked_priors = _no_priors(rows)
    choice = choose(rows, priors, ngrams, tell, asked_priors)

    def fit_all(tell: Tell) -> tuple[NgramModel, LinearHeads]:
        model = fit_maps(rows.texts, rows.targets, rows.label_counts, tell=within(tell, "n-grams")).ngrams
        if not ngrams:
            return silent(model), fit_stacked(rows, priors, choice.penalties)
        return fit_mixture(rows, model, priors, choice, tell)

    return choice.held_out, fit_all


def _side_by_side(rows: Rows, ngrams: bool, tell: Tell) -> Fitted:
    """N-grams and heads fitted together, weighed by held-out rows."""
    everywhere = side_by_side_out_of_fold(rows, tell)
    held_out = rows.choosing
    of_ngrams, of_heads = ({head: of_rows[head][held_out] for head in HEADS} for of_rows in everywhere)
    factors = fit_factors(
        of_ngrams,
        of_heads,
        {head: rows.targets[head][held_out] for head in HEADS},
        {head: rows.row_weights(head)[held_out] for head in HEADS},
    )
    logits = {head: np.zeros_like(of_rows) for head, of_rows in everywhere[0].items()}
    for head, of_held_out in factors.combined(of_ngrams, of_heads).items():
        logits[head][held_out] = of_held_out

    def fit_all(tell: Tell) -> tuple[NgramModel, LinearHeads]:
        model, heads = fit_side_by_side(rows, tell)
        return factors.of_ngrams(model), factors.of_heads(heads)

    return logits, fit_all
