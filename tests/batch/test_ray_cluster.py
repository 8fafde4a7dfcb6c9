"""Connecting to a cluster that is not there: one sentence that says what to do, before anything is computed."""

import socket
import sys

import pytest

from batch.ray_cluster import connected
from data.errors import EngineError


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_without_ray_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        pytest.raises(EngineError, match=r"Ray, which is not installed: pip install -c constraints.txt '\.\[ray\]'"),
        connected(),
    ):
        pass


def test_an_address_where_nothing_answers_is_named():
    pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray]'")
    port = free_port()
    with (
        pytest.raises(EngineError, match=f"no Ray cluster answers at 127.0.0.1:{port} .*ray start --head"),
        connected(f"127.0.0.1:{port}"),
    ):
        pass


@pytest.mark.parametrize("address", ["head", "head:", ":6379", "ray://head"])
def test_an_address_without_host_and_port_is_refused(address: str):
    pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray]'")
    with pytest.raises(EngineError, match=f"--address {address}: expected HOST:PORT"), connected(address):
        pass
