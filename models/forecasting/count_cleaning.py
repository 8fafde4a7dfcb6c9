"""Count cleaning: counts as they should have been entered, to learn from.

In: a panel of counts. Out: the same panel to fit on; figures are always taken of the counts themselves.
Two things are mended. The last days are incomplete, because complaints are entered late: with a known
completeness they are divided by it, and a day of which less than half is known is left out (reverse-time
hazards: Lawless 1994). And a backlog entered in one day is not what citizens wrote that day: a count far
above the usual high of the weeks around it is cut to that.
"""

import numpy as np
import pandas as pd

from data.errors import CountsError
from models.forecasting.config import ForecasterConfig

LEAST_KNOWN = 0.5
"""Dividing by less would make a guess of a few complaints."""
AROUND_DAYS = 57
"""Four weeks before and after a day tell what is usual there."""
LEAST_AROUND = 14
HIGH = 0.95
"""The usual high: a day in twenty."""
LEAST_SPIKE = 10.0
"""Complaints above the usual high that a day must have to be bulk entry, however rare they are."""


def without_bulk_entry(panel: pd.DataFrame, config: ForecasterConfig) -> pd.DataFrame:
    """The panel with bulk entry cut to the usual high; see `completed` for late entry."""
    around = panel.rolling(AROUND_DAYS, center=True, min_periods=LEAST_AROUND)
    usual_high = around.quantile(HIGH)
    limit = (config.bulk_entry_ratio * usual_high).clip(lower=usual_high + LEAST_SPIKE)
    return panel.where(~(panel > limit), limit)


def completed(panel: pd.DataFrame, completeness: list[float]) -> pd.DataFrame:
    """The panel with its last days brought to what they will have in the end; NaN where too little is known.

    Args:
        panel: dates × series.
        completeness: the share known of the last day, the one before it, and so on; later ones are whole.
    """
    ages = len(panel) - 1 - np.arange(len(panel))
    share = np.ones(len(panel))
    for age, of_age in enumerate(completeness):
        share[ages == age] = of_age
    known = pd.Series(np.where(share >= LEAST_KNOWN, share, np.nan), index=panel.index)
    return panel.div(known, axis=0)


def completeness_curve(
    created: "pd.Series[pd.Timestamp]", entered: "pd.Series[pd.Timestamp]", days: int
) -> list[float]:
    """The share of a day's complaints that are entered by the end of the day, one day later, and so on.

    From complaints with both dates. A complaint counts as known at an age of so many days; recent days, whose
    late complaints have not come yet, tell only of the ages that they have reached (chain ladder).

    Args:
        created: when each complaint was made.
        entered: when it was entered.
        days: ages, at most; later ones are taken as whole.

    Raises:
        CountsError: there are no complaints, or one was entered before it was made.
    """
    made, entry_day = pd.to_datetime(created).dt.normalize(), pd.to_datetime(entered).dt.normalize()
    if made.empty:
        raise CountsError("delays: there are no complaints to learn them from")
    delay = (entry_day - made).dt.days.to_numpy()
    if (delay < 0).any():
        row = int(np.argmax(delay < 0))
        raise CountsError(f"delays: row {row + 2} was entered on {entry_day.iloc[row]:%Y-%m-%d}, before it was made")
    reach = (entry_day.max() - made).dt.days.to_numpy()
    share = 1.0
    curve = [share]
    for age in range(days, 0, -1):
        old = reach >= age
        by_then, before = (old & (delay <= age)).sum(), (old & (delay < age)).sum()
        share *= before / by_then if by_then else 1.0
        curve.append(float(share))
    shares = [max(round(value, 4), 0.001) for value in curve[::-1][:-1]]
    while shares and shares[-1] > 0.995:
        shares.pop()
    return shares
