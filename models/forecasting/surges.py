"""Surges: counts clearly above what their own season, weekday and calendar explain.

Observed: the total of the last 1 to `window_days` days against its predictive distribution (the tail
of a negative binomial), with forecasts that had not seen those days; a CUSUM of the daily surprise
dates the start. Expected: the probability that the coming seven days' total passes a stated level, the
95 % quantile of the series' own weekly totals over the past year. In: panels of counts and means.
Out: a list of `Surge`, the most striking first, each with its reasons in Russian.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.counts import REGION
from data.errors import ConfigError
from data.production_calendar import calendar_frame
from models.forecasting.config import SurgeConfig
from models.forecasting.distribution import tail_probability, window_dispersion
from models.forecasting.forecast import Forecasts
from models.forecasting.series import ALL_SECTORS, SeriesKey, keys_of, sums_of_observed, with_sums
from models.forecasting.special_days import LONG_RUN

Floats = npt.NDArray[np.float64]
WEEK = 7
SLACK = 0.5
"""A CUSUM forgets this many standard deviations a day: half of the shift that it is tuned for (Page 1954)."""


@dataclass(frozen=True)
class Surge:
    """One alert.

    Attributes:
        kind: `observed`: it has begun; `expected`: the forecast says that it will.
        municipality: a place, or all of the region.
        sector: a sector, or all of them.
        start: first day of the window that the figures are of.
        end: last day of it.
        since: since when the counts run above expectation; None for an expected surge.
        expected: what is usual for the window: the forecast made without having seen it (observed), or
            seven days at the mean of the last four weeks (expected).
        count: the observed total, or the forecast one.
        level: expected surges: the weekly total whose passing is forecast; None for observed ones.
        probability: that this is a surge: 1 − the chance of so high a total in usual times (observed), or
            that the total passes the level (expected).
        reasons: in Russian: calendar, trend, neighbours.
    """

    kind: Literal["observed", "expected"]
    municipality: str
    sector: str
    start: date
    end: date
    since: date | None
    expected: float
    count: float
    level: float | None
    probability: float
    reasons: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        """How many times the usual."""
        return self.count / max(self.expected, 0.1)


def observed_surges(
    counts: pd.DataFrame,
    means: pd.DataFrame,
    dispersion: pd.DataFrame,
    config: SurgeConfig,
    as_of: date | None = None,
    calendar: str = "none",
) -> list[Surge]:
    """Surges that go on at the end of `as_of`.

    Args:
        counts: dates × series, NaN where nothing was observed; four weeks are enough.
        means: dates × series: forecasts of the same days, made without having seen them. Only days
            and series that both panels have are judged.
        dispersion: `municipality, sector, daily, weekly`, as in `Forecasts.series`.
        config: thresholds.
        as_of: the last day that is complete; None: the last of `counts`.
        calendar: `russia` gives reasons from the production calendar.
    """
    last = pd.Timestamp(as_of) if as_of is not None else counts.index[-1]
    days = pd.DatetimeIndex(counts.index.intersection(means.index))
    days = days[days <= last]
    spread = {
        SeriesKey(str(row["municipality"]), str(row["sector"])): (float(row["daily"]), float(row["weekly"]))
        for row in dispersion.to_dict("records")
    }
    known = set(keys_of(means)) & set(spread)
    found: list[Surge] = []
    for key in [key for key in keys_of(counts) if key in known]:
        surge = _observed(
            key,
            counts.loc[days, tuple(key)].to_numpy(dtype=np.float64),
            means.loc[days, tuple(key)].to_numpy(dtype=np.float64),
            spread[key],
            days,
            config,
        )
        if surge is not None:
            found.append(surge)
    return clearest_first([_with_reasons(surge, found, counts, calendar) for surge in found])


def _observed(
    key: SeriesKey,
    count: Floats,
    mean: Floats,
    dispersion: tuple[float, float],
    days: pd.DatetimeIndex,
    config: SurgeConfig,
) -> Surge | None:
    """The surge at the end of one series, if there is one."""
    seen = np.isfinite(count) & np.isfinite(mean)
    if not seen[-config.window_days :].any():
        return None
    # A surge is judged at the last day that was observed: silence after it is no sign of its end.
    end = int(np.flatnonzero(seen)[-1]) + 1
    count, mean, seen, days = count[:end], mean[:end], seen[:end], days[:end]
    count, mean = np.where(seen, count, 0.0), np.where(seen, mean, 0.0)
    tested = _window_tails(count, mean, seen, dispersion, config.window_days)
    chance = min(tested.values(), default=1.0)
    # The windows overlap, so their tests are worth about half their number.
    allowed = config.alarms_per_year / 365 / (1 + 0.5 * (len(tested) - 1))
    if chance > allowed:
        return None
    best = min(tested, key=lambda window: tested[window])
    first = min(_cusum_start(count, mean, seen, dispersion[0]), len(count) - best)
    total, usual = float(count[first:].sum()), float(mean[first:].sum())
    if total < config.min_count or total < config.min_ratio * usual:
        return None
    if total <= usual or not _still_up(count, mean, seen):
        return None
    return Surge(
        kind="observed",
        municipality=key.municipality,
        sector=key.sector,
        start=days[first].date(),
        end=days[-1].date(),
        since=days[first].date(),
        expected=usual,
        count=total,
        level=None,
        probability=float(1 - min(1.0, chance * (1 + 0.5 * (len(tested) - 1)))),
    )


def _window_tails(
    count: Floats, mean: Floats, seen: npt.NDArray[np.bool_], dispersion: tuple[float, float], longest: int
) -> dict[int, float]:
    """Days of a window that ends on the last day → the chance of so high a total in usual times."""
    tails = {}
    for window in range(1, min(longest, len(count)) + 1):
        observed = int(seen[-window:].sum())
        if observed == 0:
            continue
        alpha = window_dispersion(*dispersion, observed)
        tails[window] = float(tail_probability(count[-window:].sum(), mean[-window:].sum(), alpha))
    return tails


def _cusum_start(count: Floats, mean: Floats, seen: npt.NDArray[np.bool_], daily: float) -> int:
    """Where the last run of accumulated surprise began."""
    surprise = (count - mean) / np.sqrt(np.maximum(mean + daily * mean**2, 0.25))
    state, start = 0.0, len(count)
    for at in range(len(count)):
        if not seen[at]:
            continue
        if state == 0.0:
            start = at
        state = max(0.0, state + min(surprise[at], 4.0) - SLACK)
        if state == 0.0:
            start = len(count)
    return start


def _still_up(count: Floats, mean: Floats, seen: npt.NDArray[np.bool_]) -> bool:
    """Whether at least one of the last three observed days lies above its forecast."""
    recent = np.flatnonzero(seen)[-3:]
    return bool((count[recent] > mean[recent]).any())


def expected_surges(forecasts: Forecasts, counts: pd.DataFrame | None = None, start: date | None = None) -> list[Surge]:
    """Series, sums included, whose total of seven coming days will probably pass its level.

    Args:
        forecasts: the champions' forecasts.
        counts: dates × base series, to tell what is usual; None: the tail kept with the forecasts.
        start: the first of the seven days; None: the day after `counts`. Where one of the days has no
            forecast, nothing is expected.
    """
    config = forecasts.config.surges
    counts = forecasts.tail if counts is None else counts
    first = pd.Timestamp(start) if start is not None else counts.index[-1] + pd.Timedelta(days=1)
    days = pd.date_range(first, periods=WEEK, freq="D", name="date")
    base = pd.concat([forecasts.past_means, forecasts.means])
    means = base.reindex(days)
    if means.isna().any(axis=None):
        return []
    recent = counts.loc[counts.index < first].iloc[-28:]
    totals = with_sums(means).sum()
    # The usual of a sum is that of its members, each over the days on which it was observed.
    usual = with_sums((recent.mean() * WEEK).fillna(means.sum()).to_frame().T).iloc[0]
    found: list[Surge] = []
    for row in forecasts.series.to_dict("records"):
        key = SeriesKey(str(row["municipality"]), str(row["sector"]))
        spread, level = float(row["weekly"]), float(row["week_level"])
        surge = _expected(key, float(totals[key]), float(usual[key]), level, spread, days, config)
        if surge is not None:
            found.append(surge)
    shown, calendar = sums_of_observed(recent, base)[0], forecasts.config.calendar
    return clearest_first([_with_reasons(surge, found, shown, calendar) for surge in found])


def _expected(
    key: SeriesKey,
    total: float,
    usual: float,
    level: float,
    weekly: float,
    days: pd.DatetimeIndex,
    config: SurgeConfig,
) -> Surge | None:
    """The surge that a series' forecast total makes probable, if it does."""
    if not np.isfinite(level) or not np.isfinite(usual):
        return None
    chance = float(tail_probability(np.floor(level) + 1, total, weekly))
    if chance < config.min_probability or total < max(config.min_count, config.min_ratio * usual):
        return None
    return Surge(
        kind="expected",
        municipality=key.municipality,
        sector=key.sector,
        start=days[0].date(),
        end=days[-1].date(),
        since=None,
        expected=usual,
        count=total,
        level=level,
        probability=chance,
    )


def clearest_first(surges: list[Surge]) -> list[Surge]:
    """By probability in steps of a hundredth, then by what exceeds the usual."""
    return sorted(surges, key=lambda surge: (-round(surge.probability, 2), surge.expected - surge.count))


def _with_reasons(surge: Surge, found: list[Surge], counts: pd.DataFrame, calendar: str) -> Surge:
    reasons = []
    if calendar == "russia":
        reasons += _calendar_reasons(surge)
    reasons += _trend_reasons(surge, counts)
    neighbours = [
        other.municipality
        for other in found
        if other.sector == surge.sector and other.municipality not in (surge.municipality, REGION)
    ]
    if neighbours and surge.municipality == REGION:
        reasons.append(f"муниципалитеты со всплеском: {', '.join(neighbours)}")
    elif neighbours:
        reasons.append(f"в той же отрасли всплеск и у соседей по региону: {', '.join(neighbours)}")
    if surge.sector == ALL_SECTORS:
        inside = [o.sector for o in found if o.municipality == surge.municipality and o.sector != ALL_SECTORS]
        if inside:
            reasons.append(f"отрасли со всплеском: {', '.join(inside)}")
    return Surge(**{**surge.__dict__, "reasons": tuple(reasons)})


def _calendar_reasons(surge: Surge) -> list[str]:
    """Long holidays inside the window, or just before it."""
    try:
        calendar = calendar_frame(surge.start - timedelta(days=3), surge.end)
    except ConfigError:  # outside the years of the calendar
        return []
    off = calendar["kind"].isin(["weekend", "holiday"])
    run = off.groupby((~off).cumsum()).transform("sum").where(off, 0)
    reasons = []
    if (run >= LONG_RUN).any():
        reasons.append("длинные выходные: после них обращения приходят разом")
    names = calendar.loc[(calendar["kind"] == "holiday") & (calendar["date"] >= pd.Timestamp(surge.start)), "name"]
    holidays = [name for name in dict.fromkeys(names) if not name.startswith("Выходной")]
    if holidays:
        reasons.append(f"праздники в окне: {', '.join(holidays)}")
    return reasons


def _trend_reasons(surge: Surge, counts: pd.DataFrame) -> list[str]:
    """A rise that had begun before the window: the last two weeks before it, against the two before those."""
    key = (surge.municipality, surge.sector)
    if key not in counts:
        return []
    before = counts.loc[counts.index < pd.Timestamp(surge.start), key].to_numpy(dtype=np.float64)[-28:]
    if len(before) < 28 or np.isfinite(before).sum() < 20:
        return []
    earlier, later = np.nanmean(before[:14]), np.nanmean(before[14:])
    if later < 1.2 * earlier or (later - earlier) * 14 < 5:
        return []
    return [f"рост ещё до начала: {later:.1f} в день против {earlier:.1f} двумя неделями раньше".replace(".", ",")]
