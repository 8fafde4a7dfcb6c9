"""What a browser measures: the first paint of the console beside an empty page, and its largest table.

In: a running service. Out: milliseconds of each run. The heat map is answered by this script, 16 × 60 cells, so that
nothing but the page is measured: from the answer's last byte to the frame that shows the last cell.
"""

import shutil
from typing import Any

from playwright.sync_api import Page, sync_playwright

SECTORS, PLACES = 16, 60
PAINT = """() => {
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  return paint ? paint.startTime : null;
}"""
WATCH = """
new MutationObserver((_, watcher) => {
  const cells = document.querySelectorAll("table.heat tbody td");
  if (cells.length < %d) return;
  watcher.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => { window.shownAt = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
""" % (SECTORS * PLACES)  # noqa: UP031  # braces are JavaScript's
SHOWN = """() => {
  const answers = performance.getEntriesByType("resource").filter((each) => each.name.includes("/v1/heatmap"));
  return window.shownAt - answers[answers.length - 1].responseEnd;
}"""
EMPTY = "<!doctype html><title>empty</title><p>empty</p>"


def measure(base: str, runs: int) -> dict[str, list[float]]:
    """`console`, `empty` (first paint) and `heatmap` of each run, milliseconds, interleaved."""
    figures: dict[str, list[float]] = {"console": [], "empty": [], "heatmap": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for _ in range(runs):
            context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="ru-RU")
            page = context.new_page()
            page.route("**/v1/heatmap*", lambda route: route.fulfill(json=_heat_map()))
            page.route("**/empty", lambda route: route.fulfill(body=EMPTY, content_type="text/html"))
            figures["empty"].append(_first_paint(page, f"{base}/empty"))
            page.add_init_script(WATCH)
            figures["console"].append(_first_paint(page, f"{base}/console/heatmap"))
            page.locator("table.heat tbody tr").nth(PLACES - 1).wait_for()
            page.wait_for_timeout(200)
            figures["heatmap"].append(float(page.evaluate(SHOWN)))
            context.close()
        browser.close()
    return figures


def _first_paint(page: Page, address: str) -> float:
    page.goto(address)
    for _ in range(100):
        painted = page.evaluate(PAINT)
        if painted is not None:
            return float(painted)
        page.wait_for_timeout(50)
    return float("nan")


def _heat_map() -> dict[str, Any]:
    cells = [
        {
            "municipality": f"Муниципальный район {place}",
            "sector": f"Отрасль {sector}",
            "observed": (7 * place + 3 * sector) % 40,
            "expected": 12.5,
            "ratio": 1.2,
            "z": (place + sector) % 9 - 2,
            "surge": "2026-11-10" if (place + sector) % 31 == 0 else None,
            "surge_state": "open" if (place + sector) % 31 == 0 else None,
        }
        for place in range(PLACES)
        for sector in range(SECTORS)
    ]
    return {"model": {"name": "n", "version": "1"}, "start": "2026-11-09", "end": "2026-11-15", "cells": cells}
