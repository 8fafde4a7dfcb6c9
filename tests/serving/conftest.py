"""A real service for the tests: real registry, real bundles (tiny), a real server on a free port."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml

from data.settings import CHECKOUT, settings
from registry.client import Registry
from serving import launch as run
from serving.regions.champions import Champions
from tests.serving.bundles import (
    CLASSIFIER,
    FORECASTER,
    REGION,
    register,
    registry_in,
    write_classifier,
    write_forecaster,
)

READY_SECONDS = 600
SMALL_BODY = 64 * 1024


@dataclass(frozen=True)
class RegistryHome:
    """A registry in a folder, with both champions."""

    home: Path
    bundles: Path

    @property
    def uri(self) -> str:
        """Its tracking URI, the default one of that home."""
        return f"sqlite:///{self.home}/mlflow/mlflow.db"

    @property
    def opened(self) -> Registry:
        """The registry."""
        return registry_in(self.home)

    def register(self, name: str, bundle: Path) -> str:
        """Make a bundle champion."""
        return register(self.home, name, bundle)


@dataclass
class Server:
    """A service that runs."""

    home: Path
    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def client(self) -> httpx.Client:
        """A client of it."""
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30, trust_env=False)

    @property
    def output(self) -> str:
        """All that its processes have written."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_configs(folder: Path, **changes: object) -> Path:
    """The real configs, `serving.yaml` with some values changed."""
    shutil.copytree(CHECKOUT / "configs", folder, dirs_exist_ok=True)
    content = yaml.safe_load((CHECKOUT / "configs" / "serving.yaml").read_text(encoding="utf-8"))
    (folder / "serving.yaml").write_text(yaml.safe_dump(content | changes, allow_unicode=True))
    return folder


def start_server(home: Path, wait_for: str = "/readyz", **environment: str) -> Server:
    """Start a service as `tsur serve` does, its output going to a file."""
    port = free_port()
    log = home / f"server-{port}.log"
    settings = {
        "TSUR_HOME": str(home),
        "TSUR_TRACKING_URI": f"sqlite:///{home}/mlflow/mlflow.db",
        "TSUR_STORE_URL": f"sqlite:///{home}/store.db",
        **environment,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            run.command("127.0.0.1", port),
            env={**os.environ, **run.environment(port), **settings, "BENTOML_HOME": str(home / "bentoml" / str(port))},
            cwd=home,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(home, port, process, log)
    deadline = time.monotonic() + READY_SECONDS
    with server.client as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if client.get(wait_for).status_code == 200:
                    return server
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    run.stop(process)
    raise AssertionError(f"the service did not become ready:\n{server.output[-4000:]}")


@pytest.fixture(scope="session")
def classifier_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny classifier bundle."""
    return write_classifier(tmp_path_factory.mktemp("classifier") / "bundle")


@pytest.fixture(scope="session")
def forecaster_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny forecaster bundle."""
    return write_forecaster(tmp_path_factory.mktemp("forecaster") / "bundle")


@pytest.fixture(scope="session")
def registry(
    tmp_path_factory: pytest.TempPathFactory, classifier_bundle: Path, forecaster_bundle: Path
) -> RegistryHome:
    """A home with a registry that holds both champions."""
    home = tmp_path_factory.mktemp("home")
    (home / "mlflow" / "artifacts").mkdir(parents=True)
    made = RegistryHome(home, classifier_bundle.parent)
    made.register(CLASSIFIER, classifier_bundle)
    made.register(FORECASTER, forecaster_bundle)
    return made


@pytest.fixture(scope="session")
def champions(registry: RegistryHome) -> Champions:
    """Both champions of that registry, loaded in this process."""
    loaded = Champions(registry.opened, REGION)
    with pytest.MonkeyPatch.context() as patch:  # encoders are brought to the home, and looked for there
        patch.setenv("TSUR_HOME", str(registry.home))
        settings.cache_clear()
        loaded.refresh()
    settings.cache_clear()
    loaded.check_ready()
    return loaded


@pytest.fixture(scope="session")
def server(registry: RegistryHome) -> Iterator[Server]:
    """A ready service without keys, with small limits."""
    configs = write_configs(registry.home / "configs", refresh_seconds=1, max_body_bytes=SMALL_BODY)
    running = start_server(registry.home, TSUR_CONFIGS=str(configs))
    yield running
    run.stop(running.process)


@pytest.fixture()
def api(server: Server) -> Iterator[httpx.Client]:
    """A client of the ready service."""
    with server.client as client:
        yield client
