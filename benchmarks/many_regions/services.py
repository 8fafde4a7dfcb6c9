"""Services to compare: the same champion for one region or for many, with a challenger or none, with keys or none.

In: a bundle. Out: running services, each in a home of its own, and what one of them is asked.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import psutil
import yaml

from data.errors import TrackingError
from data.settings import CHECKOUT
from data.store.store import Store
from registry.client import Registry
from registry.names import classifier_name
from training.tracker import Tracker

READY_SECONDS = 300
UNLIMITED = {"requests_per_minute": 0, "region_idle_minutes": 0}
"""Of `serving.yaml`, so that the load of a benchmark is not refused."""


@dataclass(frozen=True)
class Service:
    """A service that runs.

    Attributes:
        key: that opens it; None: it has none.
    """

    url: str
    process: int
    key: str | None

    @property
    def memory_mb(self) -> float:
        """Resident memory of the process that answers."""
        children = psutil.Process(self.process).children()
        worker = next(child for child in children if any(".worker." in part for part in child.cmdline()))
        return float(worker.memory_info().rss / 1e6)

    def ask(self, text: str, region: str | None = None, name: str | None = None) -> float:
        """Classify one complaint, `name` being its Idempotency-Key; seconds.

        Raises:
            TrackingError: the answer is not 200.
        """
        headers = {"Content-Type": "application/json"}
        for header, value in (("X-Region", region), ("Idempotency-Key", name), ("X-API-Key", self.key)):
            if value is not None:
                headers[header] = value
        body = json.dumps({"items": [{"text": text}]}).encode()
        # the leanest client there is: what is measured is the service
        with closing(HTTPConnection(self.url.removeprefix("http://"), timeout=60)) as client:
            client.connect()
            started = time.perf_counter()
            client.request("POST", "/v1/classify", body, headers)
            answer = client.getresponse()
            said = answer.read()
            seconds = time.perf_counter() - started
        if answer.status != 200:
            raise TrackingError(f"the service answered {answer.status}: {said[:200]!r}")
        return seconds

    def wait_for(self, region: str | None = None) -> None:
        """Wait until it classifies for a region.

        Raises:
            TrackingError: it does not.
        """
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                self.ask("Нет воды", region)
                return
            except (OSError, TrackingError) as error:
                if time.monotonic() > deadline:
                    raise TrackingError(f"the service did not become ready: {error}") from None
                time.sleep(0.2)


def region_names(count: int) -> list[str]:
    """The ids of so many regions."""
    return [f"region{number:02}" for number in range(count)]


@contextmanager
def service(
    bundle: Path, home: Path, regions: int, challenger: bool = False, with_key: bool = False
) -> Iterator[Service]:
    """A service of so many regions, each with the bundle as its champion, and as challenger too."""
    from serving import launch

    shutil.rmtree(home, ignore_errors=True)
    store_url, uri = f"sqlite:///{home}/store.db", f"sqlite:///{home}/mlflow/mlflow.db"
    names = region_names(regions)
    configs = _configs(home / "configs", names)
    store = Store(store_url, names[0])
    _register(bundle, home, uri, names, store, challenger)
    key = store.keys.make("benchmark", "routing", None, None)[1] if with_key else None
    store.close()
    port = _free_port()
    here = {"TSUR_HOME": str(home), "TSUR_CONFIGS": str(configs), "TSUR_REGION": names[0], "TSUR_API_KEYS": ""}
    here |= {"TSUR_TRACKING_URI": uri, "TSUR_STORE_URL": store_url, "BENTOML_HOME": str(home / "bentoml")}
    with (home / "service.log").open("wb") as log:
        process = subprocess.Popen(
            launch.command("127.0.0.1", port),
            env={**os.environ, **launch.environment(port), **here},
            cwd=home,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        made = Service(f"http://127.0.0.1:{port}", process.pid, key)
        made.wait_for()
        yield made
    finally:
        launch.stop(process)


def _configs(folder: Path, names: list[str]) -> Path:
    shutil.copytree(CHECKOUT / "configs", folder)
    shutil.rmtree(folder / "regions")
    for name in names:
        (folder / "regions" / name).mkdir(parents=True)
        region = {"title": name, "timezone": "Europe/Moscow", "catalogue": None}
        (folder / "regions" / name / "region.yaml").write_text(yaml.safe_dump(region), encoding="utf-8")
    serving = yaml.safe_load((folder / "serving.yaml").read_text(encoding="utf-8"))
    (folder / "serving.yaml").write_text(yaml.safe_dump(serving | UNLIMITED), encoding="utf-8")
    return folder


def _register(bundle: Path, home: Path, uri: str, names: list[str], store: Store, challenger: bool) -> None:
    registry = Registry(uri, home, store.promotions)
    with Tracker(uri, home / "mlflow" / "artifacts").run("many-regions", "benchmark", {}) as run:
        for name in names:
            model = classifier_name(name)
            registry.promote(model, registry.register(model, bundle, run.id, {}), {}, "benchmark")
            if challenger:
                registry.challenge(model, registry.register(model, bundle, run.id, {}))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
