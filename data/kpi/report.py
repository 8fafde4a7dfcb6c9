"""The weekly report as a document: what stands on its one page, in words, before anything is drawn.

In: KPIs of a week, the region's and those by agency and municipality. Out: a `Report`, whose every text is made of the
same figures as `GET /v1/kpi` answers with.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from data.errors import RequestError
from data.kpi.definitions import BY_ID, DEFINITIONS
from data.kpi.kpi import Group, Kpis, kpis_by
from data.kpi.outlook import LEVEL, Outlook, SectorForecast, WeekSurge
from data.kpi.span import Span, last_week
from data.kpi.words import change_text, days_text, interval_text, value_text
from data.regions.region import Region
from data.store.store import Store

ROWS, SURGES, SECTORS = 7, 4, 8
"""What fits on the page: those with most complaints, the most important surges, the largest sectors."""
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
        surges: of each what, its days, what came, what is usual, what became of it; the note stands below.
        coming: of each sector the forecast total and its interval; the note stands in its place.
    """

    title: str
    subtitle: str
    made: str
    lines: list[Line]
    daily: list[tuple[date, int]]
    tables: list[ReportTable]
    surges: list[tuple[str, ...]]
    surges_note: str | None
    coming_title: str
    coming: list[tuple[str, str, str]]
    coming_note: str | None
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


def weekly_report(store: Store, region: Region, span: Span, outlook: Outlook, as_of: datetime | None = None) -> Report:
    """The report of a week.

    Raises:
        StoreError: the store cannot be read.
    """
    by_agency, by_place = kpis_by(store, region, span, ("agency", "municipality"), as_of)
    return report_of(region, by_agency, by_place, outlook)


def report_of(region: Region, by_agency: Kpis, by_place: Kpis, outlook: Outlook) -> Report:
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
        surges=[_surge(surge) for surge in outlook.surges[:SURGES]],
        surges_note=_surges_note(outlook),
        coming_title=f"Прогноз на {days_text(outlook.coming.first, outlook.coming.last)}",
        coming=[_forecast(each) for each in outlook.forecast[:SECTORS]],
        coming_note=outlook.forecast_missing or _left_out(len(outlook.forecast) - SECTORS),
        footnote=(
            "Интервалы 95 %: доли — Уилсона, медианы и 90 % — по порядковым статистикам. n — из скольких посчитано; "
            "доли и квантили менее чем из 20 не показаны. Изменение — к предыдущей неделе. "
            f"«Ответ в срок»: {BY_ID['deadlines_met'].formula_ru} Таблицы — по числу обращений, не по долям. "
            f"Прогноз: сумма за неделю, в скобках интервал {100 * LEVEL:.0f}\u00a0%."
        ),
    )


def _table(title: str, groups: list[Group]) -> ReportTable:
    rows = [(g.name, [value_text(name, g.figures[name]) for name in COLUMNS]) for g in groups[:ROWS]]
    return ReportTable(title, rows, max(len(groups) - ROWS, 0))


def _surge(surge: WeekSurge) -> tuple[str, ...]:
    days = days_text(surge.start, surge.end).rpartition(" ")[0]
    return (
        f"{surge.municipality}, {surge.sector}",
        days,
        f"{surge.count}",
        f"{surge.expected:.0f}",
        surge.became + (f"; {surge.note}" if surge.note else ""),
    )


def _surges_note(outlook: Outlook) -> str | None:
    """What stands below the table of surges."""
    none = None if outlook.surges or outlook.surges_missing else "За неделю всплесков не было."
    parts = (none, _left_out(len(outlook.surges) - SURGES), outlook.surges_missing)
    return " ".join(part for part in parts if part) or None


def _forecast(each: SectorForecast) -> tuple[str, str, str]:
    return each.sector, f"{each.mean:.0f}", f"({each.low}–{each.high})"


def _left_out(number: int) -> str | None:
    return f"и ещё {number}: в консоли, «Показатели»" if number > 0 else None
