"""Every page of the console, on every screen and in every state, keeps the rules of WCAG 2.2 AA and fits its width."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import expect

from serving.console.app import ASSETS
from tests.serving.bundles import SURGE_PLACE, SURGE_SECTOR
from tests.serving.console.browser import Visit
from tests.serving.console.conftest import Visiting

SIZES = ((1920, 1080), (1366, 768), (390, 844))
SERIES = f"municipality={SURGE_PLACE}&sector={SURGE_SECTOR}"
ADDRESSES = {
    "desk": "desk",
    "heatmap": "heatmap",
    "surges": "surges",
    "surge": f"surge?{SERIES}",
    "series": f"series?{SERIES}",
    "topics": "topics",
    "places": "places",
    "kpi": "kpi",
    "complaints": "complaints?counted_in=volume",
    "decisions": "decisions",
    "models": "models",
}
"""Of each page of `pages/index.js`."""
AWAY = re.compile(r"/v1/(?!session|events)")


@pytest.fixture(scope="module")
def pages() -> list[str]:
    """The ids of all pages."""
    return re.findall(r'\bid: "(\w+)"', (Path(ASSETS) / "pages" / "index.js").read_text(encoding="utf-8"))


def test_every_page_is_looked_at(pages: list[str]) -> None:
    assert set(ADDRESSES) == set(pages)


@pytest.fixture()
def admin(visiting: Visiting) -> Iterator[Visit]:
    """A browser that may open every page."""
    with ExitStack() as stack:
        yield stack.enter_context(visiting("admin"))


def check(seen: Visit) -> None:
    """Accessible and within the window, on each screen."""
    for width, height in SIZES:
        seen.page.set_viewport_size({"width": width, "height": height})
        assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        seen.check_access()


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_fits_every_screen_and_is_accessible(admin: Visit, name: str) -> None:
    admin.open(ADDRESSES[name])
    check(admin)
    admin.check_alone()


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_that_waits_and_one_that_is_refused_say_so_accessibly(admin: Visit, name: str) -> None:
    page = admin.page
    page.route(AWAY, lambda route: None)  # nothing is ever answered
    page.goto(f"{admin.base}/console/{ADDRESSES[name]}")
    page.get_by_text("Загрузка…").first.wait_for()
    admin.check_access()
    page.goto("about:blank")
    page.unroute(AWAY)
    error = {"error": {"code": "internal", "message": "in English", "details": []}}
    page.route(AWAY, lambda route: route.fulfill(status=500, json=error))
    page.goto(f"{admin.base}/console/{ADDRESSES[name]}")
    expect(page.get_by_text("Внутренняя ошибка сервиса").first).to_be_visible()
    admin.check_access()


def test_pages_that_a_key_does_not_open_say_so_accessibly(visiting: Visiting) -> None:
    with visiting("routing") as seen:
        for address in ADDRESSES.values():
            seen.open(address)
            expect(seen.page.get_by_text("не открывается вашим ключом")).to_be_visible()
        seen.check_access()
