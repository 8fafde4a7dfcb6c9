"""Predictive distributions of counts: negative binomial around a forecast mean.

In: means and a dispersion α, so that the variance is mean + α · mean². Out: integer quantiles and
tail probabilities. α = 0 is Poisson. A total over several days has its own α: a forecast that is wrong
on Monday is wrong in the same direction on Tuesday, so the days do not average out.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SMALLEST_MEAN = 0.02
"""A forecast of no complaint at all would make a single one impossible."""

LARGEST_DISPERSION = 5.0
"""Beyond it the distribution is all zeros and a few huge counts: it is the mean that is wrong."""
NEARLY_POISSON = 1e-6
"""Below it a negative binomial and a Poisson cannot be told apart in double precision."""


def fit_dispersion(actual: npt.ArrayLike, mean: npt.ArrayLike, trim: float = 0.02) -> float:
    """α by maximum likelihood, from counts and what was forecast for them; NaN are left out.

    The share `trim` of days that lie highest above their forecast is left out: they are the surges, and
    must not make the usual look wide. 0 when there is no day.
    """
    from scipy.optimize import minimize_scalar

    y, mu = np.asarray(actual, dtype=np.float64), np.asarray(mean, dtype=np.float64)
    finite = np.isfinite(y) & np.isfinite(mu)
    y, mu = y[finite], np.maximum(mu[finite], SMALLEST_MEAN)
    usual = np.argsort((y - mu) / np.sqrt(mu))[: len(y) - int(trim * len(y))]
    y, mu = y[usual], mu[usual]
    if len(y) == 0:
        return 0.0
    best = minimize_scalar(
        lambda log_alpha: -_log_likelihood(y, mu, float(np.exp(log_alpha))),
        bounds=(np.log(1e-4), np.log(LARGEST_DISPERSION)),
        method="bounded",
    )
    alpha = float(np.exp(best.x))
    return 0.0 if alpha < 2e-4 else alpha


def _log_likelihood(y: Floats, mu: Floats, alpha: float) -> float:
    from scipy.special import gammaln

    size = 1 / alpha
    terms = gammaln(y + size) - gammaln(size) + size * np.log(size / (size + mu)) + y * np.log(mu / (size + mu))
    return float(np.sum(terms))


def quantiles(mean: npt.ArrayLike, dispersion: float, levels: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Integer quantiles, shape (means, levels); levels are the same for all means, or a row for each."""
    law = _law(np.asarray(mean, dtype=np.float64)[:, None], dispersion)
    return np.asarray(law.ppf(np.atleast_2d(np.asarray(levels, dtype=np.float64))), dtype=np.int64)


def cumulative(count: npt.ArrayLike, mean: npt.ArrayLike, dispersion: float) -> Floats:
    """The probability of `count` or fewer."""
    return 1.0 - tail_probability(np.floor(np.asarray(count, dtype=np.float64)) + 1, mean, dispersion)


def tail_probability(count: npt.ArrayLike, mean: npt.ArrayLike, dispersion: float) -> Floats:
    """The probability of `count` or more."""
    from scipy.special import betainc, gammainc

    k = np.maximum(np.ceil(np.asarray(count, dtype=np.float64)), 0.0)
    mu = np.maximum(np.asarray(mean, dtype=np.float64), SMALLEST_MEAN)
    # The tails as special functions: scipy.stats checks its arguments far longer than it computes.
    if dispersion <= NEARLY_POISSON:
        tail = gammainc(np.maximum(k, 1.0), mu)
    else:
        size = 1 / dispersion
        tail = betainc(np.maximum(k, 1.0), size, mu / (size + mu))
    return np.asarray(np.where(k < 1, 1.0, tail), dtype=np.float64)


def window_dispersion(daily: float, weekly: float, days: int) -> float:
    """α of a total over `days` days: between that of a day and that of a week, on a log scale."""
    low = NEARLY_POISSON
    share = min(np.log(days) / np.log(7), 1.0)
    return float(np.exp((1 - share) * np.log(max(daily, low)) + share * np.log(max(weekly, low))))


def pinball(actual: Floats, predicted: Floats, level: float) -> Floats:
    """Pinball (quantile) loss of each prediction."""
    difference = actual - predicted
    return np.maximum(level * difference, (level - 1) * difference)


def quantile_levels(intervals: list[float]) -> list[float]:
    """The median and the quantiles that bound central intervals: 0.8 → 0.1, 0.5 and 0.9."""
    return sorted({0.5, *(round(q, 6) for level in intervals for q in ((1 - level) / 2, (1 + level) / 2))})


def quantile_name(level: float) -> str:
    """The column of a quantile: 0.1 → q10, 0.025 → q2.5."""
    return f"q{np.round(100 * level, 4):g}"


def _law(mean: Floats, dispersion: float) -> Any:
    from scipy.stats import nbinom, poisson

    mean = np.maximum(mean, SMALLEST_MEAN)
    if dispersion <= NEARLY_POISSON:
        return poisson(mean)
    size = 1 / dispersion
    return nbinom(size, size / (size + mean))
