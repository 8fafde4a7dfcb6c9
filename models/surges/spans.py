"""From daily evidence to the spans of one series: when a surge began, was noticed, and was over.

In: one series' days with their evidence. Out: `Span`s. One opens on the first day whose evidence passes the threshold
and is dated back to the first day of that evidence; it is over once `QUIET_DAYS` observed days together are no surge
any more: under `min_ratio` times the usual, and nearer to it than to the surge. The decision worth knowing: a day that
is not observed is neither evidence nor an end.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.forecasting.config import SurgeConfig
from models.surges.evidence import LEAST_MEAN, SHORTEST, Evidence
from models.surges.thresholds import Thresholds

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

QUIET_DAYS = 3
"""Fewer could be a weekend inside a surge."""
SAME_EVENT_DAYS = 7
"""What flares up again within so many days is the same event; what begins within so many days elsewhere
in the region, in the same sector, too."""


@dataclass(frozen=True)
class Span:
    """An event of one series, as positions of days: its first and last day, when it was noticed, when found over."""

    first: int
    noticed: int
    last: int
    closed: int | None


@dataclass(frozen=True)
class SeriesEvidence:
    """One series' days.

    Attributes:
        counts, means: 0 where not observed.
        observed: whether there are both.
        cumulative: the sum of the capped log-likelihood ratios before each day, and of all.
        tail: −log10 of the least probable total that ends on a day, times its weight.
        tail_days: of how many days that total is.
    """

    counts: Floats
    means: Floats
    observed: Bools
    cumulative: Floats
    tail: Floats
    tail_days: Ints

    @classmethod
    def of(cls, evidence: Evidence, column: int, tail_weight: float) -> "SeriesEvidence":
        """One series of a panel's evidence."""
        counts, means = evidence.counts[:, column], evidence.means[:, column]
        observed = np.isfinite(counts) & np.isfinite(means)
        return cls(
            counts=np.where(observed, counts, 0.0),
            means=np.where(observed, means, 0.0),
            observed=observed,
            cumulative=np.concatenate([[0.0], np.cumsum(evidence.ratios[:, column])]),
            tail=tail_weight * evidence.tail[:, column],
            tail_days=evidence.tail_days[:, column],
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
        first = _alarm_since(series, day, earliest, thresholds.alarm, config.window_days)
        if first is not None:
            first = _without_quiet_beginning(series, first, day)
        if first is None or not _is_large(series, slice(first, day + 1), config):
            day += 1
            continue
        span = _followed(series, first, day, config.min_ratio)
        if spans and span.first - spans[-1].last <= SAME_EVENT_DAYS:
            before = spans.pop()
            span = Span(before.first, before.noticed, span.last, span.closed)
        spans.append(span)
        if span.closed is None:
            break
        earliest, day = span.last + 1, span.closed + 1
    return spans


def _alarm_since(series: SeriesEvidence, day: int, earliest: int, alarm: float, window_days: int) -> int | None:
    """The first day of the evidence that is an alarm on `day`; None where there is no alarm."""
    if not series.observed[day]:
        return None
    shortest = min(SHORTEST, window_days)
    starts = np.arange(max(earliest, day + 1 - window_days), max(day + 2 - shortest, 1))
    sums = series.cumulative[day + 1] - series.cumulative[starts]
    if len(sums) and sums.max() >= alarm:
        return int(starts[sums.argmax()])
    tail_start = day + 1 - int(series.tail_days[day])
    if series.tail[day] >= alarm and tail_start >= earliest:
        return max(tail_start, 0)
    return None


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
    for day in observed[observed > noticed]:
        recent = observed[(observed >= first) & (observed <= day)][-QUIET_DAYS:]
        before = slice(first, int(recent[0]))
        if len(recent) < QUIET_DAYS or not series.means[before].sum():
            continue
        midway = np.sqrt(max(series.counts[before].sum() / series.means[before].sum(), 1.0))
        if series.counts[recent].sum() < series.means[recent].sum() * min(midway, min_ratio):
            above = series.observed[before] & (series.counts[before] > series.means[before])
            last = first + int(np.flatnonzero(above)[-1]) if above.any() else int(recent[0]) - 1
            return Span(first, noticed, last, closed=int(day))
    return Span(first, noticed, int(observed[-1]), closed=None)
