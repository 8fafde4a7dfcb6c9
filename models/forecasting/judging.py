"""Judging a backtest: champions, how wide the truth lies around them, and what both are worth.

In: `errors`, the backtest's predictions of observed days with their errors (`PREDICTIONS` of `backtest.py`
and `absolute, squared`). Out: champions, dispersions and figures. The decision worth knowing: a champion is
never judged on a window that helped to choose it or to fit its dispersion (`held_out`).
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.counts import KEY
from models.forecasting.config import ContenderName, ForecasterConfig
from models.forecasting.distribution import fit_dispersion, pinball, quantile_levels, quantiles
from models.forecasting.series import SeriesKey, sums

SIMPLEST_FIRST: list[ContenderName] = ["seasonal_naive", "weekday_mean", "profile_mean", "prophet"]
DAILY_PRIOR = 28
WEEKLY_PRIOR = 12
"""How many days (weeks) of a series' own errors the dispersion of all series together is worth."""


def choose_champions(errors: pd.DataFrame, sparse: dict[SeriesKey, bool]) -> dict[SeriesKey, ContenderName]:
    """The contender with the lowest summed error of each series; ties go to the simpler."""
    summed = errors.groupby([*KEY, "contender"])[["absolute", "squared"]].sum().reset_index()
    champions: dict[SeriesKey, ContenderName] = {}
    for key, rows in by_series(summed):
        by_name = rows.set_index("contender")["squared" if sparse[key] else "absolute"]
        order: list[ContenderName] = [name for name in SIMPLEST_FIRST if name in by_name.index]
        champions[key] = min(order, key=lambda name: round(float(by_name[name]), 9))
    return champions


def held_out(errors: pd.DataFrame, sparse: dict[SeriesKey, bool]) -> pd.DataFrame:
    """The rows of each window's champions, as chosen on the other windows.

    The column `dispersion` is added: that of the same champions' days in the other windows. A series
    without another window is left out, so with one window there are no rows.
    """
    parts = []
    for window in sorted(set(errors["window"])):
        others = errors[errors["window"] != window]
        chosen = choose_champions(others, sparse)
        known = of_champions(others, chosen)
        daily = _daily(dict(by_series(known)), known)
        rows = of_champions(errors[errors["window"] == window], chosen)
        keys = zip(rows["municipality"], rows["sector"], strict=True)
        parts.append(rows.assign(dispersion=np.array([daily[SeriesKey(*key)] for key in keys], dtype=np.float64)))
    return pd.concat(parts)


def wape_table(errors: pd.DataFrame, judged: pd.DataFrame, scored: list[SeriesKey]) -> pd.DataFrame:
    """Every contender's WAPE by window, and the champions', who are held out."""
    rows = pd.concat([errors, judged.assign(contender="champion")])
    inside = rows[pd.MultiIndex.from_frame(rows[KEY]).isin(scored)]
    totals = inside.groupby(["contender", "window"])[["absolute", "actual"]].sum()
    table = (totals["absolute"] / totals["actual"]).unstack("window")
    table = table[sorted(table.columns, reverse=True)]
    order = [name for name in [*SIMPLEST_FIRST, "champion"] if name in table.index]
    table = table.loc[order].assign(mean=table.mean(axis=1))
    return table.rename_axis(columns=None)


def of_champions(predictions: pd.DataFrame, champions: dict[SeriesKey, ContenderName]) -> pd.DataFrame:
    """The rows of each series' champion."""
    names = pd.MultiIndex.from_frame(predictions[[*KEY, "contender"]])
    return predictions[names.isin([(*key, name) for key, name in champions.items()])]


def fit_spread(best: pd.DataFrame, base: list[SeriesKey]) -> pd.DataFrame:
    """Dispersion of days and weeks around the champions' means, for base series and sums above them.

    A series' own errors are few, so they are joined with those of all series: `DAILY_PRIOR`, `WEEKLY_PRIOR`.
    Sums compare only members that were observed. Columns: `municipality, sector, daily, weekly`.
    """
    groups = dict(by_series(best))
    for key, members in sums(base).items():
        parts = [groups[member] for member in members if member in groups]
        if parts:
            joined = pd.concat(parts)
            groups[key] = joined.groupby(["date", "window"], as_index=False)[["actual", "mean"]].sum()
    weeks = {key: _weekly(rows) for key, rows in groups.items()}
    daily, pooled = _daily(groups, best), _pooled([weeks[key] for key in base if key in weeks])
    rows = []
    for key in groups:
        weekly = _shrunk(_pooled([weeks[key]]), len(weeks[key]), pooled, WEEKLY_PRIOR)
        rows.append({**key._asdict(), "daily": daily[key], "weekly": weekly})
    return pd.DataFrame(rows, columns=[*KEY, "daily", "weekly"])


def _daily(groups: dict[SeriesKey, pd.DataFrame], everything: pd.DataFrame) -> dict[SeriesKey, float]:
    """Dispersion of each group's days, shrunk towards that of `everything`."""
    pooled = fit_dispersion(everything["actual"], everything["mean"])
    return {
        key: _shrunk(fit_dispersion(rows["actual"], rows["mean"]), len(rows), pooled, DAILY_PRIOR)
        for key, rows in groups.items()
    }


def _weekly(rows: pd.DataFrame) -> pd.DataFrame:
    """Totals of full 7-day blocks inside each window: `actual, mean`."""
    first = rows.groupby("window")["date"].transform("min")
    block = (rows["date"] - first).dt.days // 7
    totals = rows.groupby([rows["window"], block]).agg(
        actual=("actual", "sum"), mean=("mean", "sum"), days=("mean", "size")
    )
    return totals[totals["days"] == 7]


def _pooled(parts: list[pd.DataFrame]) -> float:
    joined = pd.concat(parts)
    return fit_dispersion(joined["actual"], joined["mean"])


def _shrunk(own: float, seen: int, pooled: float, prior: float) -> float:
    return (seen * own + prior * pooled) / (seen + prior)


def calibration(judged: pd.DataFrame, config: ForecasterConfig) -> tuple[dict[str, float], float]:
    """Coverage of the 80 % interval by size of the mean, and the mean pinball loss, over `held_out` rows."""
    if judged.empty:
        return {"all": float("nan")}, float("nan")
    levels = quantile_levels(config.levels)
    hits: list[pd.DataFrame] = []
    losses: list[npt.NDArray[np.float64]] = []
    for _, rows in judged.groupby("dispersion"):
        actual, mean = rows["actual"].to_numpy(), rows["mean"].to_numpy()
        dispersion = float(rows["dispersion"].iloc[0])
        bounds = quantiles(mean, dispersion, [0.1, 0.9])
        inside = (bounds[:, 0] <= actual) & (actual <= bounds[:, 1])
        hits.append(pd.DataFrame({"mean": mean, "inside": inside}))
        predicted = quantiles(mean, dispersion, levels).astype(np.float64)
        losses.extend(pinball(actual, predicted[:, at], level) for at, level in enumerate(levels))
    hit = pd.concat(hits)
    coverage = {"all": float(hit["inside"].mean())}
    for name, chosen in (("under 5 a day", hit["mean"] < 5), ("5 a day or more", hit["mean"] >= 5)):
        if chosen.any():
            coverage[name] = float(hit.loc[chosen.to_numpy(), "inside"].mean())
    return coverage, float(np.concatenate(losses).mean())


def by_series(rows: pd.DataFrame) -> Iterator[tuple[SeriesKey, pd.DataFrame]]:
    """The rows of each series, in the order of their keys."""
    for key, group in rows.groupby(KEY):
        place, sector = key
        yield SeriesKey(str(place), str(sector)), group
