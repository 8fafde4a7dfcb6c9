"""Fitting: from counts and their backtest to `Forecasts`, and from yesterday's `Forecasts` to today's.

In: `DAILY_COUNTS`, the config, the `BacktestResult` of the same counts (`fit_forecasts`) or the last `Forecasts`
(`refresh_forecasts`). Out: `Forecasts`. Each base series' champion is fitted once more, on all days; sums are
made bottom-up, and only their dispersion is their own. A refresh keeps champions, dispersions and quantile
levels; it fits the champions on all days, and once more on all but the last window, so that counts of those
days can be judged by forecasts that had not seen them. Series whose counts did not change are not fitted again.
"""

from pathlib import Path

import pandas as pd

from batch.executor import Executor
from batch.task_cache import TaskCache
from data.counts.daily import KEY
from models.forecasting.bundle import Forecasts
from models.forecasting.config import ForecasterConfig
from models.forecasting.count_cleaning import completed
from models.forecasting.series import SeriesKey, keys_of, panel, trimmed, with_sums
from models.forecasting.series_kinds import kind_of
from models.surges.past import LearnedSurges
from training.forecaster.backtest import Progress
from training.forecaster.champion_fits import ChampionFitter, champions_of
from training.forecaster.evaluation import BacktestResult

TAIL_DAYS = 56
"""Counts kept with the forecasts: what is usual needs four weeks, the longest question of the service as many."""
BOTTOM_UP = "bottom_up"
"""The champion of a sum: its members' champions, added."""


def fit_forecasts(
    counts: pd.DataFrame,
    config: ForecasterConfig,
    result: BacktestResult,
    progress: Progress | None = None,
    folder: Path | None = None,
    regressors: pd.DataFrame | None = None,
    executor: Executor | None = None,
) -> Forecasts:
    """Fit each base series' champion on all of its days, and compute what the service answers from.

    With a `folder`, finished fits are stored there, and an interrupted run goes on with the others.

    Raises:
        RegressorsError: the regressors do not cover the counts and `max_horizon` days after them.
    """
    observed = panel(counts)
    wide = completed(observed, config.completeness)
    champions = champions_of(wide, dict(result.champions), config)
    fitter = ChampionFitter(config, TaskCache(folder), executor, regressors, progress)
    fits = fitter.fit(wide, champions, config.max_horizon)
    fitter.cache.remove_unused()
    learned = LearnedSurges.of(config.surges, wide, config.calendar)
    return Forecasts(
        config=config.model_copy(update={"surges": learned.config}),
        origin=wide.index[-1].date(),
        backtested=wide.index[-1].date(),
        series=_describe(wide, config, result.spread, champions).merge(learned.wildness, on=KEY, how="left"),
        means=fits.means,
        tail=observed.iloc[-TAIL_DAYS:],
        past_means=_last_window(result, wide, config),
        conformal=result.conformal,
        prophet=fits.models,
    )


def refresh_forecasts(
    counts: pd.DataFrame,
    config: ForecasterConfig,
    last: Forecasts,
    progress: Progress | None = None,
    folder: Path | None = None,
    regressors: pd.DataFrame | None = None,
    executor: Executor | None = None,
) -> Forecasts:
    """Today's forecasts by the champions of `last`, without a backtest.

    A series that `last` did not know, or that has become of another kind, has the combination, or the
    method of its kind.
    """
    observed = panel(counts)
    wide = completed(observed, config.completeness)
    before = {SeriesKey(*key): name for *key, name in last.series[[*KEY, "champion"]].itertuples(index=False)}
    champions = champions_of(wide, before, config)
    fitter = ChampionFitter(config, TaskCache(folder), executor, regressors, progress, last.prophet)
    fits = fitter.fit(wide, champions, config.max_horizon)
    past = wide.iloc[: -config.horizon]
    past = past.loc[:, past.notna().any()]
    past_fits = fitter.fit(past, champions_of(past, champions, config), config.horizon)
    fitter.cache.remove_unused()
    learned = LearnedSurges.of(config.surges, wide, config.calendar)
    return Forecasts(
        config=config.model_copy(update={"surges": learned.config}),
        origin=wide.index[-1].date(),
        backtested=last.backtested,
        series=_describe(wide, config, last.series[[*KEY, "daily", "weekly"]], champions).merge(
            learned.wildness, on=KEY, how="left"
        ),
        means=fits.means,
        tail=observed.iloc[-TAIL_DAYS:],
        past_means=_without_gaps(past_fits.means.reindex(columns=wide.columns), wide, config),
        conformal=last.conformal,
        prophet=fits.models,
    )


def _describe(
    wide: pd.DataFrame, config: ForecasterConfig, spread: pd.DataFrame, champions: dict[SeriesKey, str]
) -> pd.DataFrame:
    """The `series` frame of `Forecasts`."""
    kinds = {key: kind_of(trimmed(wide[key]), config) for key in keys_of(wide)}
    weeks = with_sums(wide).rolling(7).sum().iloc[-7 * config.surges.level_weeks :]
    rows = []
    for key in keys_of(weeks):
        of_week = {"week_level": weeks[key].quantile(config.surges.level_quantile), "week_usual": weeks[key].median()}
        methods = {"champion": champions.get(key, BOTTOM_UP), "kind": kinds.get(key, "sum")}
        rows.append({**key._asdict(), **methods, **of_week})
    described = pd.DataFrame(rows).merge(spread, on=KEY, how="left")
    for column in ("daily", "weekly"):
        described[column] = described[column].fillna(float(spread[column].median()))
    return described[[*KEY, "champion", "kind", "daily", "weekly", "week_level", "week_usual"]]


def _last_window(result: BacktestResult, wide: pd.DataFrame, config: ForecasterConfig) -> pd.DataFrame:
    """The champions' predictions of the last window; series without one have the mean of their past."""
    last = result.predictions[result.predictions["window"] == 0]
    names = pd.MultiIndex.from_frame(last[[*KEY, "forecaster"]])
    rows = last[names.isin([(*key, name) for key, name in result.champions.items()])]
    days = wide.index[-config.horizon :]
    means = rows.pivot(index="date", columns=KEY, values="mean").reindex(index=days, columns=wide.columns)
    return _without_gaps(means, wide, config)


def _without_gaps(means: pd.DataFrame, wide: pd.DataFrame, config: ForecasterConfig) -> pd.DataFrame:
    """Means of the last window; where there are none, the mean of the days before it."""
    filled = means.fillna(wide.iloc[: -config.horizon].mean()).fillna(wide.mean()).fillna(0.0)
    return filled.rename_axis(index="date")
