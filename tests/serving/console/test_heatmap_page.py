"""The heat map in a real browser: what came beside what was expected, by mouse, by keyboard, on every screen."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.serving.bundles import CALM_PLACE, CALM_SECTOR, SURGE_PLACE, SURGE_SECTOR
from tests.serving.console.conftest import Visiting
from tests.serving.console.filled_store import LONG_PLACE


def cell_of(page: Page, place: str, sector: str) -> str:
    """The text of a cell, by the names of its row and column."""
    row = page.locator("table.heat tbody tr").filter(has=page.get_by_role("rowheader", name=place))
    columns = page.locator("table.heat thead th").all_inner_texts()
    return row.locator("td").nth(columns.index(sector) - 1).inner_text()


def answer_with(route: Route, cells: list[dict[str, object]]) -> None:
    model = {"name": "n", "version": "1"}
    route.fulfill(json={"model": model, "start": "2026-11-09", "end": "2026-11-15", "cells": cells})


def test_a_cell_shows_what_came_beside_what_was_expected_and_marks_surges(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open("heatmap", heading="Тепловая карта")
        (shown,) = [
            cell
            for cell in page.request.get(f"{seen.base}/v1/heatmap").json()["cells"]
            if (cell["municipality"], cell["sector"]) == (SURGE_PLACE, SURGE_SECTOR)
        ]
        text = cell_of(page, SURGE_PLACE, SURGE_SECTOR)
        assert "идёт всплеск" in text
        assert re.findall(r"\d+", text.replace("\u00a0", "")) == [str(shown["observed"]), str(round(shown["expected"]))]
        assert "всплеск" not in cell_of(page, CALM_PLACE, CALM_SECTOR)
        seen.check_access()
        seen.check_alone()


def test_the_arrows_go_from_cell_to_cell_and_enter_opens_the_series(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open("heatmap", heading="Тепловая карта")
        page.locator("table.heat tbody a[tabindex='0']").focus()
        for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowUp", "ArrowLeft", "ArrowLeft"):
            page.keyboard.press(key)
        first = page.locator("table.heat tbody tr").first.locator("td a").first
        expect(first).to_be_focused()
        assert page.locator("table.heat tbody td a[tabindex='0']").count() == 1


def test_the_address_holds_the_whole_view(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open("heatmap", heading="Тепловая карта")
        page.get_by_label("За последние").select_option("1")
        page.get_by_label("Порядок").select_option("heat")
        page.get_by_label("В ячейке").select_option("ratio")
        seen.settle()
        assert {"days=1", "order=heat", "show=ratio"} <= set(page.url.partition("?")[2].split("&"))
        expect(page.locator("table.heat tbody th").first).to_have_text(SURGE_PLACE)
        again = page.url
        page.goto("about:blank")
        page.goto(again)
        seen.settle()
        expect(page.locator("table.heat tbody td b").first).to_contain_text("×")


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080), (390, 844)])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("view", ["", "?view=map"], ids=["table", "map"])
def test_it_fits_every_screen_and_is_accessible(
    visiting: Visiting, view: str, width: int, height: int, dark: bool
) -> None:
    with visiting("analyst", width=width, height=height, dark=dark) as seen:
        page = seen.open(f"heatmap{view}", heading="Тепловая карта")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        seen.check_access()


def test_the_map_colours_municipalities_as_the_table_and_opens_series_by_keyboard(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open("heatmap", heading="Тепловая карта")
        row = page.locator("table.heat tbody tr").filter(has=page.get_by_role("rowheader", name=SURGE_PLACE))
        cell = row.get_by_role("link", name="идёт всплеск").first
        colour, shown = cell.locator("xpath=..").get_attribute("class"), cell.locator("b").inner_text()
        page.get_by_label("Вид").select_option("map")
        page.get_by_label("Отрасль").select_option(SURGE_SECTOR)
        assert {"view=map"} <= set(page.url.partition("?")[2].split("&"))
        expect(page.locator("table.heat")).to_have_count(0)
        place = page.get_by_role("link", name=f"{SURGE_PLACE}: {SURGE_SECTOR}")
        assert place.get_attribute("class") == colour
        expect(place.locator(".map-count")).to_have_text(f"▲ {shown}")
        seen.check_access()
        page.get_by_label("Карта", exact=True).focus()
        while not page.evaluate("document.activeElement.ariaLabel").startswith(f"{SURGE_PLACE}: "):
            page.keyboard.press("Tab")
        expect(page.locator(".map-told")).to_contain_text(f"{SURGE_PLACE}: {SURGE_SECTOR}, пришло")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Ряд", level=1).wait_for()
        seen.settle()
        seen.check_alone()


def test_a_region_without_outlines_has_no_map(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        seen.page.route("**/v1/map", lambda route: route.fulfill(json={"width": 1, "height": 1, "outlines": []}))
        page = seen.open("heatmap?view=map", heading="Тепловая карта")
        expect(page.locator("table.heat")).to_be_visible()
        expect(page.get_by_label("Вид")).to_have_count(0)


def test_a_region_of_nothing_of_one_place_and_of_very_long_names(visiting: Visiting) -> None:
    cells: list[dict[str, object]] = []
    with visiting("analyst", width=390, height=844) as seen:
        seen.page.route("**/v1/heatmap*", lambda route: answer_with(route, cells))
        page = seen.open("heatmap", heading="Тепловая карта")
        expect(page.get_by_text("нет ни одного ряда")).to_be_visible()
        seen.check_access()
        place = f"{LONG_PLACE}<b>жирный</b>\u202e"
        cells += [
            {"municipality": place, "sector": "С" * 200, "observed": None, "expected": 0.0, "ratio": None, "z": None}
        ]
        cells[0] |= {"surge": None, "surge_state": None}
        page = seen.open("heatmap", heading="Тепловая карта")
        expect(page.locator("table.heat tbody tr")).to_have_count(1)
        assert page.locator("table.heat b:text('жирный')").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        seen.check_access()


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (503, "no_champion", "Модель ещё не обучена"),
        (503, "not_ready", "Модели загружаются"),
        (409, "forecast_stale", "Прогнозы устарели"),
        (500, "internal", "Внутренняя ошибка"),
    ],
)
def test_what_the_service_cannot_answer_is_told_in_words(visiting: Visiting, status: int, code: str, says: str) -> None:
    with visiting("analyst") as seen:
        error = {"error": {"code": code, "message": "in English", "details": []}}
        seen.page.route("**/v1/heatmap*", lambda route: route.fulfill(status=status, json=error))
        page = seen.open("heatmap", heading="Тепловая карта")
        expect(page.get_by_role("alert")).to_contain_text(says)
        seen.check_access()


def test_a_service_that_is_away_leaves_what_is_shown_and_says_so(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open("heatmap", heading="Тепловая карта")
        page.route("**/v1/heatmap*", lambda route: route.abort())
        page.get_by_label("За последние").select_option("14")
        expect(page.get_by_text("Сервис не отвечает")).to_be_visible()
        expect(page.locator("table.heat")).to_be_visible()
        seen.check_access()
        page.unroute("**/v1/heatmap*")
        expect(page.get_by_text("Сервис не отвечает")).to_have_count(0)


def test_a_service_that_was_away_is_asked_anew_when_it_is_back(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        seen.page.route("**/v1/events", lambda route: route.abort())
        page = seen.open("heatmap", heading="Тепловая карта")
        with page.expect_response("**/v1/heatmap*"):
            page.unroute("**/v1/events")
