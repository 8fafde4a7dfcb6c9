"""The contract: what `/openapi.json` says is what a running service does, tried with requests that nobody thought of.

schemathesis makes requests that the schema allows, and others that it forbids, with all of its checks: no 500, no
status, header or body that is not documented, nothing accepted that the schema forbids, nothing refused that it
allows, no way around the key. What only the service can know stands in `schemathesis.toml`.
"""

import subprocess
from collections.abc import Iterator

import pytest

from serving import launch
from serving.app import create_app
from serving.http.routes import RouteTable
from tests.serving import fuzzing
from tests.serving.conftest import RegistryHome, Server, start_server, write_configs

KEY = "contract-key"
SECONDS = 60
OPERATIONS = [endpoint for endpoint in RouteTable(create_app()).routes if endpoint[1].startswith("/v1")]
STREAMS = ["/v1/events"]
"""Switched off in the config: who waits for the end of the answer waits for good."""


@pytest.fixture(scope="module")
def guarded(registry: RegistryHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service that asks for a key."""
    configs = write_configs(tmp_path_factory.mktemp("configs"))
    running = start_server(registry.home, TSUR_CONFIGS=str(configs), TSUR_API_KEYS=KEY)
    yield running
    launch.stop(running.process)


def test_the_service_does_what_its_schema_says(guarded: Server) -> None:
    command = fuzzing.command(guarded.port, KEY, "examples,coverage,fuzzing", 30, SECONDS)
    done = subprocess.run(command, capture_output=True, text=True, timeout=10 * SECONDS, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert f"{len(OPERATIONS) - len(STREAMS)} passed" in done.stdout
