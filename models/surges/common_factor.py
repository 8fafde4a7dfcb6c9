"""The common factor: what all other sectors do on the same day, which is no evidence of a surge.

In: counts, means and dispersions, days × series. Out: a factor on the means of each day and series: a day off, snow,
an outage of the portal move every sector at once. The decision worth knowing: every series is listened to within
`CLIP` standard deviations only, so that one sector's surge does not excuse another's.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.forecasting.distribution import SMALLEST_MEAN
from models.forecasting.series import ALL_SECTORS, SeriesKey, are_base

Floats = npt.NDArray[np.float64]

PRIOR = 5.0
"""What a factor of 1 is worth, in complaints."""
CLIP = 1.5
"""How many standard deviations of a series the factor listens to: a surge of thousands says no more than a bad day."""


def common_factor(counts: Floats, means: Floats, dispersions: Floats, keys: Sequence[SeriesKey]) -> Floats:
    """How far the other sectors lie above their expectations on each day, days × series.

    Every base series speaks with the weight of its information (mean over variance). 1 for sums over all
    sectors, which have no others.

    Args:
        counts: NaN where nothing was observed.
        means: what was expected; NaN where nothing was.
        dispersions: of a day's count.
        keys: the series; sums may be among them.
    """
    base = np.flatnonzero(are_base(keys))
    sector_of_base = np.array([key.sector for key in keys])[base]
    count, mean, alpha = counts[:, base], means[:, base], dispersions[:, base]
    both = np.isfinite(count) & np.isfinite(mean)
    mean = np.where(both, np.maximum(mean, SMALLEST_MEAN), 0.0)
    reach = CLIP * np.sqrt(mean + alpha * mean**2)
    heard = np.clip(np.where(both, count, 0.0), mean - reach, mean + reach)
    weight = 1 / (1 + alpha * mean)

    factors = np.ones(counts.shape)
    for sector in {key.sector for key in keys} - {ALL_SECTORS}:
        others = sector_of_base != sector
        observed = (heard * weight)[:, others].sum(axis=1)
        expected = (mean * weight)[:, others].sum(axis=1)
        own = [column for column, key in enumerate(keys) if key.sector == sector]
        factors[:, own] = ((observed + PRIOR) / (expected + PRIOR))[:, None]
    return factors
