"""Starting the service: checks first, then BentoML in a process of its own.

Works from any folder: the process gets this one's settings, resolved, in its environment, which unlike
its command line no other user can read. BentoML and MLflow are told to send nothing anywhere, and BentoML keeps its
files in this installation's home, apart from those of a service on another port.
"""

import ipaddress
import json
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from data.errors import BindingError, ConfigError
from data.regions.region import load_region
from data.settings import CHECKOUT, settings
from data.store.store import open_store
from serving.auth.access import check_binding, is_loopback
from serving.config import load_serving_config

SERVICE = "serving.service:TsurService"
OVERRIDES = "BENTOML_CONFIG_OVERRIDES"
STOP_SECONDS = 15
KEEP_ALIVE_SECONDS = 75
"""That an idle connection stays open: longer than a proxy keeps its own (nginx: 60), so that no request comes just as
it is closed. uvicorn's own 5 are fewer than a client of a busy service may pause."""
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""SIGINT too: a command started in the background of a script inherits it ignored."""
_RELATIVE_SQLITE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:)(.+)")


def command(host: str, port: int) -> list[str]:
    """The command line that serves."""
    bind = ["--host", host, "--port", str(port), "--working-dir", str(CHECKOUT)]
    return [sys.executable, "-m", "bentoml", "serve", SERVICE, *bind, "--timeout-keep-alive", str(KEEP_ALIVE_SECONDS)]


def environment(port: int, region: str | None = None) -> dict[str, str]:
    """The environment of the process that serves a region, without a name this installation's."""
    workers = load_serving_config().workers
    home = settings().home.resolve() / "bentoml" / str(port)
    quiet = {
        OVERRIDES: _bento_config(workers),
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(home),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_CONFIGURE_LOGGING": "false",
        "DO_NOT_TRACK": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "PYTHONWARNINGS": "ignore",
        "PYTHONUNBUFFERED": "1",
    }
    path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, **quiet, **resolved_settings(region), "PYTHONPATH": path}


def _bento_config(workers: int) -> str:
    """BentoML's settings as JSON; what the environment says of the same keys holds."""
    # nobody reads traces unless they are asked for, and they take a tenth of a request's time
    config: dict[str, object] = {"tracing": {"excluded_urls": ".*"}}
    if workers != 1:
        config["services"] = {"tsur": {"workers": workers}}
    try:
        given = json.loads(os.environ.get(OVERRIDES) or "{}")
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise ConfigError(f"{OVERRIDES} is not a JSON object, such as {{}}")
    return json.dumps(config | given)


def resolved_settings(region: str | None = None) -> dict[str, str]:
    """This process's settings as variables that mean the same in any folder, beside any `.env`."""
    own = settings()
    return {
        "TSUR_HOME": str(own.home.resolve()),
        "TSUR_CONFIGS": str(own.configs.resolve()),
        "TSUR_REGION": load_region(region).id,
        "TSUR_TRACKING_URI": _anchored(own.mlflow_uri),
        "TSUR_STORE_URL": _anchored(own.database_url),
        "TSUR_CSV_DECIMAL": own.csv_decimal,
        "TSUR_API_KEYS": own.api_keys.get_secret_value(),
    }


def _anchored(url: str) -> str:
    """A URL of an SQLite file by its whole path."""
    relative = _RELATIVE_SQLITE.fullmatch(url)
    return f"{relative[1]}{Path(relative[2]).resolve()}" if relative else url


def start(
    host: str = "127.0.0.1", port: int = 3000, region: str | None = None, log: Path | None = None
) -> "subprocess.Popen[bytes]":
    """Start serving a region in the background; it is stopped by `stop`.

    What it prints goes to this process's output, or behind what is in `log`.

    Raises:
        BindingError: the host lets other machines in and there are no keys, or the port is taken.
        StoreError: whether there are keys cannot be read.
        ConfigError: the host is not an address, `serving.yaml` is malformed, or there is no such region.
    """
    host = "127.0.0.1" if host == "localhost" else host
    check_address(host, port)
    check_binding(host, is_loopback(host) or has_keys())
    home = settings().home.resolve() / "bentoml" / str(port)
    home.mkdir(parents=True, exist_ok=True)
    with nullcontext() if log is None else log.open("ab") as output:
        return subprocess.Popen(
            command(host, port),
            env=environment(port, region),
            cwd=home,
            start_new_session=True,
            stdout=output,
            stderr=output,
        )


def has_keys() -> bool:
    """Whether this installation has a key that opens something.

    Raises:
        StoreError: the store cannot be read.
    """
    if settings().keys:
        return True
    store, now = open_store(), datetime.now(UTC)
    try:
        return any(key.opens_at(now) for key in store.keys.all())
    finally:
        store.close()


def stop(process: "subprocess.Popen[bytes]") -> int:
    """Stop a service and its workers; the exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def serve(host: str = "127.0.0.1", port: int = 3000, region: str | None = None) -> int:
    """Serve until interrupted, ended (SIGTERM) or left by a closed terminal (SIGHUP); the exit status.

    The service runs in a session of its own, which none of these reaches. Raises as `start`.
    """
    for ending in ENDINGS:
        signal.signal(ending, _interrupt)
    process = start(host, port, region)
    try:
        return process.wait()
    except KeyboardInterrupt:
        stop(process)
        return 0


def check_address(host: str, port: int) -> None:
    """Whether the service can listen there.

    Raises:
        ConfigError: the host is not an IP address, or the port not a port.
        BindingError: something listens there already, or the address is not this machine's.
    """
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
    except ValueError:
        raise ConfigError(f"{host!r} is not an IP address; this machine alone is 127.0.0.1") from None
    if not 1 <= port <= 65535:
        raise ConfigError(f"{port} is not a port between 1 and 65535")
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BindingError(f"cannot listen on {host}:{port}: {error.strerror}; choose another port") from None


def _interrupt(*_: object) -> None:
    """The first signal stops the service; the next ones, a second Ctrl-C or hang-up, must not interrupt that."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt
