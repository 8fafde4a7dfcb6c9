"""A real Chromium, Debian's, that opens the console: what each browser test asks of it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

WHY_SKIPPED = "Chromium is not installed: apt-get install chromium (make test does so as root)"
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
SECONDS = 60
"""How long a browser waits for what a page shows: a machine under load computes slowly."""


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Chromium without a window; the test is skipped where there is none."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip(WHY_SKIPPED)
    root = ["--no-sandbox"] if os.getuid() == 0 else []
    expect.set_options(timeout=1000 * SECONDS)  # its own default is 5 s, whatever the page's is
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*root, "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@dataclass
class Visit:
    """A page of the console that is open in a browser, and what happened in it.

    Attributes:
        page: Playwright's page.
        base: the service's address.
        key: what it is logged in with.
        asked: every address that the browser asked for.
        complaints: what the browser's console said of errors, blocked scripts and styles among them.
    """

    page: Page
    base: str
    key: str | None = None
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str = "", heading: str | None = None) -> Page:
        """Go to `/console/PATH`; wait for this heading, and until the page asks for nothing more."""
        self.page.goto(f"{self.base}/console/{path}")
        self.page.locator("main h1").first.wait_for()
        if heading is not None:
            self.page.get_by_role("heading", name=heading, level=1).wait_for()
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until the page shows what it has asked for."""
        expect(self.page.locator("main .spinner, main [aria-busy=true]")).to_have_count(0, timeout=1000 * SECONDS)

    def check_access(self, *without: str) -> None:
        """No rule of WCAG 2.2 AA is broken on the page as it stands; `without` names rules to leave out."""
        rules = {rule: {"enabled": False} for rule in without}
        options = {"runOnly": {"type": "tag", "values": list(WCAG)}, "rules": rules}
        answer = Axe().run(self.page, options=options)
        assert answer.violations_count == 0, answer.generate_report()

    def check_alone(self) -> None:
        """Nothing was asked for but of the service, and nothing failed or was blocked in the page."""
        assert [address for address in self.asked if not address.startswith(self.base)] == []
        assert self.complaints == []


@contextmanager
def visit(
    browser: Browser, base: str, key: str | None = None, width: int = 1366, height: int = 768, dark: bool = False
) -> Iterator[Visit]:
    """A fresh browser session, logged in with this key."""
    scheme = "dark" if dark else "light"
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="ru-RU", timezone_id="Europe/Moscow", color_scheme=scheme
    )
    context.set_default_timeout(1000 * SECONDS)
    if key is not None:
        answer = context.request.post(f"{base}/v1/session", headers={"X-API-Key": key})
        assert answer.ok, answer.text()
    made = Visit(context.new_page(), base, key)
    made.page.on("request", lambda request: made.asked.append(request.url))
    made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
    made.page.on("console", lambda said: made.complaints.append(said.text) if _matters(said.type, said.text) else None)
    yield made
    context.close()


def _matters(kind: str, text: str) -> bool:
    """Chromium reports every answer with an error's status; those are the page's business."""
    return kind == "error" and not text.startswith("Failed to load resource")
