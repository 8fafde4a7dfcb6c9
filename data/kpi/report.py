"""The weekly report as a document: what stands on its one page, in words, before anything is drawn.

In: KPIs of a week, the region's and those by agency and municipality. Out: a `Report`, whose every text is made of the
same figures as `GET /v1/kpi` answers with.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from data.errors import RequestError
from data.kpi.definitions import BY_ID, DEFINITIONS
from data.kpi.kpi import Group, Kpis, kpis_by
from data.kpi.span import Span, last_week
from data.kpi.words import change_text, days_text, interval_text, value_text
from data.regions.region import Region
from data.store.store import Store

ROWS = 8
"""Rows of a table that fit on the page: those with most complaints."""
COLUMNS = ("volume", "deadlines_met", "overdue", "answer_median", "answer_p90")


@dataclass(frozen=True)
class Line:
    """One figure in words."""

    name: str
    title: str
    value: str
    interval: str
    n: int
    change: str


@dataclass(frozen=True)
class ReportTable:
    """A table: its title, and of each row the name and the texts of `COLUMNS`; `left_out` rows did not fit."""

    title: str
    rows: list[tuple[str, list[str]]]
    left_out: int


@dataclass(frozen=True)
class Report:
    """The page.

    Attributes:
        daily: complaints of each day of the week before and of this one.
    """

    title: str
    subtitle: str
    made: str
    lines: list[Line]
    daily: list[tuple[date, int]]
    tables: list[ReportTable]
    footnote: str


def week_span(week: str | None, today: date) -> Span:
    """The days of `2026-W47`; without one, the last whole week.

    Raises:
        RequestError: it is no week.
    """
    if week is None:
        return last_week(today)
    year, _, number = week.partition("-W")
    try:
        monday = date.fromisocalendar(int(year), int(number), 1)
        return Span(monday, monday + timedelta(days=6))
    except (ValueError, OverflowError):
        raise RequestError(f"week {week!r} is none: write it as 2026-W47", week="write it as 2026-W47") from None


def weekly_report(store: Store, region: Region, span: Span, as_of: datetime | None = None) -> Report:
    """The report of a week.

    Raises:
        StoreError: the store cannot be read.
    """
    return report_of(region, *kpis_by(store, region, span, ("agency", "municipality"), as_of))


def report_of(region: Region, by_agency: Kpis, by_place: Kpis) -> Report:
    """The document of figures that are computed already."""
    span, made = by_agency.span, by_agency.as_of.astimezone(region.zone)
    figures = by_agency.figures
    return Report(
        title=f"{region.title}: обращения граждан за неделю",
        subtitle=f"{days_text(span.first, span.last)} (неделя {span.first.isocalendar().week})",
        made=f"Составлено {made:%d.%m.%Y %H:%M}",
        lines=[
            Line(
                each.id,
                each.title_ru,
                value_text(each.id, figures[each.id]),
                interval_text(each.id, figures[each.id]),
                figures[each.id].n,
                change_text(each.id, figures[each.id]),
            )
            for each in DEFINITIONS
        ],
        daily=by_agency.daily,
        tables=[_table("Исполнители", by_agency.groups), _table("Муниципалитеты", by_place.groups)],
        footnote=(
            "Интервалы 95 %: доли — Уилсона, медианы и 90 % — по порядковым статистикам. n — из скольких посчитано; "
            "доли и квантили менее чем из 20 не показаны. Изменение — к предыдущей неделе. "
            f"«Ответ в срок»: {BY_ID['deadlines_met'].formula_ru} Таблицы — по числу обращений, не по долям."
        ),
    )


def _table(title: str, groups: list[Group]) -> ReportTable:
    rows = [(g.name, [value_text(name, g.figures[name]) for name in COLUMNS]) for g in groups[:ROWS]]
    return ReportTable(title, rows, max(len(groups) - ROWS, 0))
