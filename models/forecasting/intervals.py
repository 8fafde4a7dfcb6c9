"""Conformal quantiles: levels of the negative binomial at which the stated share of days really lies.

In: counts, and the chance that their forecast gave to as many or fewer. Out: for a wanted level, size of the
mean and week of the horizon the level to ask the forecast's distribution for, so that quantiles stay whole
and never negative. The decision worth knowing: counts are discrete, so a lower bound is judged by the chance of
as many or fewer, an upper one by that of fewer (an interval includes its bounds). The median is the distribution's
own; where the rules of the bounds pass it, as they do for small counts, the bounds give way. Small groups lean on all
days together.

Split conformal on the distribution's own scale: Chernozhukov, Wüthrich & Zhu 2021; recalibration: Kuleshov,
Fenner & Ermon 2018.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SIZES = (2.0, 10.0)
"""Means a day that part the groups of base series; sums are a group of their own."""
SUM = len(SIZES) + 1
WEEK = 7
LEVELS = np.array([0.005, 0.01, 0.025, *np.arange(0.05, 0.951, 0.05).round(2), 0.975, 0.99, 0.995])
MEDIAN = int(np.flatnonzero(LEVELS == 0.5)[0])
PRIOR_DAYS = 200
"""So many days of a group weigh as much as all days together."""
TIE = 1e-9
COLUMNS = ["group", "week", "level", "asked"]


@dataclass(frozen=True)
class Conformal:
    """Levels to ask for.

    Attributes:
        table: `group` (by `SIZES`, or `SUM`), `week` of the horizon from 0, `level` wanted, level `asked` for.
    """

    table: pd.DataFrame

    @classmethod
    def identity(cls) -> "Conformal":
        """Asks for what is wanted: nothing is known of the errors."""
        return cls(pd.DataFrame(columns=COLUMNS, dtype="float64"))

    @classmethod
    def fit(cls, group: Ints, week: Ints, at_most: Floats, fewer: Floats) -> "Conformal":
        """From judged days.

        Args:
            group: of each day, see `groups`.
            week: of the horizon.
            at_most: the chance that the forecast gave to as many complaints or fewer.
            fewer: to fewer.
        """
        if not len(group):
            return cls.identity()
        everywhere = _asked(at_most, fewer)
        rows = []
        for one in range(SUM + 1):
            for ahead in range(int(week.max()) + 1):
                own = _shrunk(group == one, at_most, fewer, everywhere)
                own = _shrunk((group == one) & (week == ahead), at_most, fewer, own)
                rows += [(one, ahead, level, value) for level, value in zip(LEVELS, _monotone(own), strict=True)]
        return cls(pd.DataFrame(rows, columns=COLUMNS))

    def asked(self, group: Ints, week: Ints, wanted: list[float]) -> Floats:
        """Levels to ask for, days × wanted levels; weeks beyond those fitted are like the last."""
        if self.table.empty:
            return np.tile(np.asarray(wanted, dtype=np.float64), (len(group), 1))
        last = int(self.table["week"].max())
        out = np.empty((len(group), len(wanted)))
        for (one, ahead), rows in self.table.groupby(["group", "week"]):
            here = (group == one) & (np.minimum(week, last) == ahead)
            levels, asked = [0.0, *rows["level"], 1.0], [0.0, *rows["asked"], 1.0]
            out[here] = np.interp(wanted, levels, asked)
        return np.clip(out, 1e-6, 1 - 1e-6)


def groups(mean: Floats, of_sum: bool = False) -> Ints:
    """The group of each day by the mean that was forecast for it."""
    if of_sum:
        return np.full(len(mean), SUM, dtype=np.int64)
    return np.searchsorted(SIZES, mean, side="right").astype(np.int64)


def _shrunk(here: npt.NDArray[np.bool_], at_most: Floats, fewer: Floats, towards: Floats) -> Floats:
    days = int(here.sum())
    if days == 0:
        return towards
    return (days * _asked(at_most[here], fewer[here]) + PRIOR_DAYS * towards) / (days + PRIOR_DAYS)


def _monotone(asked: Floats) -> Floats:
    """Levels that do not fall: the median's stays, upper ones are raised to it and lower ones lowered."""
    lower = np.minimum.accumulate(asked[MEDIAN::-1])[::-1]
    upper = np.maximum.accumulate(asked[MEDIAN:])
    return np.concatenate([lower, upper[1:]])


def _asked(at_most: Floats, fewer: Floats) -> Floats:
    """The level to ask for at each of `LEVELS`; `(n + 1)` for the day that is to come."""
    days = len(at_most)
    low = np.quantile(at_most, np.clip(LEVELS * (days + 1) / days - 1 / days, 0, 1))
    high = np.quantile(fewer, np.clip(LEVELS * (days + 1) / days, 0, 1))
    # A day on the bound lies inside: rounding must not put it outside.
    return np.where(LEVELS < 0.5, low - TIE, np.where(LEVELS > 0.5, high + TIE, 0.5))
