"""Keys: who needs one, which are accepted, and where the service may listen without any."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.datastructures import Headers

from data.errors import AccessError, BindingError, ConfigError, TsurError
from data.store.audit import AuditFilter
from data.store.store import Store, open_store
from serving import launch as run
from serving.auth.access import authenticate, check_binding, is_loopback
from serving.auth.keyring import KeyRing
from serving.auth.principal import LOCAL
from tests.conftest import tsur
from tests.serving.bundles import REGION
from tests.serving.conftest import RegistryHome, Server, start_server

KEYS = frozenset({"first-key", "второй"})


def ring_of(folder: Path, keys: Iterable[str] = ()) -> KeyRing:
    """The keys of a worker whose store holds none."""
    ring = KeyRing(Store(f"sqlite:///{folder}/store.db", "here").keys, keys)
    ring.refresh()
    return ring


NOBODY: dict[str, str] = {}
FIRST = {"Authorization": "Bearer first-key"}


@pytest.mark.parametrize(
    ("path", "client", "headers", "passes"),
    [
        ("/v1/classify", "127.0.0.1", FIRST, True),
        ("/v1/classify", "10.0.0.5", {"authorization": "bearer  first-key "}, True),
        ("/v1/classify", "10.0.0.5", {"X-API-Key": "first-key"}, True),
        ("/v1/classify", "127.0.0.1", NOBODY, False),
        ("/v1/classify", "127.0.0.1", {"Authorization": "Bearer wrong"}, False),
        ("/v1/classify", "127.0.0.1", {"Authorization": "Basic first-key"}, False),
        ("/v1/classify", "127.0.0.1", {"Authorization": "Bearer "}, False),
        ("/v1/classify", "127.0.0.1", {"X-API-Key": ""}, False),
        ("/v1/classify", "127.0.0.1", {"X-API-Key": "first-ke"}, False),
        ("/v1", "127.0.0.1", NOBODY, False),
        ("/v1/nothing", "127.0.0.1", NOBODY, False),
        ("/livez", "10.0.0.5", NOBODY, True),
        ("/readyz", "10.0.0.5", NOBODY, True),
        ("/docs", "10.0.0.5", NOBODY, True),
        ("/metrics", "127.0.0.1", NOBODY, True),
        ("/metrics", "10.0.0.5", NOBODY, False),
        ("/metrics", None, NOBODY, False),
        ("/metrics", "10.0.0.5", FIRST, True),
    ],
)
def test_with_keys(path: str, client: str | None, headers: dict[str, str], passes: bool, tmp_path: Path) -> None:
    ring = ring_of(tmp_path, KEYS)
    if passes:
        who = authenticate(path, client, Headers(headers), ring)
        assert (who.role if who else None) == ("admin" if headers else None)
    else:
        with pytest.raises(AccessError):
            authenticate(path, client, Headers(headers), ring)


@pytest.mark.parametrize(("client", "passes"), [("127.0.0.1", True), ("::1", True), ("10.0.0.5", False)])
def test_without_keys_only_this_machine_is_answered(client: str, passes: bool, tmp_path: Path) -> None:
    ring = ring_of(tmp_path)
    if passes:
        assert authenticate("/v1/classify", client, Headers(), ring) is LOCAL
    else:
        with pytest.raises(AccessError, match="without keys"):
            authenticate("/v1/classify", client, Headers(), ring)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5"])
def test_listening_beyond_this_machine_needs_keys(host: str) -> None:
    with pytest.raises(BindingError, match="tsur keys make"):
        check_binding(host, has_keys=False)
    check_binding(host, has_keys=True)
    check_binding("127.0.0.1", has_keys=False)


def test_a_key_of_the_store_is_enough_to_listen_beyond_this_machine_and_a_revoked_one_is_not(
    at_home: Callable[[Path], None], tmp_path: Path
) -> None:
    at_home(tmp_path)
    assert not run.has_keys()
    store = open_store()
    number, _ = store.keys.make("x", "admin", None, None)
    assert run.has_keys()
    store.keys.revoke(number)
    assert not run.has_keys()


@pytest.mark.parametrize(
    ("host", "port", "error"),
    [
        ("example.org", 3000, ConfigError),
        ("127.0.0.1", 0, ConfigError),
        ("127.0.0.1", 70_000, ConfigError),
        ("192.0.2.1", 3000, BindingError),
    ],
)
def test_an_address_that_cannot_be_served_is_refused_before_anything_starts(
    host: str, port: int, error: type[TsurError]
) -> None:
    with pytest.raises(error):
        run.start(host, port)


def test_a_taken_port_is_named(server: Server) -> None:
    with pytest.raises(BindingError, match=str(server.port)):
        run.start("127.0.0.1", server.port)


@pytest.fixture(scope="module")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of a store of its own: the other services of this home have no keys."""
    return f"sqlite:///{tmp_path_factory.mktemp('locked')}/store.db"


@pytest.fixture(scope="module")
def locked(registry: RegistryHome, store_url: str) -> Iterator[Server]:
    keys = {"TSUR_API_KEYS": "first-key, second", "TSUR_STORE_URL": store_url}
    running = start_server(registry.home, wait_for="/livez", **keys)
    yield running
    run.stop(running.process)


@pytest.mark.parametrize("path", ["/v1/classify", "/v1/nothing", "/v1/surges"])
def test_over_http_a_call_without_key_gets_401_before_its_body_is_looked_at(locked: Server, path: str) -> None:
    with locked.client as client:
        answer = client.post(path, content=b"{")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("headers", [FIRST, {"X-API-Key": "second"}])
def test_over_http_a_key_opens(locked: Server, headers: dict[str, str]) -> None:
    with locked.client as client:
        assert client.post("/v1/classify", content=b"{", headers=headers).status_code != 401
        assert client.get("/livez").status_code == 200
        assert httpx.codes.is_success(client.get("/openapi.json").status_code)


def test_a_running_service_learns_of_a_new_key_and_of_its_revocation(locked: Server, store_url: str) -> None:
    store = {"TSUR_STORE_URL": store_url}
    made = tsur(locked.home, "keys", "make", "--name", "ПОС", "--role", "analyst", "--region", REGION, **store)
    key = made.stdout.strip()
    assert eventually(locked, key, 200)
    listed = tsur(locked.home, "keys", "list", **store).stdout
    assert "ПОС" in listed
    assert key not in listed + locked.output
    number = re.findall(r"key (\d+), shown", made.stderr)[0]
    tsur(locked.home, "keys", "revoke", number, **store)
    assert eventually(locked, key, 401)
    audited = tsur(locked.home, "audit", "--route", "/v1/heatmap", **store).stdout
    assert f"key-{number}  ПОС  analyst  {REGION}  GET  /v1/heatmap  200" in audited
    table = locked.home / "audit.csv"
    tsur(locked.home, "audit", "--key", "command-line", "--limit", "0", "--out", str(table), **store)
    lines = table.read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(";")[6] for line in lines] == ["route", f"tsur keys revoke {number}", f"tsur keys make {number}"]


def eventually(server: Server, key: str, status: int) -> bool:
    """Whether the service answers this key with this status, soon."""
    deadline = time.monotonic() + 30
    with server.client as client:
        while time.monotonic() < deadline:
            if client.get("/v1/heatmap", headers={"X-API-Key": key}).status_code == status:
                return True
            time.sleep(0.2)
    return False


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.5", False),
        ("example.org", False),
        ("localhost.example.org", False),
        (None, False),
    ],
)
def test_loopback_is_told_from_the_network(host: str | None, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_what_was_asked_last_is_in_the_audit_of_a_service_that_is_ended(locked: Server, store_url: str) -> None:
    with locked.client as client:
        request_id = client.get("/v1/heatmap", headers=FIRST).headers["x-request-id"]
    run.stop(locked.process)
    newest = next(Store(store_url, REGION).audit.entries(AuditFilter(route="/v1/heatmap")))
    assert newest.request_id == request_id
