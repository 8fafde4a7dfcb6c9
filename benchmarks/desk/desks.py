"""The desk as `tsur serve` serves it, with complaints that wait, worked through by an operator in Chromium.

In: complaints with their right labels. Out: what each took. The desk without proposals is the same page: of each
complaint it is told no label, so the operator searches for the topic, and the catalogue gives the agency.
"""

import json
import os
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from playwright.sync_api import Page, Route, expect, sync_playwright

from benchmarks.desk.operator import Effort, Operator
from data.catalogue.model import Triple
from data.errors import ConfigError, TsurError
from data.settings import settings
from serving import launch

SECONDS = 300
"""What a busy machine may take to start, and to show the next complaint."""
SILENT = {"sector": "", "topic": "", "agency": ""}


@dataclass(frozen=True)
class Case:
    """A complaint and what is right of it."""

    text: str
    municipality: str
    right: Triple


def work_through(cases: Sequence[Case], folder: Path, proposals: bool) -> tuple[list[Effort], int]:
    """What each complaint took in the order of the queue, and how many ended with the right labels."""
    store = f"sqlite:///{folder}/store.db"
    with _service(store) as base:
        names = _send(base, cases)
        efforts = _answered(base, names, proposals)
    return efforts, _right(store, names)


def _answered(base: str, names: dict[str, Case], proposals: bool) -> list[Effort]:
    path = shutil.which("chromium")
    if path is None:
        raise ConfigError("this benchmark needs Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=[*sandbox, "--disable-dev-shm-usage"])
        page = browser.new_page(locale="ru-RU")
        page.set_default_timeout(1000 * SECONDS)
        expect.set_options(timeout=1000 * SECONDS)
        if not proposals:
            page.route("**/v1/queue/claim", _without_proposals)
        page.goto(f"{base}/console/desk")
        efforts = [_one(page, names) for _ in names]
        page.locator(".state.empty").wait_for()
        browser.close()
    return efforts


def _one(page: Page, names: dict[str, Case]) -> Effort:
    number = page.locator(".facts dd").nth(1)
    number.wait_for()
    shown = number.inner_text()
    case = names[shown]
    effort = Operator(page).answer(case.right, case.municipality)
    expect(page.locator(".state.empty").or_(number).first).not_to_have_text(shown)
    return effort


def _without_proposals(route: Route) -> None:
    answer = route.fetch()
    shown = answer.json()
    if shown.get("complaint"):
        shown["complaint"] |= {"proposals": {"sectors": [], "topics": [], "agencies": []}, "decided": SILENT}
    route.fulfill(response=answer, body=json.dumps(shown))


def _send(base: str, cases: Sequence[Case]) -> dict[str, Case]:
    """Complaints sent to be classified, each an hour younger than the one before; those that wait, by id."""
    first = datetime.now(UTC) - timedelta(hours=len(cases) + 1)
    with httpx.Client(base_url=base, timeout=SECONDS, trust_env=False) as client:
        for number, case in enumerate(cases):
            item = {"id": f"{number:03}", "text": case.text, "municipality": case.municipality}
            sent = item | {"created_at": (first + timedelta(hours=number)).isoformat()}
            client.post("/v1/classify", json={"items": [sent]}).raise_for_status()
        waiting = client.get("/v1/queue", params={"limit": 200}).raise_for_status().json()["complaints"]
    return {each["id"]: cases[int(each["id"])] for each in waiting}


def _right(url: str, names: dict[str, Case]) -> int:
    from data.regions.region import load_region
    from data.store.store import Store

    region = load_region().id
    store = Store(url, region)
    said = {
        each.complaint_id: each.corrected for each in store.corrections.since(region, datetime(2000, 1, 1, tzinfo=UTC))
    }
    store.close()
    return sum(name in said and Triple(**vars(said[name])) == case.right for name, case in names.items())


@contextmanager
def _service(store: str) -> Iterator[str]:
    """The service of this installation with a store of its own, as long as it is needed; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    before = os.environ.get("TSUR_STORE_URL")
    os.environ["TSUR_STORE_URL"] = store
    settings.cache_clear()
    log = Path(store.removeprefix("sqlite:///")).with_name("service.log")
    process = launch.start(port=port, log=log)
    try:
        base = f"http://127.0.0.1:{port}"
        _wait(base, log)
        yield base
    finally:
        launch.stop(process)
        os.environ.pop("TSUR_STORE_URL")
        if before is not None:
            os.environ["TSUR_STORE_URL"] = before
        settings.cache_clear()


def _wait(base: str, log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{base}/readyz", trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise TsurError(f"the service did not become ready; its log is {log}")
