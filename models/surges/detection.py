"""Surges: counts clearly above what their own season, weekday and calendar explain.

Observed: events in which the evidence of the last days (`evidence.py`) passes a threshold set by an allowed rate
of false alarms (`alarms.py`); with forecasts that had not seen those days (`surge_events`), or over a whole
history by a rolling baseline (`past_surges`). Expected: the probability that the coming seven days' total
passes a stated level, the 95 % quantile of the series' own weekly totals over the past year. In: panels
of counts and means. Out: a list of `Surge`, one a surge (`surge_events.py`), each with its reasons in Russian.
"""

from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.forecasting.bundle import Forecasts
from models.forecasting.config import SurgeConfig
from models.forecasting.distribution import tail_probability, window_dispersion
from models.forecasting.series import SeriesKey, keys_of, sums_of_observed, with_sums
from models.surges.baseline import rolling_baseline
from models.surges.events import Span, merged, spans
from models.surges.evidence import surge_evidence
from models.surges.reasons import bulk_of, with_reasons
from models.surges.thresholds import Thresholds, learned_thresholds, surge_thresholds
from models.surges.types import Surge

Floats = npt.NDArray[np.float64]
WEEK = 7


def surge_events(
    counts: pd.DataFrame,
    means: pd.DataFrame,
    dispersion: pd.DataFrame,
    config: SurgeConfig,
    as_of: date | None = None,
    calendar: str = "none",
) -> list[Surge]:
    """Observed surges, open and closed, as they are known at the end of `as_of`; the newest first.

    Args:
        counts: dates × series, sums among them or not, NaN where nothing was observed; days before
            those of `means` only serve for reasons.
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
    facts = dispersion.set_index(["municipality", "sector"])[["daily", "weekly"]]
    known = set(keys_of(means)) & {SeriesKey(str(place), str(sector)) for place, sector in facts.index}
    names = [tuple(key) for key in keys_of(counts) if key in known]
    if not names or days.empty:
        return []
    spread = facts.loc[names].to_numpy(dtype=np.float64).T
    return _events(counts, means.loc[days, names], spread[0], spread[1], surge_thresholds(config), config, calendar)


def observed_surges(
    counts: pd.DataFrame,
    means: pd.DataFrame,
    dispersion: pd.DataFrame,
    config: SurgeConfig,
    as_of: date | None = None,
    calendar: str = "none",
) -> list[Surge]:
    """The `surge_events` that go on at the end of `as_of`, the most striking first."""
    events = surge_events(counts, means, dispersion, config, as_of, calendar)
    return clearest_first([surge for surge in events if surge.closed is None])


def past_surges(
    counts: pd.DataFrame, config: SurgeConfig, calendar: str = "none", since: date | None = None
) -> list[Surge]:
    """All surges of a history, as a run on every single day would have told them; the newest first.

    Args:
        counts: dates × base series, NaN where nothing was observed. The first four weeks only teach.
        config: without a `threshold`, it is learned from these counts.
        calendar: `russia`: its days off are expected.
        since: leave out what was over before that day.
    """
    thresholds = learned_thresholds(counts, config, calendar)
    base = rolling_baseline(counts, calendar)
    panel, means = sums_of_observed(counts, base.means)
    above = rolling_baseline(panel[[column for column in panel if column not in counts]], calendar)
    names = [tuple(key) for key in keys_of(panel)]
    daily = pd.concat([base.daily, above.daily], axis=1)[names].to_numpy()
    weekly = pd.concat([base.weekly, above.weekly], axis=1)[names].to_numpy()
    found = _events(panel, means[names], daily, weekly, thresholds, config, calendar)
    return [surge for surge in found if since is None or surge.end >= since]


def _events(
    counts: pd.DataFrame,
    means: pd.DataFrame,
    daily: Floats,
    weekly: Floats,
    thresholds: Thresholds,
    config: SurgeConfig,
    calendar: str,
) -> list[Surge]:
    """The events of a panel on the days and series of `means`, merged, with their reasons."""
    keys, days = keys_of(means), pd.DatetimeIndex(means.index)
    y = counts.loc[days, [tuple(key) for key in keys]].to_numpy(dtype=np.float64)
    evidence = surge_evidence(y, means.to_numpy(dtype=np.float64), daily, weekly, keys, config.window_days)
    y = np.where(evidence.bulk, np.nan, y)
    daily, weekly = np.broadcast_to(daily, y.shape), np.broadcast_to(weekly, y.shape)
    found: list[Surge] = []
    score = evidence.score(thresholds.tail_weight)
    for at in np.flatnonzero((score >= thresholds.alarm).any(axis=0)):
        for span in spans(y[:, at], evidence, int(at), thresholds, config):
            spread = float(daily[span.noticed, at]), float(weekly[span.noticed, at])
            found.append(_surge(keys[at], span, y[:, at], evidence.means[:, at], spread, days, config))
    bulk = pd.DataFrame(evidence.bulk, index=days, columns=means.columns)
    told = [with_reasons(surge, found, counts, calendar, bulk_of(surge, bulk)) for surge in merged(found)]
    return sorted(told, key=lambda surge: (-surge.start.toordinal(), surge.expected - surge.count))


def _surge(
    key: SeriesKey,
    span: Span,
    y: Floats,
    mu: Floats,
    dispersion: tuple[float, float],
    days: pd.DatetimeIndex,
    config: SurgeConfig,
) -> Surge:
    inside = slice(span.first, span.last + 1)
    seen = np.isfinite(y[inside]) & np.isfinite(mu[inside])
    count, usual = float(y[inside][seen].sum()), float(mu[inside][seen].sum())
    closed = span.closed
    # Where the source has been silent for long, nobody knows any more: the event ends with the observations.
    if closed is None and len(days) - 1 - span.last >= config.window_days:
        closed = span.last + config.window_days
    chance = tail_probability(count, usual, window_dispersion(*dispersion, max(int(seen.sum()), 1)))
    return Surge(
        kind="observed",
        municipality=key.municipality,
        sector=key.sector,
        start=days[span.first].date(),
        end=days[span.last].date(),
        noticed=days[span.noticed].date(),
        closed=None if closed is None else days[closed].date(),
        expected=usual,
        count=count,
        level=None,
        probability=float(1 - chance),
    )


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
    return clearest_first([with_reasons(surge, found, shown, calendar) for surge in merged(found)])


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
        noticed=None,
        closed=None,
        expected=usual,
        count=total,
        level=level,
        probability=chance,
    )


def clearest_first(surges: list[Surge]) -> list[Surge]:
    """By probability in steps of a hundredth, then by what exceeds the usual."""
    return sorted(surges, key=lambda surge: (-round(surge.probability, 2), surge.expected - surge.count))
