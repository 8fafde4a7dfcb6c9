"""KPIs of a span of days: of the region, and of its agencies, municipalities, sectors or sources.

In: a region, local days and the store. Out: `Kpis`, each figure beside that of as many days before. Whose complaints
count is part of each formula (`definitions.py`): volume and routing are of those received in the span, deadlines of
those that came due in it, times to an answer of those that were answered in it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal, get_args

from data.kpi.cohorts import Cohort, Cohorts, read_cohorts
from data.kpi.definitions import GROUPED
from data.kpi.figures import Figure, Sample, count, quantile, share
from data.kpi.span import DAY, Span
from data.regions.region import Region
from data.store.handling import HEADS
from data.store.store import Store

By = Literal["agency", "municipality", "sector", "source"]
BYS: tuple[By, ...] = get_args(By)


@dataclass(frozen=True)
class Group:
    """The figures of one agency, municipality, sector or source; of `GROUPED`."""

    name: str
    figures: dict[str, Figure]


@dataclass(frozen=True)
class Kpis:
    """All figures of a span.

    Attributes:
        as_of: when they were computed: what is due later is not due yet.
        figures: by the ids of `definitions.py`.
        daily: complaints received on each local day of the span before and of this one.
        groups: by what was asked for, those with most complaints first; never ordered by a rate.
    """

    span: Span
    before: Span
    as_of: datetime
    figures: dict[str, Figure]
    daily: list[tuple[date, int]]
    groups: list[Group] = field(default_factory=list)


def compute_kpis(store: Store, region: Region, span: Span, by: By | None = None, as_of: datetime | None = None) -> Kpis:
    """The KPIs of a span of local days.

    Raises:
        RequestError: the span ends before it begins, is longer than a year, or of no year of ours.
        StoreError: the store cannot be read.
    """
    return kpis_by(store, region, span, (by,), as_of)[0]


def kpis_by(
    store: Store, region: Region, span: Span, bys: Sequence[By | None], as_of: datetime | None = None
) -> list[Kpis]:
    """The same once for each grouping, as of one moment. Raises as `compute_kpis` does."""
    span.check()
    as_of = as_of or datetime.now(UTC)
    decided = [store.management_decisions.count(region.id, *each.moments(region)) for each in (span, span.before)]
    evidence = {"evidence": share(*decided)}
    kpis = []
    for by in bys:
        cohorts = read_cohorts(store, region, span, by, as_of)
        figures = {name: of(cohorts.all_now, cohorts.all_before) for name, of in FIGURES.items()} | evidence
        daily = [(day, cohorts.daily[day]) for day in (span.before.first + n * DAY for n in range(2 * span.days))]
        kpis.append(Kpis(span, span.before, as_of, figures, daily, [] if by is None else _groups(cohorts)))
    return kpis


def _groups(cohorts: Cohorts) -> list[Group]:
    earlier = {name: cohorts.before.get(name, Cohort()) for name in cohorts.now}
    groups = [
        Group(name, {each: FIGURES[each](cohort, earlier[name]) for each in GROUPED})
        for name, cohort in cohorts.now.items()
    ]
    return sorted(groups, key=lambda group: (-group.figures["volume"].n, group.name))


FigureOf = Callable[[Cohort, Cohort], Figure]


def _counted(of: Callable[[Cohort], int]) -> FigureOf:
    return lambda now, before: count(of(now), of(before))


def _shared(part: str, whole: str) -> FigureOf:
    """The share of `part` among `whole`, both of a cohort's counts."""
    return lambda now, before: share(*((each.counts[part], each.counts[whole]) for each in (now, before)))


def _quantiled(sample: Callable[[Cohort], Sample], level: float) -> FigureOf:
    return lambda now, before: quantile(sample(now), sample(before), level)


def _routing_hours(cohort: Cohort) -> Sample:
    return cohort.routing_hours


def _answer_days(cohort: Cohort) -> Sample:
    return cohort.answer_days


FIGURES: dict[str, FigureOf] = {
    "volume": _counted(lambda cohort: cohort.counts["volume"]),
    "routed": _shared("routed", "volume"),
    "reviewed": _shared("reviewed", "to_review"),
    "corrected": _shared("corrected", "volume"),
    **{f"agreement_{head}": _shared(f"agrees_{head}", f"said_{head}") for head in HEADS},
    "routing_median": _quantiled(_routing_hours, 0.5),
    "routing_p90": _quantiled(_routing_hours, 0.9),
    "deadlines_met": _shared("met", "due"),
    "overdue": _counted(lambda cohort: cohort.counts["due"] - cohort.counts["met"]),
    "answer_median": _quantiled(_answer_days, 0.5),
    "answer_p90": _quantiled(_answer_days, 0.9),
    "rerouted": _shared("rerouted", "told"),
    "repeats": _shared("repeats", "placed"),
}
"""How each figure of complaints is computed, of the span and the one before."""
