"""An analyst's task in a real browser: from a surge to its complaints and a note, from a proposed topic to a draft."""

import pytest
from playwright.sync_api import expect

from tests.serving.bundles import SURGE_PLACE, SURGE_SECTOR
from tests.serving.console.conftest import Visiting

SERIES = f"series?municipality={SURGE_PLACE}&sector={SURGE_SECTOR}"
SIZES = [(1366, 768, False), (1920, 1080, True), (390, 844, False)]


def test_from_a_surge_to_the_complaints_behind_it_and_a_note(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open("surges", heading="Всплески")
        row = page.get_by_role("row").filter(has_text=SURGE_PLACE).filter(has_text="идёт").first
        seen.check_access()
        row.get_by_role("link").click()
        page.get_by_role("heading", name="Всплеск", level=1, exact=True).wait_for()
        seen.settle()
        expect(page.get_by_text("Нет воды на улице Садовой").first).to_be_visible()
        expect(page.locator("figure.chart svg")).to_be_visible()
        page.get_by_label("Что известно").fill("Авария на <b>водоводе</b>, звонить 8 900 765-43-21")
        page.get_by_role("button", name="Отметить всплеск").click()
        expect(
            page.locator(".log .quote").filter(has_text="Авария на <b>водоводе</b>, звонить [ТЕЛЕФОН]")
        ).to_be_visible()
        expect(page.get_by_label("Что известно")).to_have_value("")
        seen.settle()
        seen.check_access()
        page = seen.open("surges?seen=yes", heading="Всплески")
        expect(page.get_by_role("row").filter(has_text=SURGE_PLACE)).to_contain_text("Ключ analyst")
        seen.check_alone()


def test_a_proposed_topic_becomes_a_draft_by_keyboard_alone(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open("topics", heading="Новые темы")
        expect(page.locator("article .quote").first).to_contain_text("самокаты")
        assert "765" not in page.locator("main").inner_text()
        seen.check_access()
        page.get_by_role("button", name="Взять в рубрикатор").focus()
        page.keyboard.press("Enter")
        page.get_by_label("Название темы").focus()
        page.keyboard.type("Самокаты на тротуарах")
        page.keyboard.press("Tab")
        page.keyboard.type("Дороги")
        seen.check_access()
        page.keyboard.press("Enter")
        expect(page.get_by_text("Черновик темы «Самокаты на тротуарах»")).to_be_visible()
        expect(page.locator("article")).to_have_count(0)
        page.get_by_text("Строки для рубрикатора").click()
        expect(page.locator("pre")).to_contain_text("name: Самокаты на тротуарах")
        seen.check_access()
        seen.check_alone()


def test_a_series_is_a_picture_and_a_table_that_say_the_same(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open(SERIES, heading="Ряд")
        expect(page.locator("figure.chart svg")).to_be_visible()
        rows = page.locator(".day-scroll tbody tr")
        before = rows.count()
        page.get_by_label("Прогноз на").select_option("30")
        expect(rows).to_have_count(before + 16)
        page.get_by_label("Интервал").select_option("0.95")
        seen.settle()
        assert {"horizon=30", "level=0.95"} <= set(page.url.partition("?")[2].split("&"))
        with page.expect_download() as saved:
            page.get_by_role("link", name="CSV").click()
        assert "q97.5" in saved.value.path().read_text(encoding="utf-8").splitlines()[0]
        seen.check_alone()


def test_what_was_typed_survives_a_session_that_ends(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open("surges", heading="Всплески")
        page.get_by_role("row").filter(has_text=SURGE_PLACE).get_by_role("link").first.click()
        page.get_by_label("Что известно").fill("Набрано до конца сеанса")
        seen.settle()
        page.context.clear_cookies()
        page.get_by_role("button", name="Отметить всплеск").click()
        expect(page.get_by_role("heading", name="Сеанс закончился")).to_be_visible()
        expect(page.get_by_label("Что известно")).to_have_value("Набрано до конца сеанса")
        page.get_by_label("Ключ", exact=True).fill(seen.key or "")
        page.keyboard.press("Enter")
        expect(page.locator(".log .quote").filter(has_text="Набрано до конца сеанса")).to_be_visible()


@pytest.mark.parametrize("path", [SERIES, "surges?show=closed", "topics?show=all", "places?order=rate"])
@pytest.mark.parametrize(("width", "height", "dark"), SIZES)
def test_pages_fit_every_screen_and_are_accessible(
    visiting: Visiting, path: str, width: int, height: int, dark: bool
) -> None:
    with visiting("analyst", width=width, height=height, dark=dark) as seen:
        page = seen.open(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        seen.check_access()
        seen.check_alone()
