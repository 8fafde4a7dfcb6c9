"""The frame around every page, in a real browser: logging in, navigation by role, sessions that end."""

import pytest
from playwright.sync_api import expect

from tests.serving.console.conftest import ConsoleService, Visiting


def test_a_key_logs_in_and_what_it_opens_is_in_the_navigation(visiting: Visiting, console: ConsoleService) -> None:
    with visiting() as seen:
        page = seen.page
        page.goto(f"{console.base}/console/models")
        page.get_by_label("Ключ").wait_for()
        seen.check_access()
        page.get_by_label("Ключ").fill("tsur_wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Ключ не подходит")
        page.get_by_label("Ключ").fill(console.keys["engineer"])
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="Модели", level=1).wait_for()
        expect(page.get_by_role("navigation").get_by_role("link", name="Модели")).to_have_attribute(
            "aria-current", "page"
        )
        seen.settle()
        seen.check_access()
        seen.check_alone()


def test_a_session_that_ends_asks_over_the_page_and_goes_on(visiting: Visiting, console: ConsoleService) -> None:
    with visiting("engineer") as seen:
        page = seen.open("models", heading="Модели")
        page.context.clear_cookies()
        page.evaluate(
            "() => { window.asked = import('/console/assets/shell/api.js').then((shell) => shell.api('/v1/models')); }"
        )
        expect(page.get_by_role("heading", name="Сеанс закончился")).to_be_visible()
        seen.check_access()
        page.get_by_label("Ключ").fill(console.keys["engineer"])
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_have_count(0)
        assert page.evaluate("window.asked")["models"]


def test_a_page_that_the_role_does_not_open_says_so(visiting: Visiting) -> None:
    with visiting("routing") as seen:
        page = seen.open("models")
        expect(page.get_by_text("не открывается вашим ключом")).to_be_visible()
        seen.check_access()
        page = seen.open("nothing-here")
        expect(page.get_by_role("heading", name="Нет такой страницы")).to_be_visible()


def test_logging_out_leaves_nothing_open(visiting: Visiting) -> None:
    with visiting("engineer") as seen:
        page = seen.open("models", heading="Модели")
        page.get_by_role("button", name="Выйти").click()
        expect(page.get_by_role("heading", name="Вход")).to_be_visible()
        assert page.request.get(f"{seen.base}/v1/models").status == 401


@pytest.mark.parametrize("width", [1366, 1920, 390])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_page_is_wider_than_the_screen(visiting: Visiting, width: int, dark: bool) -> None:
    with visiting("engineer", width=width, height=800, dark=dark) as seen:
        page = seen.open("models", heading="Модели")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        seen.check_access()
