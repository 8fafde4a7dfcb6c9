"""Ray: a cluster that is there already, or one on this machine for as long as the command runs.

In: an address, or none. Out: a connection, closed behind the block. What is started here listens on the loopback
address alone, holds a token of its own, keeps at most `STORE_BYTES` of objects in shared memory and tells nobody
that it is used. A cluster that was started by hand keeps the settings it was started with (docs/scaling.md).
"""

import importlib.util
import logging
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from data.errors import EngineError
from models.encoder.onnx_runtime import usable_cores

STORE_BYTES = 200_000_000
"""Of shared memory, at most: /dev/shm may be small, and chunks are passed on at once."""
MOST_WORKERS = 32
"""Of a cluster started here: for each the store holds a chunk, some 4 MB of rows as citizens wrote them. A store that
is full would write them to the disk."""
CONNECT_SECONDS = 5.0
"""A head that takes no connection within so long is not there."""
START_SECONDS = "60"
"""Until Ray gives up a start here; a busy machine takes more than its usual 30."""
STARTS = 3
"""Its agents have 15 seconds to come up, which no setting changes: on a busy machine the second start finds them
in memory."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@contextmanager
def connected(address: str | None = None, workers: int | None = None) -> Iterator[None]:
    """Connect to the cluster at `address` (HOST:PORT), or start one on this machine with so many workers.

    Args:
        address: of the cluster's head; None: start one here.
        workers: of one that is started here; None: as many as cores.

    Raises:
        EngineError: there is no Ray, no cluster at the address, or one of another Ray or Python.
    """
    if importlib.util.find_spec("ray") is None:
        raise EngineError("--engine ray needs Ray, which is not installed: pip install -c constraints.txt '.[ray]'")
    if address is not None:
        _check_answers(address)
    _prepare(address)
    import ray

    if _is_here(address):
        ray._private.ray_constants.ENABLE_RAY_CLUSTER = False  # where another library imported Ray before
    logging.getLogger("ray").setLevel(logging.ERROR)
    temporary = tempfile.mkdtemp(prefix="tsur-ray-") if address is None else None
    try:
        _connect(ray, address, workers, temporary)
        yield
    finally:
        ray.shutdown()
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _prepare(address: str | None) -> None:
    """What Ray reads of the environment, when it is imported or starts its processes."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_raylet_start_wait_time_s", START_SECONDS)
    if _is_here(address):
        # as on systems whose firewall asks about every port: this machine's own address is 127.0.0.1
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    if address is None:
        os.environ.setdefault("RAY_worker_niceness", "0")  # else 15: to be as fast as this process would be
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # else one is written to the user's home


def _is_here(address: str | None) -> bool:
    return address is None or _host(address) in LOOPBACK


def _host(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")


def _check_answers(address: str) -> None:
    """Does anything listen there? Ray itself would ask for a minute."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise EngineError(f"--address {address}: expected HOST:PORT of the head of a Ray cluster, as in 10.0.0.5:6379")
    try:
        socket.create_connection((_host(address), int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        raise EngineError(
            f"no Ray cluster answers at {address} ({error.strerror or error}): start its head there with `ray start "
            "--head`, or leave --address out to start one on this machine"
        ) from None


def _connect(ray: Any, address: str | None, workers: int | None, temporary: str | None) -> None:
    if address is not None:
        of_cluster: dict[str, Any] = {"address": address}
    else:
        of_cluster = {
            "address": "local",
            "num_cpus": workers or min(usable_cores(), MOST_WORKERS),
            "object_store_memory": STORE_BYTES,
            "include_dashboard": False,
            "_temp_dir": temporary,
        }
    for tries_left in reversed(range(1 if address else STARTS)):
        try:
            ray.init(**of_cluster, log_to_driver=False, configure_logging=False)
            return
        except Exception as error:  # Ray raises its own, RuntimeError, ConnectionError and ValueError
            if not tries_left:
                raise _refused(address, error) from None
            ray.shutdown()


def _refused(address: str | None, error: Exception) -> EngineError:
    sentence = " ".join(str(error).split())
    if "ersion mismatch" in sentence:
        return EngineError(f"the cluster at {address} runs another Ray or Python than this machine: {sentence[:300]}")
    where = "Ray does not start on this machine" if address is None else f"the Ray cluster at {address} refuses"
    return EngineError(f"{where}: {type(error).__name__}: {sentence[:300]}")
