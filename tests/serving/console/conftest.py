"""One real service with a working day in its store, for all browser tests; a browser a test module.

Playwright keeps an event loop while it runs, so that no other test could have one: its browser ends with the module.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from data.store.store import Store
from serving import launch as run
from serving.auth.roles import Role
from tests.serving.bundles import CLASSIFIER, FORECASTER, REGION, register, write_surging_forecaster
from tests.serving.conftest import READY_SECONDS, Server, start_server, write_configs
from tests.serving.console.browser import Visit, running_browser, visit
from tests.serving.console.filled_store import fill, last_counted_day, make_keys


@dataclass(frozen=True)
class ConsoleService:
    """A service that runs, with a key of each role."""

    server: Server
    keys: dict[Role, str]

    @property
    def base(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def store(self) -> Store:
        """Its store; close it."""
        return Store(f"sqlite:///{self.server.home}/store.db", REGION)


@pytest.fixture(scope="session")
def console_home(tmp_path_factory: pytest.TempPathFactory, classifier_bundle: Path) -> Path:
    """A home with both champions, surges among its forecasts, and a filled store."""
    home = tmp_path_factory.mktemp("console")
    (home / "mlflow" / "artifacts").mkdir(parents=True)
    register(home, CLASSIFIER, classifier_bundle)
    register(home, FORECASTER, write_surging_forecaster(home / "forecaster", last_counted_day().isoformat()))
    store = Store(f"sqlite:///{home}/store.db", REGION)
    fill(store, classifier_bundle)
    store.close()
    return home


@pytest.fixture(scope="session")
def console(console_home: Path) -> Iterator[ConsoleService]:
    """The service, asking for keys."""
    store = Store(f"sqlite:///{console_home}/store.db", REGION)
    keys = make_keys(store)
    store.close()
    configs = write_configs(console_home / "configs", refresh_seconds=1)
    server = start_server(console_home, TSUR_CONFIGS=str(configs))
    look_once(server, keys["admin"])
    yield ConsoleService(server, keys)
    run.stop(server.process)


def look_once(server: Server, key: str) -> None:
    """Let the service compute surges and new topics before a browser waits for them; it remembers them then."""
    deadline = time.monotonic() + READY_SECONDS
    with server.client as client:
        for path in ("/v1/surges", "/v1/emerging", "/v1/series/chart"):
            while client.get(path, headers={"X-API-Key": key}, timeout=READY_SECONDS).status_code != 200:
                assert time.monotonic() < deadline, f"{path} was not answered"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; tests that need it are skipped where none is installed."""
    with running_browser() as started:
        yield started


Visiting = Callable[..., AbstractContextManager[Visit]]


@pytest.fixture()
def visiting(browser: Browser, console: ConsoleService) -> Visiting:
    """`with visiting("analyst") as seen:` a browser logged in with that role's key (None: not logged in)."""

    def begin(role: Role | None = None, **options: Any) -> AbstractContextManager[Visit]:
        key = None if role is None else console.keys[role]
        return partial(visit, browser, console.base, key, **options)()

    return begin
