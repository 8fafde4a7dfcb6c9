"""How wide the truth lies around the champions' means: dispersions, and the levels that give the stated coverage.

In: predictions of observed days by the champions, `date, municipality, sector, window, mean, actual`. Out: dispersions
of days and weeks, and conformal levels (`intervals.py`). The decision worth knowing: a series' own errors are few, so
they are joined with those of all series together.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.counts.daily import KEY
from models.forecasting.distribution import cumulative, fit_dispersion, quantile_name, quantiles
from models.forecasting.intervals import WEEK, Conformal, groups
from models.forecasting.series import SeriesKey, sums

Rows = dict[SeriesKey, pd.DataFrame]
"""Predictions by series."""

DAILY_PRIOR = 28
WEEKLY_PRIOR = 12
"""How many days (weeks) of a series' own errors the dispersion of all series together is worth: a month, a quarter."""


def fit_spread(best: pd.DataFrame, base: list[SeriesKey]) -> pd.DataFrame:
    """Dispersion of days and weeks around the champions' means, for base series and sums above them.

    Columns: `municipality, sector, daily, weekly`.
    """
    series = _with_sums(dict(by_series(best)), base)
    weeks = {key: _weekly_totals(rows) for key, rows in series.items()}
    daily = daily_dispersions(series, best)
    of_all_weeks = _dispersion(pd.concat([weeks[key] for key in base if key in weeks]))
    rows = []
    for key, totals in weeks.items():
        weekly = _shrunk(_dispersion(totals), len(totals), of_all_weeks, WEEKLY_PRIOR)
        rows.append({**key._asdict(), "daily": daily[key], "weekly": weekly})
    return pd.DataFrame(rows, columns=[*KEY, "daily", "weekly"])


def daily_dispersions(series: Rows, everything: pd.DataFrame) -> dict[SeriesKey, float]:
    """Dispersion of each series' days, shrunk towards that of `everything`."""
    of_all = _dispersion(everything)
    return {key: _shrunk(_dispersion(rows), len(rows), of_all, DAILY_PRIOR) for key, rows in series.items()}


def conformal_of_all(best: pd.DataFrame, spread: pd.DataFrame, base: list[SeriesKey]) -> Conformal:
    """Quantile levels from the champions' errors, for base series and the sums above them."""
    daily = {SeriesKey(*key): float(value) for *key, value in spread[[*KEY, "daily"]].itertuples(index=False)}
    return conformal_of(_with_sums(dict(by_series(best)), base), daily, set(sums(base)))


def conformal_of(series: Rows, daily: dict[SeriesKey, float], above: set[SeriesKey]) -> Conformal:
    """Quantile levels from the errors of some series, of which those of `above` are sums."""
    parts = []
    for key, rows in series.items():
        actual, mean = rows["actual"].to_numpy(dtype=np.float64), rows["mean"].to_numpy(dtype=np.float64)
        columns = {
            "group": groups(mean, key in above),
            "week": weeks_ahead(rows),
            "at_most": cumulative(actual, mean, daily.get(key, 0.0)),
            "fewer": cumulative(actual - 1, mean, daily.get(key, 0.0)),
        }
        parts.append(pd.DataFrame(columns))
    if not parts:
        return Conformal.identity()
    days = pd.concat(parts)
    return Conformal.fit(
        group=days["group"].to_numpy(),
        week=days["week"].to_numpy(),
        at_most=days["at_most"].to_numpy(),
        fewer=days["fewer"].to_numpy(),
    )


def predicted_quantiles(
    rows: pd.DataFrame, dispersion: float, conformal: Conformal, levels: list[float], of_sum: bool = False
) -> dict[str, npt.NDArray[np.int64]]:
    """Quantiles of the days of one series by name; `date, window, mean` are used."""
    mean = rows["mean"].to_numpy(dtype=np.float64)
    asked = conformal.asked(groups(mean, of_sum), weeks_ahead(rows), levels)
    bounds = quantiles(mean, dispersion, asked)
    return {quantile_name(level): bounds[:, column] for column, level in enumerate(levels)}


def weeks_ahead(rows: pd.DataFrame) -> npt.NDArray[np.int64]:
    """The week of the horizon of each row, from 0."""
    first = rows.groupby("window")["date"].transform("min")
    return np.asarray((rows["date"] - first).dt.days // WEEK, dtype=np.int64)


def by_series(rows: pd.DataFrame) -> Iterator[tuple[SeriesKey, pd.DataFrame]]:
    """The rows of each series, in the order of their keys."""
    for (place, sector), group in rows.groupby(KEY):
        yield SeriesKey(str(place), str(sector)), group


def _with_sums(series: Rows, base: list[SeriesKey]) -> Rows:
    """The days of each series, and of the sums above them; sums compare only members that were observed."""
    out = dict(series)
    for key, members in sums(base).items():
        parts = [series[member] for member in members if member in series]
        if parts:
            out[key] = pd.concat(parts).groupby(["date", "window"], as_index=False)[["actual", "mean"]].sum()
    return out


def _weekly_totals(rows: pd.DataFrame) -> pd.DataFrame:
    """Totals of full 7-day blocks inside each window: `actual, mean`."""
    totals = rows.groupby([rows["window"], weeks_ahead(rows)]).agg(
        actual=("actual", "sum"), mean=("mean", "sum"), days=("mean", "size")
    )
    return totals[totals["days"] == WEEK]


def _dispersion(rows: pd.DataFrame) -> float:
    return fit_dispersion(rows["actual"], rows["mean"])


def _shrunk(own: float, seen: int, of_all: float, prior: float) -> float:
    return (seen * own + prior * of_all) / (seen + prior)
