"""Judging a backtest: champions, how wide the truth lies around them, and what both are worth.

In: `errors`, the backtest's predictions of observed days with their errors (`PREDICTIONS` of `backtest.py`
and `absolute, squared`). Out: champions, dispersions, quantile levels and figures. Two decisions worth knowing.
A champion is judged only on windows that came after all it was chosen and calibrated on (`held_out`). And a
series' own windows are few: its contenders are compared by their own errors shrunk towards those of all series
together, so that it leaves the contender that is best everywhere only on clear evidence.
"""

from collections.abc import Iterator
from typing import get_args

import numpy as np
import pandas as pd

from data.counts.daily import KEY
from models.forecasting.config import ContenderName
from models.forecasting.distribution import (
    cumulative,
    fit_dispersion,
    pinball,
    quantile_levels,
    quantile_name,
    quantiles,
)
from models.forecasting.intervals import WEEK, Conformal, groups
from models.forecasting.series import SeriesKey, sums

SIMPLEST_FIRST: list[ContenderName] = list(get_args(ContenderName))
DAILY_PRIOR = 28
WEEKLY_PRIOR = 12
"""How many days (weeks) of a series' own errors the dispersion of all series together is worth."""
WINDOW_PRIOR = 12
"""How many windows of a series' own errors those of all series together are worth."""
LEAN = 0.05
"""What another contender's log loss must be below the combination's: mixed forecasts are rarely the worst, and
the best of yesterday is often not that of tomorrow."""
LEAST_LOSS = 1.0
"""Added to losses before they are compared: a series with two complaints tells nothing."""


def choose_champions(errors: pd.DataFrame, sparse: dict[SeriesKey, bool]) -> dict[SeriesKey, ContenderName]:
    """The best contender of each series; ties go to the simpler.

    A contender's score is the logarithm of its loss over that of the series' simplest contender: its own, by the
    number of its windows, and that of all series of its kind together, worth `WINDOW_PRIOR` windows. The loss is
    the absolute error, of sparse series the squared.
    """
    keys = pd.MultiIndex.from_frame(errors[KEY])
    kind = np.array([sparse[SeriesKey(*key)] for key in keys])
    champions: dict[SeriesKey, ContenderName] = {}
    for column, rows in (("absolute", errors[~kind]), ("squared", errors[kind])):
        if rows.empty:
            continue
        losses = rows.groupby([*KEY, "contender"])[column].sum().unstack("contender")
        names = [name for name in SIMPLEST_FIRST if name in losses]
        losses = losses[names]
        windows = rows.groupby(KEY)["window"].nunique().reindex(losses.index).to_numpy()[:, None]
        everywhere = np.array([_together(losses[[names[0], name]]) for name in names])
        ratio = (losses + LEAST_LOSS).div(losses[names[0]] + LEAST_LOSS, axis=0).to_numpy(dtype=np.float64)
        shrunk = (windows * np.log(ratio) + WINDOW_PRIOR * everywhere) / (windows + WINDOW_PRIOR)
        score = np.where(losses.notna(), shrunk + LEAN * (losses.columns != "combination"), np.inf).round(9)
        for (place, sector), at in zip(losses.index, score.argmin(axis=1), strict=True):
            champions[SeriesKey(str(place), str(sector))] = names[at]
    return {key: champions[key] for key in sorted(champions)}


def _together(losses: pd.DataFrame) -> float:
    """Log loss of the second contender over the first, over the series that have both."""
    both = losses.dropna()
    total = both.sum().to_numpy(dtype=np.float64) + LEAST_LOSS
    return float(np.log(total[-1] / total[0])) if len(both) else 0.0


def held_out(errors: pd.DataFrame, sparse: dict[SeriesKey, bool], levels: list[float]) -> pd.DataFrame:
    """The rows of each window's champions, as chosen and calibrated on the windows before it.

    Columns added: `dispersion`, and a quantile for each bound of the intervals `levels` and for the median.
    A series' oldest window has none before it and is left out, so with one window there are no rows.
    """
    at = quantile_levels(levels)
    parts = [errors.iloc[:0].assign(dispersion=0.0, **{quantile_name(level): 0.0 for level in at})]
    for window in sorted(set(errors["window"]))[:-1]:
        before = errors[errors["window"] > window]
        chosen = choose_champions(before, sparse)
        known = of_champions(before, chosen)
        daily = _daily(dict(by_series(known)), known)
        conformal = _fit_conformal(dict(by_series(known)), daily, set())
        for key, rows in by_series(of_champions(errors[errors["window"] == window], chosen)):
            made = predicted(rows, daily[key], conformal, at)
            parts.append(rows.assign(dispersion=daily[key], **made))
    return pd.concat(parts)


def predicted(
    rows: pd.DataFrame, dispersion: float, conformal: Conformal, at: list[float], of_sum: bool = False
) -> dict[str, np.ndarray]:
    """Quantiles of the days of one series by name; `date, window, mean` are used."""
    mean = rows["mean"].to_numpy(dtype=np.float64)
    asked = conformal.asked(groups(mean, of_sum), weeks_ahead(rows), at)
    made = quantiles(mean, dispersion, asked)
    return {quantile_name(level): made[:, column] for column, level in enumerate(at)}


def weeks_ahead(rows: pd.DataFrame) -> np.ndarray:
    """The week of the horizon of each row, from 0."""
    first = rows.groupby("window")["date"].transform("min")
    return ((rows["date"] - first).dt.days // WEEK).to_numpy(dtype=np.int64)


def fit_conformal(best: pd.DataFrame, spread: pd.DataFrame, base: list[SeriesKey]) -> Conformal:
    """Quantile levels from the champions' errors, for base series and the sums above them."""
    daily = {SeriesKey(*key): float(value) for *key, value in spread[[*KEY, "daily"]].itertuples(index=False)}
    with_sums = _with_sums(dict(by_series(best)), base)
    return _fit_conformal(with_sums, daily, set(sums(base)))


def _fit_conformal(
    series: dict[SeriesKey, pd.DataFrame], daily: dict[SeriesKey, float], above: set[SeriesKey]
) -> Conformal:
    parts = []
    for key, rows in series.items():
        actual, mean = rows["actual"].to_numpy(dtype=np.float64), rows["mean"].to_numpy(dtype=np.float64)
        alpha = daily.get(key, 0.0)
        chances = {"at_most": cumulative(actual, mean, alpha), "fewer": cumulative(actual - 1, mean, alpha)}
        parts.append(pd.DataFrame({"group": groups(mean, key in above), "week": weeks_ahead(rows), **chances}))
    if not parts:
        return Conformal.identity()
    days = pd.concat(parts)
    return Conformal.fit(*(days[name].to_numpy() for name in ("group", "week", "at_most", "fewer")))


def wape_table(errors: pd.DataFrame, judged: pd.DataFrame, scored: list[SeriesKey]) -> pd.DataFrame:
    """Every contender's WAPE by judged window, and the champions': of their medians and of their means."""
    if len(judged):
        errors = errors[errors["window"].isin(set(judged["window"]))]
        median = (judged["q50"] - judged["actual"]).abs()
        own = [judged.assign(contender="champion_mean"), judged.assign(contender="champion", absolute=median)]
        errors = pd.concat([errors, *own])
    inside = errors[pd.MultiIndex.from_frame(errors[KEY]).isin(scored)]
    totals = inside.groupby(["contender", "window"])[["absolute", "actual"]].sum()
    table = (totals["absolute"] / totals["actual"]).unstack("window")
    table = table[sorted(table.columns, reverse=True)]
    order = [name for name in [*SIMPLEST_FIRST, "champion_mean", "champion"] if name in table.index]
    table = table.loc[order].assign(mean=table.mean(axis=1))
    return table.rename_axis(columns=None)


def of_champions(predictions: pd.DataFrame, champions: dict[SeriesKey, ContenderName]) -> pd.DataFrame:
    """The rows of each series' champion."""
    names = pd.MultiIndex.from_frame(predictions[[*KEY, "contender"]])
    return predictions[names.isin([(*key, name) for key, name in champions.items()])]


def fit_spread(best: pd.DataFrame, base: list[SeriesKey]) -> pd.DataFrame:
    """Dispersion of days and weeks around the champions' means, for base series and sums above them.

    A series' own errors are few, so they are joined with those of all series: `DAILY_PRIOR`, `WEEKLY_PRIOR`.
    Columns: `municipality, sector, daily, weekly`.
    """
    series = _with_sums(dict(by_series(best)), base)
    weeks = {key: _weekly(rows) for key, rows in series.items()}
    daily, pooled = _daily(series, best), _pooled([weeks[key] for key in base if key in weeks])
    rows = []
    for key in series:
        weekly = _shrunk(_pooled([weeks[key]]), len(weeks[key]), pooled, WEEKLY_PRIOR)
        rows.append({**key._asdict(), "daily": daily[key], "weekly": weekly})
    return pd.DataFrame(rows, columns=[*KEY, "daily", "weekly"])


def _with_sums(series: dict[SeriesKey, pd.DataFrame], base: list[SeriesKey]) -> dict[SeriesKey, pd.DataFrame]:
    """The days of each series, and of the sums above them; sums compare only members that were observed."""
    out = dict(series)
    for key, members in sums(base).items():
        parts = [series[member] for member in members if member in series]
        if parts:
            joined = pd.concat(parts)
            out[key] = joined.groupby(["date", "window"], as_index=False)[["actual", "mean"]].sum()
    return out


def _daily(series: dict[SeriesKey, pd.DataFrame], everything: pd.DataFrame) -> dict[SeriesKey, float]:
    """Dispersion of each series' days, shrunk towards that of `everything`."""
    pooled = fit_dispersion(everything["actual"], everything["mean"])
    return {
        key: _shrunk(fit_dispersion(rows["actual"], rows["mean"]), len(rows), pooled, DAILY_PRIOR)
        for key, rows in series.items()
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


def calibration(judged: pd.DataFrame, levels: list[float]) -> tuple[dict[str, float], float]:
    """Coverage of the 80 % interval by size of the mean, and the mean pinball loss, over `held_out` rows.

    Where 0.8 is not among the levels, coverage is that of the one nearest to it.
    """
    if judged.empty:
        return {"all": float("nan")}, float("nan")
    level = min(levels, key=lambda level: abs(level - 0.8))
    low, high = (judged[quantile_name(round(bound, 6))] for bound in ((1 - level) / 2, (1 + level) / 2))
    inside = (low <= judged["actual"]) & (judged["actual"] <= high)
    coverage = {"all": float(inside.mean())}
    for name, chosen in (("under 5 a day", judged["mean"] < 5), ("5 a day or more", judged["mean"] >= 5)):
        if chosen.any():
            coverage[name] = float(inside[chosen].mean())
    actual = judged["actual"].to_numpy(dtype=np.float64)
    at = quantile_levels(levels)
    losses = [pinball(actual, judged[quantile_name(one)].to_numpy(dtype=np.float64), one).mean() for one in at]
    return coverage, float(np.mean(losses))


def by_series(rows: pd.DataFrame) -> Iterator[tuple[SeriesKey, pd.DataFrame]]:
    """The rows of each series, in the order of their keys."""
    for key, group in rows.groupby(KEY):
        place, sector = key
        yield SeriesKey(str(place), str(sector)), group
