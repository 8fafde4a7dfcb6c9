"""Series kinds: which methods a series is fit for, stated instead of nonsense.

In: a series' history. Out: its `SeriesKind`, and for those that have no backtest the means themselves:

- `full`: every forecaster competes.
- `sparse` (under `min_daily_mean` a day): no Prophet, no smoothing; the zero-inflated method competes, and
  squared error judges, because absolute error there rewards forecasting zero.
- `short` (too few days for one backtest window) and `new` (under `new_days`): pooled upward: the level leans
  on the same sector elsewhere, the week is the sector's.
- `dead` (no complaint for `dead_days`): none is forecast until one comes.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.forecasting.config import ForecasterConfig
from models.forecasting.series import SeriesKey, trimmed

Floats = npt.NDArray[np.float64]
SeriesKind = Literal["full", "sparse", "short", "new", "dead"]
POOLED, NONE = "pooled", "none"
"""The champions of short and new series, and of dead ones."""
PEER_DAYS = 14
"""So many of a series' own days weigh as much as the level of the same sector elsewhere."""
LEVEL_DAYS, WEEK_DAYS = 56, 364
"""The level is of eight weeks, the shape of a week of a year, as in `forecasters/profile_mean.py`."""


def kind_of(history: "pd.Series[float]", config: ForecasterConfig) -> SeriesKind:
    """The kind of a series, from its first observed day on."""
    seen = history.dropna()
    if len(seen) > config.dead_days and not seen.iloc[-config.dead_days :].any():
        return "dead"
    if len(seen) < config.new_days:
        return "new"
    if len(history) < config.min_history_days + config.horizon:
        return "short"
    return "sparse" if is_sparse(history, config) else "full"


def is_sparse(history: "pd.Series[float]", config: ForecasterConfig) -> bool:
    """Whether a series has fewer than `min_daily_mean` complaints a day, over its last 365 days."""
    recent = history.iloc[-365:].mean()
    return bool(np.isnan(recent) or recent < config.min_daily_mean)


def pooled_upward(key: SeriesKey, wide: pd.DataFrame, horizon: int) -> Floats:
    """Means of the `horizon` days after a panel's last, of a series too short to stand alone."""
    own = trimmed(wide[tuple(key)]).iloc[-LEVEL_DAYS:].dropna()
    same_sector = pd.DataFrame(wide.xs(key.sector, axis=1, level="sector"))
    elsewhere = same_sector.drop(columns=[key.municipality]).iloc[-LEVEL_DAYS:].mean().mean()
    if np.isnan(elsewhere):
        elsewhere = own.mean() if len(own) else 0.0
    shape = _week_of(same_sector.iloc[-WEEK_DAYS:].mean(axis=1))
    of_flat_level = shape[pd.DatetimeIndex(own.index).weekday].sum()
    level = (own.sum() + PEER_DAYS * elsewhere) / (of_flat_level + PEER_DAYS)
    ahead = pd.date_range(wide.index[-1] + pd.Timedelta(days=1), periods=horizon, freq="D")
    return np.asarray(level * shape[ahead.weekday], dtype=np.float64)


def _week_of(counts: "pd.Series[float]") -> Floats:
    """What each weekday has over the mean of all, from Monday on; 1 where nothing is known."""
    week = counts.groupby(pd.DatetimeIndex(counts.index).weekday).mean().reindex(range(7))
    if not week.mean() > 0:
        return np.ones(7)
    return np.asarray((week / week.mean()).fillna(1.0), dtype=np.float64)
