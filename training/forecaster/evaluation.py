"""What a backtest found: champions, how wide the truth lies around them, and what both are worth.

In: all predictions of a backtest and the panel that they are of. Out: a `BacktestResult`. The decision worth knowing:
every figure of the champions is of windows that came after all that they were chosen and calibrated on: the champion
of a window, its dispersion and its quantile levels come from the windows before it. Only what is served (`champions`,
`spread`, `conformal`) comes from all of them.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from data.counts.daily import KEY
from models.forecasting.config import ForecasterConfig
from models.forecasting.distribution import pinball, quantile_levels, quantile_name
from models.forecasting.forecasters.available import SIMPLEST_FIRST
from models.forecasting.intervals import Conformal
from models.forecasting.series import SeriesKey, keys_of, trimmed
from models.forecasting.series_kinds import is_sparse
from training.forecaster.model_selection import choose_champions, held_out, of_champions
from training.forecaster.uncertainty import by_series, conformal_of_all, fit_spread

YEAR = 365
COVERED = 0.8
"""Coverage is told of the interval of this level, or the nearest one configured."""
SMALL_MEAN = 5
"""Coverage is told apart for means under so many a day: counts are coarse there."""


@dataclass(frozen=True)
class BacktestResult:
    """What a backtest found.

    Attributes:
        wape: forecasters × judged windows, oldest first, and `mean`: Σ|error| / Σcount over the `scored` series.
            `champion` is chosen and calibrated on the windows before, so that it is not its own judge; it
            forecasts the median, which is what absolute errors ask for, and `champion_mean` the mean.
        scored: the series that `wape` is over.
        champions: the best forecaster of each base series, over all windows.
        spread: `municipality, sector, daily, weekly`: dispersion of days and of 7-day totals around the
            champion's means, for base series and for sums.
        conformal: the quantile levels that give the stated coverage.
        predictions: all of them, columns `PREDICTIONS`.
        judged: the champions' predictions of the judged windows, with what was fitted before each
            (`model_selection.held_out`).
        coverage: share of days inside the champions' 80 % interval, `all` of them and by the mean's size.
            `all` is NaN, and there is nothing else, where no series has two windows.
        pinball_loss: mean pinball loss over the quantiles of the configured levels, held out like `coverage`;
            NaN likewise.
    """

    wape: pd.DataFrame
    scored: list[SeriesKey]
    champions: dict[SeriesKey, str]
    spread: pd.DataFrame
    conformal: Conformal
    predictions: pd.DataFrame
    judged: pd.DataFrame
    coverage: dict[str, float]
    pinball_loss: float


def evaluate(predictions: pd.DataFrame, wide: pd.DataFrame, config: ForecasterConfig) -> BacktestResult:
    """Champions, figures and dispersions from all predictions and the panel they are of."""
    errors = with_errors(predictions)
    sparse = {key: is_sparse(trimmed(wide[key]), config) for key in keys_of(wide)}
    champions = choose_champions(errors, sparse)
    best = of_champions(errors, champions)
    # A surge that goes on in the last window must not hide itself.
    before_last = best[best["window"] > 0] if best["window"].nunique() > 1 else best
    spread = fit_spread(before_last, keys_of(wide))
    judged = held_out(errors, sparse, config.levels)
    scored = _scored(errors, wide, config) or list(champions)
    return BacktestResult(
        wape=wape_table(errors, judged, scored),
        scored=scored,
        champions=champions,
        spread=spread,
        conformal=conformal_of_all(best, spread, keys_of(wide)),
        predictions=predictions,
        judged=judged,
        coverage=coverage(judged, config.levels),
        pinball_loss=pinball_loss(judged, config.levels),
    )


def with_errors(predictions: pd.DataFrame) -> pd.DataFrame:
    """The predictions of observed days with their `absolute` and `squared` errors."""
    observed = predictions.dropna(subset=["actual"])
    error = observed["mean"] - observed["actual"]
    return observed.assign(absolute=error.abs(), squared=error**2)


def _scored(errors: pd.DataFrame, wide: pd.DataFrame, config: ForecasterConfig) -> list[SeriesKey]:
    """The series with enough complaints for which all forecasters compete."""
    daily_mean = wide.iloc[-YEAR:].mean()
    competing = {name for name in errors["forecaster"] if name in config.forecasters}
    return [
        key
        for key, rows in by_series(errors)
        if daily_mean[key] >= config.scored_daily_mean and competing <= set(rows["forecaster"])
    ]


def wape_table(errors: pd.DataFrame, judged: pd.DataFrame, scored: list[SeriesKey]) -> pd.DataFrame:
    """Every forecaster's WAPE by judged window, and the champions': of their medians and of their means."""
    if len(judged):
        of_median = (judged["q50"] - judged["actual"]).abs()
        by_mean = judged.assign(forecaster="champion_mean")
        by_median = judged.assign(forecaster="champion", absolute=of_median)
        errors = pd.concat([errors[errors["window"].isin(set(judged["window"]))], by_mean, by_median])
    of_scored = errors[pd.MultiIndex.from_frame(errors[KEY]).isin(scored)]
    totals = of_scored.groupby(["forecaster", "window"])[["absolute", "actual"]].sum()
    table = (totals["absolute"] / totals["actual"]).unstack("window")
    table = table[sorted(table.columns, reverse=True)]
    order = [name for name in [*SIMPLEST_FIRST, "champion_mean", "champion"] if name in table.index]
    table = table.loc[order].assign(mean=table.mean(axis=1))
    return table.rename_axis(index="forecaster", columns=None)


def coverage(judged: pd.DataFrame, intervals: list[float]) -> dict[str, float]:
    """Share of `held_out` days inside the 80 % interval, of all and by size of the mean; see `COVERED`."""
    if judged.empty:
        return {"all": float("nan")}
    interval = min(intervals, key=lambda level: abs(level - COVERED))
    low, high = (judged[quantile_name(round(bound, 6))] for bound in ((1 - interval) / 2, (1 + interval) / 2))
    inside = (low <= judged["actual"]) & (judged["actual"] <= high)
    small = judged["mean"] < SMALL_MEAN
    shares = {"all": float(inside.mean())}
    for name, chosen in ((f"under {SMALL_MEAN} a day", small), (f"{SMALL_MEAN} a day or more", ~small)):
        if chosen.any():
            shares[name] = float(inside[chosen].mean())
    return shares


def pinball_loss(judged: pd.DataFrame, intervals: list[float]) -> float:
    """Mean pinball loss of `held_out` days over the intervals' bounds and the median."""
    if judged.empty:
        return float("nan")
    actual = judged["actual"].to_numpy(dtype=np.float64)
    losses = [
        pinball(actual, judged[quantile_name(level)].to_numpy(dtype=np.float64), level).mean()
        for level in quantile_levels(intervals)
    ]
    return float(np.mean(losses))
