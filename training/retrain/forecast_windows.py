"""Champion and challenger forecast the same rolling windows: what the gate of forecasters judges.

In: daily counts, the champion's bundle and the recipe of the challenger. Out: a `ForecastComparison`. The windows are
the newest weeks, and none of their days had a say in what either side chose: the champion's choices are older, and the
challenger's training is rehearsed on the days before the first window. For each window both are fitted anew on the
days before it, as a refresh does every night, so that neither is older than the other.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from batch.executor import Executor
from batch.task_cache import TaskCache
from data.counts.daily import KEY
from data.errors import InputError
from models.forecasting.bundle import Forecasts
from models.forecasting.count_cleaning import completed
from models.forecasting.series import SeriesKey, long_form, panel
from models.surges.past import Past
from models.surges.thresholds import MONTH, count_alarms, surge_thresholds
from training.forecaster.backtest import Window
from training.forecaster.champion_fits import ChampionFitter, champions_of
from training.forecaster.train import Job
from training.forecaster.uncertainty import by_series, predicted_quantiles
from training.retrain.gate_limits import ForecastLimits

Floats = npt.NDArray[np.float64]
INTERVAL = [0.1, 0.5, 0.9]
"""Quantiles of the 80 % interval and the median between them."""
TURNS = 3
"""How often the forecast of the region is asked for; the best turn counts, as anything else only makes it slower."""


@dataclass(frozen=True)
class Served:
    """What one side said of the windows, and what it took.

    Attributes:
        days: `date, municipality, sector, window, actual, mean, q10, q50, q90`, of observed days.
        alarms: of each base series, surges that its thresholds told in the windows.
        fit_seconds: of the quickest window's fits.
        answer_seconds: to look the region's forecast up.
    """

    days: pd.DataFrame
    alarms: Floats
    fit_seconds: float
    answer_seconds: float


@dataclass(frozen=True)
class ForecastComparison:
    """Both sides on the same days of the same series.

    Attributes:
        first, last: days of the windows.
        windows: how many.
        months: that they last.
        champion, challenger: as they would have served.
        unrefreshed: `days` of the champion as it serves, of windows that it was fitted on no day of; maybe none.
        rewritten: by sector, what has become of the counts that the champion knew, see `rewritten`.
    """

    first: pd.Timestamp
    last: pd.Timestamp
    windows: int
    months: float
    champion: Served
    challenger: Served
    unrefreshed: pd.DataFrame
    rewritten: pd.DataFrame


def windows_since(champion: Forecasts, counts: pd.DataFrame, horizon: int, limits: ForecastLimits) -> int:
    """How many windows lie after all that the champion was chosen on.

    Raises:
        InputError: none.
    """
    last: pd.Timestamp = counts["date"].max()
    days = int((last.date() - champion.backtested).days)
    if days < horizon:
        raise InputError(
            f"the counts end on {last:%Y-%m-%d}, {days} days after those that the champion was chosen on "
            f"({champion.backtested:%Y-%m-%d}): {horizon} newer days are needed to compare on"
        )
    return min(limits.windows, days // horizon)


@dataclass(frozen=True, eq=False)
class Contest:
    """What both sides are given.

    Attributes:
        wide: dates × series, late entry mended.
        horizon, windows: of the windows.
        regressors: see `models/forecasting/regressors.py`.
        executor: where series are fitted.
    """

    wide: pd.DataFrame
    horizon: int
    windows: int
    regressors: pd.DataFrame | None
    executor: Executor | None

    @property
    def before(self) -> pd.DataFrame:
        """The days before the first window."""
        past = self.wide.iloc[: -self.windows * self.horizon]
        return past.loc[:, past.notna().any()]

    def window(self, number: int) -> Window:
        """A window, counted from the newest."""
        end = len(self.wide) - number * self.horizon
        return Window(end - self.horizon, end)


def compare_forecasters(
    job: Job, champion: Forecasts, challenger: Forecasts, limits: ForecastLimits, work: Path
) -> ForecastComparison:
    """Let both forecast the newest windows.

    Args:
        job: the challenger's training: counts, recipe, regressors, and who is told how far it is.
        champion: as it serves.
        challenger: as it is registered, whose answers are timed.
        limits: of the gate.
        work: where the rehearsal's unfinished work is kept.

    Raises:
        InputError: no window lies after all that the champion was chosen on.
        CountsError: the days before the windows are too few for a training.
    """
    horizon = job.config.horizon
    windows = windows_since(champion, job.counts, horizon, limits)
    wide = completed(panel(job.counts), job.config.completeness)
    contest = Contest(wide, horizon, windows, job.regressors, job.executor)
    job.say(f"rehearsing the training on the days before the last {windows} windows of {horizon} days")
    rehearsed = _rehearsed(job, contest, work)
    job.say(f"both forecast the last {windows} windows of {horizon} days")
    return ForecastComparison(
        first=wide.index[-windows * horizon],
        last=wide.index[-1],
        windows=windows,
        months=windows * horizon / MONTH,
        champion=_served(champion, contest, champion),
        challenger=_served(rehearsed, contest, challenger),
        unrefreshed=_unrefreshed(champion, contest),
        rewritten=rewritten(champion.tail, panel(job.counts)),
    )


def _rehearsed(job: Job, contest: Contest, work: Path) -> Forecasts:
    """The challenger's training on the days before the windows, whose late entry is mended already."""
    counts = long_form(contest.before, "count").dropna(subset=["count"])
    whole = job.config.model_copy(update={"completeness": []})
    rehearsal = replace(job, counts=counts, config=whole, work=work)
    return rehearsal.fit(rehearsal.backtest())


def _served(side: Forecasts, contest: Contest, answering: Forecasts) -> Served:
    """Each window by what a side has chosen, fitted on the days before it."""
    parts, seconds = [], []
    for number in reversed(range(contest.windows)):
        window = contest.window(number)
        past = contest.wide.iloc[: window.start]
        past = past.loc[:, past.notna().any()]
        chosen = {SeriesKey(*key): name for *key, name in side.series[[*KEY, "champion"]].itertuples(index=False)}
        fitter = ChampionFitter(side.config, TaskCache(None), contest.executor, contest.regressors)
        began = time.perf_counter()
        fits = fitter.fit(past, champions_of(past, chosen, side.config), contest.horizon)
        seconds.append(time.perf_counter() - began)
        parts.append(_days(fits.means, contest.wide.iloc[window.start : window.end], number))
    days = pd.concat(parts, ignore_index=True)
    return Served(_with_quantiles(days, side), _alarms(side, contest), min(seconds), _answer_seconds(answering))


def _days(means: pd.DataFrame, actual: pd.DataFrame, window: int) -> pd.DataFrame:
    """Observed days of one window: `date, municipality, sector, mean, actual, window`."""
    said = long_form(means, "mean")
    came = long_form(actual[means.columns], "actual")
    return said.merge(came, on=["date", *KEY]).dropna(subset=["actual"]).assign(window=window)


def _with_quantiles(days: pd.DataFrame, side: Forecasts) -> pd.DataFrame:
    """The median and the 80 % interval beside the means, by a side's dispersions and quantile levels."""
    daily = {SeriesKey(*key): float(value) for *key, value in side.series[[*KEY, "daily"]].itertuples(index=False)}
    unknown = float(side.series["daily"].median())
    return pd.concat(
        rows.assign(**predicted_quantiles(rows, daily.get(key, unknown), side.conformal, INTERVAL))
        for key, rows in by_series(days)
    ).sort_values(["date", *KEY], ignore_index=True)


def _alarms(side: Forecasts, contest: Contest) -> Floats:
    """How many surges a side's thresholds tell of each base series in the windows, each day judged by earlier ones."""
    surges = side.config.surges
    past = Past.of(contest.wide, side.config.calendar, surges.window_days)
    thresholds = surge_thresholds(surges)
    score = past.evidence.score(thresholds.day_weight)[-contest.windows * contest.horizon :, : past.base]
    return count_alarms(score, thresholds.alarm).astype(np.float64)


def _answer_seconds(forecasts: Forecasts) -> float:
    """What the region's forecast takes."""
    spent = []
    for _ in range(TURNS):
        began = time.perf_counter()
        forecasts.forecast(horizon=min(14, len(forecasts.means)))
        spent.append(time.perf_counter() - began)
    return min(spent)


def _unrefreshed(champion: Forecasts, contest: Contest) -> pd.DataFrame:
    """The windows that the champion's bundle forecasts as it is; none where it was fitted on their days."""
    parts = [pd.DataFrame(columns=["date", *KEY, "mean", "actual", "window"])]
    for number in range(contest.windows):
        window = contest.window(number)
        actual = contest.wide.iloc[window.start : window.end]
        known = [column for column in champion.means.columns if column in contest.wide.columns]
        means = champion.means.reindex(actual.index)[known]
        if len(known) and means.notna().all(axis=None):
            parts.append(_days(means, actual, number))
    days = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return _with_quantiles(days, champion) if len(days) else days


def rewritten(known: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """By sector, how much of the counts that a champion knew is another now: `changed` (Σ|now − known|), `known`.

    Args:
        known: dates × series: the end of the champion's counts.
        now: the same of today's counts; days or series that are gone count as zero.
    """
    today = now.reindex(index=known.index, columns=known.columns)
    changed = (today.fillna(0.0) - known.fillna(0.0)).abs()
    return pd.DataFrame(
        {name: frame.sum().groupby(level="sector").sum() for name, frame in (("changed", changed), ("known", known))}
    )
