"""The complaints of a span as KPIs count them: those received in it, those that came due in it, those answered in it.

In: the store and a span. Out: `Cohorts`: counts and samples of each group, of the span and of the one before.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import numpy as np

from data.kpi.figures import Sample
from data.kpi.span import Span
from data.regions.region import Region
from data.store.handling_sums import RECEIVED, Pairs
from data.store.store import Store

NONE: Sample = np.empty(0)
HOUR, DAY = np.timedelta64(1, "h"), np.timedelta64(1, "D")


@dataclass
class Cohort:
    """The complaints of one group.

    Attributes:
        counts: `volume` of those received, each of `RECEIVED` among them; `due`, and those `met`.
        routing_hours: of those received that went somewhere; of a whole region only.
        answer_days: of those answered.
    """

    counts: Counter[str] = field(default_factory=Counter)
    routing_hours: Sample = field(default_factory=lambda: NONE)
    answer_days: Sample = field(default_factory=lambda: NONE)


@dataclass(frozen=True)
class Cohorts:
    """The cohorts of a span and of the one before: of each group, and of all together; complaints of each day."""

    now: dict[str, Cohort]
    before: dict[str, Cohort]
    all_now: Cohort
    all_before: Cohort
    daily: Counter[date]


def read_cohorts(store: Store, region: Region, span: Span, by: str | None, as_of: datetime) -> Cohorts:
    """The complaints of a span by a column of their handling (None: all are one group); what is due later is not due.

    Raises:
        StoreError: the store cannot be read.
    """
    now: dict[str, Cohort] = defaultdict(Cohort)
    before: dict[str, Cohort] = defaultdict(Cohort)
    daily: Counter[date] = Counter()
    for day, name, counts in store.handling.received(region.id, span.before.first, span.last, by):
        cohort = (now if day >= span.first else before)[name]
        cohort.counts.update(dict(zip(("volume", *RECEIVED), counts, strict=True)))
        daily[day] += counts[0]
    for each, cohorts in ((span.before, before), (span, now)):
        begin, end = (moment.replace(tzinfo=UTC) for moment in each.moments(region))
        for name, (due, met) in store.handling.due(region.id, begin, min(end, as_of), by).items():
            cohorts[name].counts.update(due=due, met=met)
        for name, answered in store.handling.answered(region.id, begin, end, by).items():
            cohorts[name].answer_days = _took(answered, DAY)
    routed = store.handling.routed(region.id, span.before.first, span.last)
    hours = [
        np.concatenate([NONE, *(_took(each, HOUR) for day, each in routed.items() if (day >= span.first) is in_span)])
        for in_span in (True, False)
    ]
    return Cohorts(now, before, _all(now.values(), hours[0]), _all(before.values(), hours[1]), daily)


def _took(pairs: Pairs, unit: np.timedelta64) -> Sample:
    """How long it took; clocks that go wrong make no time negative."""
    began, done = pairs
    return np.maximum((done - began) / unit, 0)


def _all(cohorts: Iterable[Cohort], routing_hours: Sample) -> Cohort:
    """All groups together."""
    counts, days = Counter[str](), [NONE]
    for cohort in cohorts:
        counts.update(cohort.counts)
        days.append(cohort.answer_days)
    return Cohort(counts, routing_hours, np.concatenate(days))
