"""From daily evidence to the spans of one series: when a surge began, was noticed, and was over.

In: one series' days with their evidence. Out: `Span`s. One opens on the first day whose evidence passes the threshold
and is dated back to the first day of that evidence. Where that is a single day, the next observed day confirms it (it
is itself more like a surge than like the usual) or withdraws it. An event is over once `QUIET_DAYS` observed days
together are no surge any more: under `min_ratio` times the usual, and nearer to it than to the surge. The decision
worth knowing: a day that is not observed is neither evidence nor an end.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models.forecasting.config import SurgeConfig
from models.surges.evidence import LEAST_MEAN, SHORTEST, Evidence
from models.surges.thresholds import Thresholds

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

WEEK = 7
QUIET_DAYS = 3
"""Fewer could be a weekend inside a surge."""
SAME_EVENT_DAYS = 7
"""What flares up again within so many days is the same event; what begins within so many days elsewhere
in the region, in the same sector, too."""


LEVEL_DAYS = 21
"""What has gone on for three weeks and stays is a new level."""


@dataclass(frozen=True)
class Span:
    """An event of one series, as positions of days.

    Attributes:
        first, last: its first and last day.
        noticed: the day on which the evidence was enough.
        closed: the day on which it was found to be over; None while it goes on.
        confirmed: False: a single day, not yet or not at all confirmed by the next.
        recovering: it goes on, but the last observed days were no surge any more.
        new_level: the counts have stayed where it brought them.
        strength: the highest evidence over the threshold.
    """

    first: int
    noticed: int
    last: int
    closed: int | None
    confirmed: bool = True
    recovering: bool = False
    new_level: bool = False
    strength: float = 1.0


@dataclass(frozen=True)
class SeriesEvidence:
    """One series' days.

    Attributes:
        counts, means: 0 where not observed; means are the larger ones, with or without the common factor.
        observed: whether there are both.
        ratios: the capped log-likelihood ratios of the days.
        cumulative: their sum before each day, and of all.
        sudden: the evidence of each day alone, times its weight.
        score: the evidence of each day.
    """

    counts: Floats
    means: Floats
    observed: Bools
    ratios: Floats
    cumulative: Floats
    sudden: Floats
    score: Floats

    @classmethod
    def of(cls, evidence: Evidence, column: int, day_weight: float) -> "SeriesEvidence":
        """One series of a panel's evidence."""
        counts, means, ratios = (of[:, column] for of in (evidence.counts, evidence.usual, evidence.ratios))
        observed = np.isfinite(counts) & np.isfinite(means)
        sudden = day_weight * evidence.sudden[:, column]
        return cls(
            counts=np.where(observed, counts, 0.0),
            means=np.where(observed, means, 0.0),
            observed=observed,
            ratios=ratios,
            cumulative=np.concatenate([[0.0], np.cumsum(ratios)]),
            sudden=sudden,
            score=np.maximum(evidence.scan[:, column], sudden),
        )

    def ratio(self, days: slice) -> float:
        """What came over what is usual on some days, at least 1."""
        usual = max(float(self.means[days].sum()), LEAST_MEAN)
        return max(float(self.counts[days].sum()) / usual, 1.0)


def spans_of(series: SeriesEvidence, thresholds: Thresholds, config: SurgeConfig) -> list[Span]:
    """The events of one series, the oldest first; only the last one can still be open."""
    spans: list[Span] = []
    earliest = day = 0  # no evidence from before `earliest` counts: it was the event's before
    while day < len(series.counts):
        alarm = _alarm_on(series, day, earliest, thresholds.alarm, config.window_days)
        first = None if alarm is None else _without_quiet_beginning(series, alarm.first, day)
        if alarm is None or first is None or not _is_large(series, slice(first, day + 1), config):
            day += 1
            continue
        span = _single_day(series, day) if alarm.sudden else None
        if span is None:
            span = _followed(series, first, day, config.min_ratio)
        if spans and span.first - spans[-1].last <= SAME_EVENT_DAYS:
            before = spans.pop()
            span = replace(span, first=before.first, noticed=before.noticed, confirmed=True)
        spans.append(_weighed(series, span, thresholds.alarm, config.min_ratio))
        if span.closed is None:
            break
        earliest, day = span.last + 1, span.closed + 1
    return spans


@dataclass(frozen=True)
class _Alarm:
    """An alarm: the first day of its evidence, and whether that is a single day."""

    first: int
    sudden: bool


def _alarm_on(series: SeriesEvidence, day: int, earliest: int, alarm: float, window_days: int) -> _Alarm | None:
    """The alarm on a day; None where there is none."""
    if not series.observed[day]:
        return None
    shortest = min(SHORTEST, window_days)
    starts = np.arange(max(earliest, day + 1 - window_days), max(day + 2 - shortest, 1))
    sums = series.cumulative[day + 1] - series.cumulative[starts]
    if len(sums) and sums.max() >= alarm:
        return _Alarm(int(starts[sums.argmax()]), sudden=False)
    return _Alarm(day, sudden=True) if series.sudden[day] >= alarm else None


def _single_day(series: SeriesEvidence, day: int) -> Span | None:
    """The event of a day that stands alone; None where the next observed day confirms it."""
    following = np.flatnonzero(series.observed[day + 1 :])
    if not len(following):
        return Span(day, day, day, closed=None, confirmed=False)
    next_day = day + 1 + int(following[0])
    return None if series.ratios[next_day] > 0 else Span(day, day, day, closed=next_day, confirmed=False)


def _weighed(series: SeriesEvidence, span: Span, alarm: float, min_ratio: float) -> Span:
    """The span with its strength, and whether it is a new level."""
    strongest = float(series.score[span.first : span.last + 1].max(initial=alarm))
    return replace(span, strength=strongest / alarm, new_level=_is_new_level(series, span, min_ratio))


def _is_new_level(series: SeriesEvidence, span: Span, min_ratio: float) -> bool:
    """Whether the counts of the last week known of a long event are still nearer to it than to the week before it."""
    end = (len(series.counts) - 1 if span.closed is None else span.closed) + 1
    week = slice(max(span.first - WEEK, 0), span.first)
    before = series.means[week].sum() / max(series.observed[week].sum(), 1)
    inside = series.observed[span.first : end]
    if end - span.first < LEVEL_DAYS or before <= 0 or not inside.any():
        return False
    during = series.counts[span.first : end].sum() / inside.sum()
    last = np.flatnonzero(series.observed[:end])[-WEEK:]
    risen = max(float(during / before), min_ratio**2)
    return bool(series.counts[last].mean() >= before * np.sqrt(risen))


def _without_quiet_beginning(series: SeriesEvidence, first: int, day: int) -> int:
    """The first day that is nearer to the surge than to the usual, in terms of the days after it."""
    while first < day:
        surge_ratio = series.ratio(slice(first + 1, day + 1))
        midway = series.means[first] * np.sqrt(surge_ratio)  # the geometric mean of the usual and the surge
        if series.counts[first] >= midway and series.counts[first] > 0:
            break
        first += 1
    return first


def _is_large(series: SeriesEvidence, days: slice, config: SurgeConfig) -> bool:
    count, usual = series.counts[days].sum(), series.means[days].sum()
    return bool(count >= config.min_count and count >= config.min_ratio * usual)


def _followed(series: SeriesEvidence, first: int, noticed: int, min_ratio: float) -> Span:
    """The event that began on `first` and was noticed on `noticed`, up to its end."""
    observed = np.flatnonzero(series.observed)
    recovering = False
    for day in observed[observed > noticed]:
        recent = observed[(observed >= first) & (observed <= day)][-QUIET_DAYS:]
        before = slice(first, int(recent[0]))
        if len(recent) < QUIET_DAYS or not series.means[before].sum():
            continue
        midway = np.sqrt(max(series.counts[before].sum() / series.means[before].sum(), 1.0))
        quiet = min(midway, min_ratio)
        if series.counts[recent].sum() < series.means[recent].sum() * quiet:
            above = series.observed[before] & (series.counts[before] > series.means[before])
            last = first + int(np.flatnonzero(above)[-1]) if above.any() else int(recent[0]) - 1
            return Span(first, noticed, last, closed=int(day))
        recovering = bool(series.counts[day] < series.means[day] * quiet)
    return Span(first, noticed, int(observed[-1]), closed=None, recovering=recovering)
