"""How wild each series' own past is: the scale that its evidence is measured on.

In: the scan statistic of `evidence.py`, days × series. Out: a factor a day and series, 1 for the panel's usual series.
The decision worth knowing: a series whose counts jump by themselves must show more, a calm one less. How much is read
from the series' past alone, weighed by how long that is, and believed by a fourth root: taken whole, every series
would give as many false alarms, and those of the wild ones find next to nothing.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEVEL = 0.95
"""The quantile of a series' past evidence that says how wild it is: one day in twenty is above."""
SHARE = 0.25
"""How much of it is believed (as an exponent). Between 0.25 and 0.5 the tuning years of `benchmarks/surge_quality`
do not care; 1 loses."""
PRIOR_DAYS = 120.0
"""Days of a past that weigh as much as the assumption that a series is like the others."""
TEACHING_DAYS, LAG_DAYS, RENEWED_DAYS = 28, 3, 28
"""The first four weeks teach only; the last days are left out, as a surge may have begun; renewed every four weeks."""
SMALLEST = 0.2
"""Evidence below is none: a series with a complaint a month is not infinitely calm."""


def rolling_wildness(scan: Floats) -> Floats:
    """The wildness of each day, from the days before it; days × series, as `scan`."""
    wildness = np.ones(scan.shape)
    for day in range(TEACHING_DAYS, len(scan), RENEWED_DAYS):
        wildness[day : day + RENEWED_DAYS] = wildness_of(scan[: day - LAG_DAYS])
    return wildness


def wildness_of(scan: Floats) -> Floats:
    """The wildness of each series at the end of a past; ones where the past is too short to say."""
    past = scan[TEACHING_DAYS // 2 :]
    if len(past) < TEACHING_DAYS // 4 or not scan.shape[1]:
        return np.ones(scan.shape[1])
    own = np.maximum(np.quantile(past, LEVEL, axis=0), SMALLEST)
    usual = max(float(np.quantile(past, LEVEL)), SMALLEST)
    trusted = SHARE * len(past) / (len(past) + PRIOR_DAYS)
    return np.asarray((own / usual) ** trusted)
