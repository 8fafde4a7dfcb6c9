"""Starting and ending: the service sees the settings of whoever starts it, and never outlives it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data.errors import ConfigError
from data.settings import CHECKOUT, Settings
from serving import launch as run
from serving.config import ServingConfig
from serving.launch import resolved_settings
from tests.serving.conftest import free_port

SHOW = """
import json
from serving.launch import command, environment
print(json.dumps([command("127.0.0.1", 3000), environment(3000)]))
"""
SERVE = "import sys; from serving.launch import serve; sys.exit(serve('127.0.0.1', int(sys.argv[1])))"


def environment(**changes: str) -> dict[str, str]:
    """This process's environment without its own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TSUR_")}
    return kept | {"PYTHONPATH": str(CHECKOUT)} | changes


@pytest.mark.parametrize(
    ("dotenv", "variables", "expected"),
    [
        (
            "TSUR_HOME=state\nTSUR_API_KEYS=first-key,second\n",
            {},
            {
                "TSUR_HOME": "{here}/state",
                "TSUR_API_KEYS": "first-key,second",
                "TSUR_REGION": "verkhnerechye",
                "TSUR_STORE_URL": "sqlite:///{here}/state/store.db",
                "TSUR_TRACKING_URI": "sqlite:///{here}/state/mlflow/mlflow.db",
            },
        ),
        (
            "TSUR_HOME=state\n",
            {"TSUR_HOME": "other", "TSUR_STORE_URL": "sqlite:///kept/store.db"},
            {"TSUR_HOME": "{here}/other", "TSUR_STORE_URL": "sqlite:///{here}/kept/store.db", "TSUR_API_KEYS": ""},
        ),
        (
            "",
            {
                "TSUR_CONFIGS": f"{CHECKOUT}/data/../configs",
                "TSUR_STORE_URL": "sqlite:////var/store.db",
                "TSUR_TRACKING_URI": "http://mlflow:5000",
            },
            {
                "TSUR_CONFIGS": f"{CHECKOUT}/configs",
                "TSUR_STORE_URL": "sqlite:////var/store.db",
                "TSUR_TRACKING_URI": "http://mlflow:5000",
            },
        ),
    ],
)
def test_the_service_gets_the_settings_of_the_folder_it_is_started_from(
    tmp_path: Path, dotenv: str, variables: dict[str, str], expected: dict[str, str]
) -> None:
    (tmp_path / ".env").write_text(dotenv, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SHOW], cwd=tmp_path, env=environment(**variables), capture_output=True, check=True
    )
    command, given = json.loads(done.stdout)
    assert {name: given[name] for name in expected} == {
        name: value.format(here=tmp_path.resolve()) for name, value in expected.items()
    }
    assert "first-key" not in " ".join(command)


@pytest.mark.parametrize(
    ("workers", "given", "expected"),
    [
        (1, "", {"tracing": {"excluded_urls": ".*"}}),
        (2, "", {"tracing": {"excluded_urls": ".*"}, "services": {"tsur": {"workers": 2}}}),
        (1, '{"tracing": {"exporter_type": "otlp"}}', {"tracing": {"exporter_type": "otlp"}}),
    ],
)
def test_bentoml_makes_no_traces_unless_the_environment_asks(
    monkeypatch: pytest.MonkeyPatch, workers: int, given: str, expected: dict[str, object]
) -> None:
    monkeypatch.setenv(run.OVERRIDES, given)
    monkeypatch.setattr(run, "load_serving_config", lambda: ServingConfig(workers=workers))
    assert json.loads(run.environment(3000)[run.OVERRIDES]) == expected


@pytest.mark.parametrize("given", ["tracing", "[1]", "{"])
def test_settings_of_bentoml_that_are_no_json_object_are_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(run.OVERRIDES, given)
    with pytest.raises(ConfigError, match="BENTOML_CONFIG_OVERRIDES is not a JSON object"):
        run.environment(3000)


def test_every_setting_of_the_service_is_passed_on() -> None:
    assert set(resolved_settings()) == {f"TSUR_{name.upper()}" for name in Settings.model_fields} - {"TSUR_REAL_DATA"}


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def eventually(port: int, up: bool, seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while listens(port) != up and time.monotonic() < deadline:
        time.sleep(0.1)
    return listens(port) == up


@pytest.mark.parametrize(
    ("ending", "then"),
    [
        (signal.SIGTERM, ()),
        (signal.SIGHUP, (signal.SIGHUP,)),
        (signal.SIGINT, (signal.SIGINT, signal.SIGTERM)),
    ],
)
def test_a_service_whose_command_is_ended_leaves_its_port(
    tmp_path: Path, ending: signal.Signals, then: tuple[signal.Signals, ...]
) -> None:
    port = free_port()
    with (tmp_path / "output").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(port)],
            cwd=tmp_path,
            env=environment(TSUR_HOME="state"),
            stdout=output,
            stderr=output,
        )
    try:
        assert eventually(port, up=True), (tmp_path / "output").read_text()
        for signalled in (ending, *then):  # a second one comes while the service is being stopped
            process.send_signal(signalled)
            time.sleep(0.02)
        assert process.wait(timeout=30) == 0
        assert eventually(port, up=False, seconds=5)
    finally:
        process.kill()
