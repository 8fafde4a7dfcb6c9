"""The pages of the head of a regional centre, in a real browser: figures, and the decisions that follow from them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from data.kpi.span import last_week
from data.regions.region import load_region
from data.store.outcomes import Outcome
from tests.serving.bundles import CALM_PLACE, REGION, SURGE_PLACE, SURGE_SECTOR
from tests.serving.console.conftest import ConsoleService, Visiting
from tests.serving.console.filled_store import last_counted_day

DAYS = 30
"""Days back: the whole filled store."""


@pytest.fixture(scope="module", autouse=True)
def answered(console: ConsoleService) -> Iterator[None]:
    """Some complaints of the filled store were answered."""
    store = console.store
    now = datetime.now(UTC)
    moment = now - timedelta(minutes=30)
    names = [f"usual-{n}" for n in range(260, 350) if n % 14][:60]  # the others came just now
    assert store.outcomes.save([Outcome(REGION, "pos", name, "answered", moment) for name in names]) == [True] * 60
    yield
    store.close()


def the_regions_today() -> date:
    """The day is another one already between the region's midnight and that of UTC."""
    return datetime.now(load_region(REGION).zone).date()


def span() -> str:
    today = the_regions_today()
    return f"from={today - timedelta(days=DAYS)}&to={today}"


def test_figures_are_shown_with_n_interval_formula_and_change(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open(f"kpi?{span()}", heading="Показатели")
        tile = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="До ответа, медиана"))
        expect(tile).to_contain_text("n = 60")
        expect(tile).to_contain_text("дн.")
        tile.get_by_text("Формула").click()
        expect(tile).to_contain_text("Медиана времени от поступления до первого ответа")
        few = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Решения на основе данных"))
        expect(few).to_contain_text("мало данных")
        seen.check_access()
        seen.check_alone()


def test_surges_and_the_coming_week_stand_below(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        last = last_counted_day()
        page = seen.open(f"kpi?from={last - timedelta(days=6)}&to={last}", heading="Показатели")
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name=f"{SURGE_PLACE}, {SURGE_SECTOR}"))
        expect(row).to_contain_text("продолжается")
        coming = page.get_by_role("region", name="Прогноз по отраслям")
        expect(coming.get_by_role("row").filter(has_text=SURGE_SECTOR)).to_contain_text("–")
        seen.check_access()


def test_a_figure_links_to_as_many_complaints_as_it_counts(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open(f"kpi?{span()}", heading="Показатели")
        link = page.get_by_role("link", name="Направлено без оператора: список обращений")
        number = int("".join(filter(str.isdigit, link.inner_text())))
        link.click()
        page.get_by_role("heading", name="Направлено без оператора").wait_for()
        assert "counted_in=routed" in page.url
        expect(page.get_by_text(f"Показано 20 из {number}")).to_be_visible()
        query = {"counted_in": "routed", "since": span()[5:15], "until": span()[-10:], "limit": 200}
        listed = page.request.get(f"{seen.base}/v1/complaints", params=query).json()
        assert min(number, 200) == len(listed["complaints"])
        seen.check_access()
        seen.check_alone()


def test_a_cell_of_the_table_links_to_its_complaints(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open(f"kpi?{span()}&by=municipality", heading="Показатели")
        link = page.get_by_role("link", name=f"{CALM_PLACE}, Обращений")
        number = int("".join(filter(str.isdigit, link.inner_text())))
        link.click()
        page.get_by_role("heading", name=f"Обращений, {CALM_PLACE}").wait_for()
        expect(page.get_by_text(f"Показано {min(number, 20)} из {number}")).to_be_visible()
        expect(page.locator(".log li").first).to_contain_text(CALM_PLACE)
        seen.check_access()


def test_the_table_is_of_what_the_address_says(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open(f"kpi?{span()}", heading="Показатели")
        expect(page.get_by_role("rowheader", name="Министерство транспорта")).to_be_visible()
        page.get_by_label("Кого сравнить").select_option("municipality")
        seen.settle()
        assert "by=municipality" in page.url
        expect(page.get_by_role("region", name="Показатели: муниципалитеты")).to_be_visible()
        seen.check_access()


def test_weeks_are_stepped_through_by_keyboard_and_each_has_its_report(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open("kpi", heading="Показатели")
        week = last_week(the_regions_today())
        expect(page.get_by_label("С", exact=True)).to_have_value(str(week.first))
        page.get_by_role("button", name="← Раньше").focus()
        page.keyboard.press("Enter")
        seen.settle()
        expect(page.get_by_label("С", exact=True)).to_have_value(str(week.before.first))
        link = page.get_by_role("link", name="Отчёт за неделю, PDF")
        year, number, _ = week.before.first.isocalendar()
        assert (link.get_attribute("href") or "").endswith(f"week={year}-W{number:02}")
        report = page.request.get(seen.base + str(link.get_attribute("href")), timeout=120_000)
        assert (report.status, report.headers["content-type"]) == (200, "application/pdf")


def test_a_decision_is_recorded_from_a_figure_and_done_by_mouse(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open(f"kpi?{span()}", heading="Показатели")
        tile = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="До ответа, медиана"))
        tile.get_by_text("Формула").click()
        tile.get_by_role("button", name="Записать решение").click()
        dialog = page.get_by_role("dialog", name="Новое решение")
        expect(dialog).to_contain_text("Показатель: До ответа, медиана")
        seen.check_access()
        dialog.get_by_label("Что решено").fill("Добавить смену операторов")
        page.reload()
        expect(dialog.get_by_label("Что решено")).to_have_value("Добавить смену операторов")
        dialog.get_by_label("Кто исполняет").fill("Начальник отдела")
        dialog.get_by_label("Срок").fill("2026-01-31")
        dialog.get_by_role("button", name="Записать").click()
        row = page.get_by_role("row").filter(has_text="Добавить смену операторов")
        expect(row).to_contain_text("просрочено")
        row.get_by_text("Показатель: До ответа, медиана").click()
        expect(row).to_contain_text("n = 60")
        seen.check_access()
        row.get_by_role("button", name="Закрыть решение").click()
        page.get_by_label("Итог").fill("Смена вышла")
        page.get_by_role("button", name="Сохранить").click()
        expect(row).to_contain_text("выполнено")
        expect(row).to_contain_text("Итог: Смена вышла")
        seen.check_access()
        seen.check_alone()


def test_a_decision_rests_on_a_surge_and_on_a_series(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open("surges", heading="Всплески")
        page.get_by_role("row").filter(has_text=SURGE_PLACE).filter(has_text="идёт").first.get_by_role("link").click()
        page.get_by_role("heading", name="Всплеск", level=1, exact=True).wait_for()
        record(page, f"Всплеск: {SURGE_PLACE}, {SURGE_SECTOR}")
        page = seen.open(f"series?municipality={SURGE_PLACE}&sector={SURGE_SECTOR}")
        record(page, f"Ряд: {SURGE_PLACE}, {SURGE_SECTOR}")
        seen.check_access()


def record(page: Page, evidence: str) -> None:
    """Record a decision from this page, and see it in the list with its evidence."""
    page.get_by_role("button", name="Записать решение").click()
    dialog = page.get_by_role("dialog", name="Новое решение")
    expect(dialog).to_contain_text(evidence)
    dialog.get_by_label("Что решено").fill(f"Проверить то, что показал {evidence.partition(':')[0]}")
    dialog.get_by_label("Кто исполняет").fill("Начальник отдела")
    dialog.get_by_role("button", name="Записать").click()
    row = page.get_by_role("row").filter(has_text=f"Проверить то, что показал {evidence.partition(':')[0]}")
    expect(row.get_by_text(evidence)).to_be_visible()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what is focused is called so."""
    for _ in range(60):
        page.keyboard.press("Tab")
        label = "e => e.labels && e.labels[0] ? e.labels[0].textContent : e.getAttribute('aria-label') || e.textContent"
        if page.evaluate(f"({label})(document.activeElement)").strip().startswith(name):
            return
    raise AssertionError(f"Tab never came to {name}")


def test_a_decision_without_evidence_is_recorded_and_dropped_by_keyboard_alone(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open("decisions", heading="Решения")
        tab_to(page, "Записать решение")
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        tab_to(page, "Что решено")
        page.keyboard.type("Ничего не менять <b>")
        tab_to(page, "Кто исполняет")
        page.keyboard.type("Комитет")
        page.keyboard.press("Enter")
        row = page.get_by_role("row").filter(has_text="Ничего не менять <b>")
        expect(row).to_contain_text("без данных")
        tab_to(page, "Закрыть решение: Ничего")
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(row).to_contain_text("в работе")
        seen.check_access()


def test_the_head_of_a_centre_reads_figures_and_no_complaint(visiting: Visiting) -> None:
    with visiting("head") as seen:
        page = seen.open(f"kpi?{span()}", heading="Показатели")
        expect(page.get_by_role("heading", name="До ответа, медиана")).to_be_visible()
        expect(page.get_by_role("link", name="список обращений")).to_have_count(0)
        names = page.get_by_role("navigation").get_by_role("link").all_inner_texts()
        shown = ["Тепловая карта", "Всплески", "Ряд", "Муниципалитеты", "Показатели", "Решения"]
        assert [name.split("\n")[0].strip().rstrip("0123456789") for name in names] == shown  # how many surges go on
        page = seen.open("decisions", heading="Решения")
        expect(page.get_by_role("button", name="Записать решение")).to_have_count(0)
        seen.check_alone()
        seen.open("complaints?counted_in=volume")
        expect(page.get_by_text("не открывается вашим ключом")).to_be_visible()


def test_the_pages_are_closed_to_operators(visiting: Visiting) -> None:
    with visiting("operator") as seen:
        for page_name in ("kpi", "decisions"):
            page = seen.open(page_name)
            expect(page.get_by_text("не открывается вашим ключом")).to_be_visible()
