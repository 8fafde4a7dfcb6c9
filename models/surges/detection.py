"""Surges: counts clearly above what their own season, weekday and calendar explain.

Observed: events in which the evidence of the last days (`evidence.py`) passes a threshold set by an allowed rate
of false alarms (`thresholds.py`); with forecasts that had not seen those days (`observed_surges`), or over a whole
history by a rolling baseline (`past_surges`). Expected: the probability (`exceedance.py`) that the coming seven days'
total passes a stated level, the 95 % quantile of the series' own weekly totals over the past year. In: panels
of counts and means. Out: a list of `Surge`, one a surge (`events.py`), each with its reasons in Russian.
"""

from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import pandas as pd

from data.counts.daily import KEY
from models.forecasting.bundle import Forecasts
from models.forecasting.config import SurgeConfig
from models.forecasting.distribution import tail_probability, window_dispersion
from models.forecasting.series import SeriesKey, keys_of, sums_of_observed, with_sums
from models.surges.baseline import Baseline
from models.surges.events import merged
from models.surges.evidence import Evidence, surge_evidence
from models.surges.exceedance import FOUR_WEEKS, WEEK, ComingWeeks, probabilities, worth_telling
from models.surges.past import Past
from models.surges.reasons import bulk_of, with_reasons
from models.surges.spans import SeriesEvidence, Span, spans_of
from models.surges.thresholds import Thresholds, surge_thresholds
from models.surges.types import Surge

WEEK_COLUMNS = tuple(field.name for field in fields(ComingWeeks))


def observed_surges(
    counts: pd.DataFrame,
    means: pd.DataFrame,
    dispersions: pd.DataFrame,
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
        dispersions: `municipality, sector, daily, weekly, wildness`, as in `Forecasts.series`; without the last, all
            series are equally wild.
        config: thresholds.
        as_of: the last day that is complete; None: the last of `counts`.
        calendar: `russia` gives reasons from the production calendar.
    """
    last = pd.Timestamp(as_of) if as_of is not None else counts.index[-1]
    days = counts.index.intersection(means.index)
    days = days[days <= last]
    of_series = dispersions.set_index(KEY)
    judged = set(keys_of(means)) & {SeriesKey(str(place), str(sector)) for place, sector in of_series.index}
    names = [tuple(key) for key in keys_of(counts) if key in judged]
    if not names or days.empty:
        return []
    baseline = Baseline.with_constant_dispersions(means.loc[days, names], of_series)
    wild = of_series["wildness"] if "wildness" in of_series else pd.Series(1.0, index=of_series.index)
    wildness = np.asarray(wild.reindex(pd.MultiIndex.from_tuples(names)), dtype=np.float64)
    evidence = surge_evidence(counts.loc[days, names], baseline, config.window_days, wildness)
    return _Judged(counts, baseline, evidence, surge_thresholds(config)).events(config, calendar)


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
    past = Past.of(counts, calendar, config.window_days)
    judged = _Judged(past.counts, past.baseline, past.evidence, past.thresholds(config))
    return [surge for surge in judged.events(config, calendar) if since is None or surge.end >= since]


@dataclass(frozen=True)
class _Judged:
    """Days that have been judged: those of `baseline` and `evidence`; `counts` may reach further back."""

    counts: pd.DataFrame
    baseline: Baseline
    evidence: Evidence
    thresholds: Thresholds

    def events(self, config: SurgeConfig, calendar: str) -> list[Surge]:
        """The events, merged, with their reasons; the newest first."""
        days, columns = pd.DatetimeIndex(self.baseline.means.index), self.baseline.means.columns
        keys = keys_of(self.baseline.means)
        highest = self.evidence.score(self.thresholds.day_weight).max(axis=0)
        of_series: list[Surge] = []
        for column in np.flatnonzero(highest >= self.thresholds.alarm).tolist():
            series = SeriesEvidence.of(self.evidence, column, self.thresholds.day_weight)
            for span in spans_of(series, self.thresholds, config):
                dispersion = self._dispersion(span, series, column)
                of_series.append(_observed(keys[column], span, series, days, dispersion, config.window_days))
        bulk = pd.DataFrame(self.evidence.bulk, index=days, columns=columns)
        surges = [
            with_reasons(surge, of_series, self.counts, calendar, bulk_of(surge, bulk)) for surge in merged(of_series)
        ]
        return sorted(surges, key=lambda surge: (-surge.start.toordinal(), -surge.importance))

    def _dispersion(self, span: Span, series: SeriesEvidence, column: int) -> float:
        """Of a span's total, as known when it was noticed."""
        daily, weekly = (
            float(of.to_numpy(dtype=np.float64)[span.noticed, column])
            for of in (self.baseline.daily, self.baseline.weekly)
        )
        return window_dispersion(daily, weekly, days=max(int(series.observed[span.first : span.last + 1].sum()), 1))


def _observed(
    key: SeriesKey,
    span: Span,
    series: SeriesEvidence,
    days: pd.DatetimeIndex,
    dispersion: float,
    window_days: int,
) -> Surge:
    """The surge of one series' span; `dispersion` of its total, as known when it was noticed."""
    inside = slice(span.first, span.last + 1)
    count, usual = float(series.counts[inside].sum()), float(series.means[inside].sum())
    chance = tail_probability(count, usual, dispersion)
    closed = span.closed
    # Where the source has been silent for long, nobody knows any more: the event ends with the observations.
    if closed is None and len(days) - 1 - span.last >= window_days:
        closed = span.last + window_days
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
        confirmed=span.confirmed,
        recovering=span.recovering,
        new_level=span.new_level,
        strength=span.strength,
    )


def expected_surges(forecasts: Forecasts, counts: pd.DataFrame | None = None) -> list[Surge]:
    """Series, sums included, whose total of seven coming days may well pass its level; none where that has no skill.

    Args:
        forecasts: the champions' forecasts, with what their training learned of past weeks.
        counts: dates × base series, to tell what the last weeks were; None: the tail kept with the forecasts. Where one
            of the seven days after them has no forecast, nothing is expected.
    """
    config = forecasts.config.surges
    counts = forecasts.tail if counts is None else counts
    week = pd.date_range(counts.index[-1] + pd.Timedelta(days=1), periods=WEEK, freq="D", name="date")
    all_means = pd.concat([forecasts.past_means, forecasts.means])
    means = all_means.reindex(week)
    if means.isna().any(axis=None) or config.exceedance is None or not config.exceedance.has_skill:
        return []
    shown = sums_of_observed(counts.iloc[-FOUR_WEEKS:], all_means)[0]
    coming = _coming_week(forecasts, shown, with_sums(means).sum())
    weeks = ComingWeeks(**{name: coming[name].to_numpy(dtype=np.float64) for name in WEEK_COLUMNS})
    coming["probability"] = probabilities(config.exceedance, weeks)
    large = worth_telling(weeks.level, coming["usual"].to_numpy(dtype=np.float64), config)
    told = coming[large & (coming["probability"] >= config.min_probability)]
    by_series = told.T  # as every other panel: a column a series
    of_series = [_expected(key, week, by_series[tuple(key)]) for key in keys_of(by_series)]
    calendar = forecasts.config.calendar
    return clearest_first([with_reasons(surge, of_series, shown, calendar) for surge in merged(of_series)])


def _coming_week(forecasts: Forecasts, recent: pd.DataFrame, outlook: "pd.Series[float]") -> pd.DataFrame:
    """`WEEK_COLUMNS` of the week after some days, and what is `usual`, a row a series that is known."""
    of_series = forecasts.series.set_index(KEY)
    last = recent.iloc[-WEEK:]
    columns = (of_series["week_level"], outlook, last.mean() * WEEK, recent.mean() * WEEK, last.max() * WEEK)
    known = dict(zip(WEEK_COLUMNS, columns, strict=True)) | {"usual": of_series["week_usual"]}
    return pd.DataFrame(known).dropna()


def _expected(key: SeriesKey, week: pd.DatetimeIndex, coming: "pd.Series[float]") -> Surge:
    return Surge(
        kind="expected",
        municipality=key.municipality,
        sector=key.sector,
        start=week[0].date(),
        end=week[-1].date(),
        noticed=None,
        closed=None,
        expected=coming["usual"],
        count=coming["outlook"],
        level=coming["level"],
        probability=coming["probability"],
    )


def clearest_first(surges: list[Surge]) -> list[Surge]:
    """By probability in steps of a hundredth, then by what exceeds the usual."""
    return sorted(surges, key=lambda surge: (-round(surge.probability, 2), surge.expected - surge.count))
