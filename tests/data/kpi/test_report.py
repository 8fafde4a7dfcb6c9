"""The report says what the API says: its every text is made of the same figures; it is one page."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from data.errors import RequestError
from data.kpi.definitions import DEFINITIONS
from data.kpi.figures import Figure, count, share
from data.kpi.kpi import compute_kpis, kpis_by
from data.kpi.outlook import NO_FORECASTER, Outlook, SectorForecast, WeekSurge
from data.kpi.pdf import draw_report
from data.kpi.report import COLUMNS, ROWS, ReportTable, report_of, week_span, weekly_report
from data.kpi.span import Span
from data.kpi.words import FEW, change_text, days_text, interval_text, value_text
from data.regions.region import load_region
from data.store.store import Store
from serving.api.v1.kpi import answer_of
from tests.data.store.rows import REGION, decision

WEEK = Span(date(2026, 11, 16), date(2026, 11, 22))
AS_OF = datetime(2026, 11, 23, 6, tzinfo=UTC)
COMING = Span(date(2026, 11, 23), date(2026, 11, 29))
SURGE = WeekSurge("Верхнереченск", "ЖКХ", date(2026, 11, 12), WEEK.first, 91, 24.4, "closed", "закончился", "Авария")
OUTLOOK = Outlook([SURGE], None, COMING, [SectorForecast("ЖКХ", 240.4, 201, 283)], None)
NOTHING = Outlook([], NO_FORECASTER, COMING, [], NO_FORECASTER)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path_factory.mktemp('report')}/store.db", REGION)
    made.decisions.save(
        [
            decision(
                id=str(n),
                day=date(2026, 11, 9 + n % 14),
                agency=f"Орган {n % 11}",
                decision=("route", "review")[n % 5 == 0],
            )
            for n in range(300)
        ]
    )
    yield made
    made.close()


def numbers(text: str) -> list[float]:
    """The numbers of a text, as a reader of Russian reads them."""
    plain = text.replace("\u00a0%", "").replace("\u00a0", "").replace("−", "-").replace(",", ".")
    return [float(part) for part in plain.rstrip("чпдн. ").split("–")]


def test_every_number_of_the_page_is_the_apis(store: Store) -> None:
    by_agency = compute_kpis(store, load_region(), WEEK, "agency", AS_OF)
    by_place = compute_kpis(store, load_region(), WEEK, "municipality", AS_OF)
    answer = answer_of(by_agency, "agency")
    report = report_of(load_region(), by_agency, by_place, OUTLOOK)
    assert [line.name for line in report.lines] == [each.id for each in DEFINITIONS]
    shown = 0
    for line, definition in zip(report.lines, DEFINITIONS, strict=True):
        figure = answer.figures[line.name]
        assert (line.n, line.title) == (figure.n, definition.title_ru)
        if figure.value is None:
            assert line.value == FEW
            continue
        factor = 100 if definition.unit == "share" else 1
        assert numbers(line.value) == [pytest.approx(factor * figure.value, abs=0.0501)]
        if figure.low is not None:
            expected = [factor * figure.low, factor * figure.high]
            assert numbers(line.interval) == [pytest.approx(each, abs=0.0501) for each in expected]
        shown += 1
    assert shown >= 4
    assert report.daily == [(each.date, each.count) for each in answer.daily]
    agencies, places = report.tables
    assert [(name, values[0]) for name, values in agencies.rows] == [
        (group.name, f"{group.figures['volume'].value:.0f}") for group in answer.groups[:ROWS]
    ]
    assert (agencies.left_out, places.left_out) == (11 - ROWS, 0)


def pages(drawn: bytes) -> int:
    return drawn.count(b"/Type /Page\n")


def test_it_is_one_page_however_long_the_names_are(store: Store) -> None:
    region = load_region()
    report = weekly_report(store, region, WEEK, OUTLOOK, AS_OF)
    drawn = draw_report(report)
    assert drawn.startswith(b"%PDF-")
    assert pages(drawn) == 1
    rows = [("Государственное казённое учреждение " * 6, ["1 000,0\u00a0дн."] * len(COLUMNS))] * ROWS
    long = replace(SURGE, municipality="Городской округ " * 9, note="Авария на водоводе " * 20)
    wide = SectorForecast("Отрасль " * 9, 1e4, 1, 20000)
    many = Outlook([long] * 9, "Счёт известен по 15 ноября.", COMING, [wide] * 30, None)
    full = report_of(region, *kpis_by(store, region, WEEK, ("agency", "municipality"), AS_OF), many)
    full = replace(full, title="Верхнереченская область " * 8, tables=[ReportTable("Исполнители", rows, 99)] * 2)
    assert pages(draw_report(full)) == 1


def test_an_empty_week_has_a_page_too(store: Store) -> None:
    report = weekly_report(store, load_region(), Span(date(2025, 1, 6), date(2025, 1, 12)), NOTHING, AS_OF)
    assert {line.value for line in report.lines} == {"0", FEW}
    assert pages(draw_report(report)) == 1


def test_surges_and_the_coming_week_stand_on_it_or_a_sentence_says_why_not(store: Store) -> None:
    report = weekly_report(store, load_region(), WEEK, OUTLOOK, AS_OF)
    assert report.surges == [("Верхнереченск, ЖКХ", "12–16 ноября", "91", "24", "закончился; Авария")]
    assert (report.coming_title, report.coming) == ("Прогноз на 23–29 ноября 2026", [("ЖКХ", "240", "(201–283)")])
    assert (report.surges_note, report.coming_note) == (None, None)
    without = weekly_report(store, load_region(), WEEK, NOTHING, AS_OF)
    assert (without.surges_note, without.coming_note) == (NO_FORECASTER, NO_FORECASTER)
    calm = weekly_report(store, load_region(), WEEK, replace(OUTLOOK, surges=[]), AS_OF)
    assert calm.surges_note == "За неделю всплесков не было."


def test_words_are_those_of_a_russian_reader() -> None:
    figure = share((100, 140), (60, 100))
    assert value_text("routed", figure) == "71,4\u00a0%"
    assert interval_text("routed", figure) == "63,5–78,3\u00a0%"
    assert change_text("routed", figure) == "+11,4\u00a0п.\u00a0п."
    assert value_text("volume", count(12345, 20000)) == "12\u00a0345"
    assert change_text("volume", count(12345, 20000)) == "−38,3\u00a0%"
    assert change_text("volume", count(7, 0)) == "—"
    assert value_text("answer_median", Figure(2.25, 2, 3, 40)) in ("2,2\u00a0дн.", "2,3\u00a0дн.")
    assert value_text("routed", share((1, 2), (1, 2))) == FEW
    assert days_text(date(2026, 11, 16), date(2026, 11, 22)) == "16–22 ноября 2026"
    assert days_text(date(2026, 11, 30), date(2026, 12, 6)) == "30 ноября – 6 декабря 2026"
    assert days_text(date(2026, 12, 28), date(2027, 1, 3)) == "28 декабря 2026 – 3 января 2027"


def test_a_week_is_named_as_iso_does() -> None:
    assert week_span("2026-W47", date(2026, 1, 1)) == WEEK
    assert week_span("2026-W53", date(2026, 1, 1)).last == date(2027, 1, 3)
    assert week_span(None, date(2026, 11, 24)) == WEEK
    for wrong in ("2026-47", "2026-W54", "47", "2026-W", "W47-2026", "9999-W52"):
        with pytest.raises(RequestError, match="write it as 2026-W47"):
            week_span(wrong, date(2026, 1, 1))
