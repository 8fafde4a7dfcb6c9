"""The quasi-Poisson regressions that some rivals of the surge benchmark are made of.

In: daily counts and the columns that explain them. Out: coefficients, dispersions, and how unlikely a count is.
"""

import numpy as np
import numpy.typing as npt

from models.forecasting.distribution import NEARLY_POISSON, SMALLEST_MEAN

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SMALLEST_TAIL = 1e-300
"""Near the smallest that a double holds: its logarithm stays finite."""
ROUNDS = 6
LEAST_RIDGE = 1e-3
"""So that columns that say the same do no harm."""


def log_tail(count: Floats, mean: Floats, dispersion: Floats) -> Floats:
    """−log10 of the probability of `count` or more; 0 up to the mean."""
    from scipy.special import betainc

    tail = np.zeros(count.shape)
    above = np.nonzero(count > mean)
    size = 1 / np.maximum(dispersion[above], NEARLY_POISSON)
    mu = np.maximum(mean[above], SMALLEST_MEAN)
    probability = betainc(np.maximum(count[above], 1.0), size, mu / (size + mu))
    tail[above] = -np.log10(np.maximum(probability, SMALLEST_TAIL))
    return tail


def design(at: Ints, weekday: Ints, seasonal: bool) -> Floats:
    """Intercept, trend, weekdays; two harmonics of the year where there is a year and a half."""
    columns = [np.ones(len(at)), (at - at[-1]) / 365]
    columns += [(weekday[at] == day).astype(np.float64) for day in range(1, 7)]
    if seasonal:
        angle = 2 * np.pi * at / 365.25
        columns += [wave(k * angle) for k in (1, 2) for wave in (np.sin, np.cos)]
    return np.stack(columns, axis=1)


def quasi_poisson(
    columns: Floats, y: Floats, offset: Floats | float = 0.0, ridge: float = 1e-3
) -> tuple[Floats, float]:
    """Coefficients and dispersion; days with large Anscombe residuals weigh less (Noufaily et al. 2013).

    Args:
        columns: shape (days, columns), the first of ones.
        y: counts.
        offset: what is added to `columns @ coefficients`, the logarithm of the mean.
        ridge: how much coefficients are drawn towards 0, in squared standard errors of a count of one.
    """
    weight, phi = np.ones(len(y)), 1.0
    coefficients: Floats = np.zeros(columns.shape[1])
    coefficients[0] = np.log(max(y.mean(), 0.05) / np.exp(offset).mean())
    penalty = ridge * np.eye(columns.shape[1])
    penalty[0, 0] = LEAST_RIDGE
    for outer in range(2):
        for _ in range(ROUNDS):
            mu = np.exp(np.clip(columns @ coefficients + offset, -6, 9))
            w = weight * mu
            working = np.log(mu) - offset + (y - mu) / mu
            weighted = columns * w[:, None]
            coefficients = np.asarray(np.linalg.solve(columns.T @ weighted + penalty, weighted.T @ working))
        mu = np.exp(np.clip(columns @ coefficients + offset, -6, 9))
        free = max(len(y) - columns.shape[1], 1)
        phi = max(float((weight * (y - mu) ** 2 / mu).sum() / free), 1.0)
        residual = 1.5 * (y ** (2 / 3) - mu ** (2 / 3)) / (mu ** (1 / 6) * np.sqrt(phi))
        if outer == 0:
            weight = np.where(residual > 2.58, 1 / np.maximum(residual, 2.58) ** 2, 1.0)
            weight *= len(y) / weight.sum()
    return coefficients, phi
