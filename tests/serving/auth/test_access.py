"""Keys: who needs one, which are accepted, and where the service may listen without any."""

from collections.abc import Iterator

import httpx
import pytest
from starlette.datastructures import Headers

from data.errors import AccessError, BindingError, ConfigError, TsurError
from serving import launch as run
from serving.auth.access import authenticate, check_binding, is_loopback
from serving.auth.principal import ENVIRONMENT, LOCAL
from tests.serving.conftest import RegistryHome, Server, start_server

KEYS = frozenset({"first-key", "второй"})
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
def test_with_keys(path: str, client: str | None, headers: dict[str, str], passes: bool) -> None:
    if passes:
        who = authenticate(path, client, Headers(headers), KEYS)
        assert who is (ENVIRONMENT if headers else None)
    else:
        with pytest.raises(AccessError):
            authenticate(path, client, Headers(headers), KEYS)


@pytest.mark.parametrize(("client", "passes"), [("127.0.0.1", True), ("::1", True), ("10.0.0.5", False)])
def test_without_keys_only_this_machine_is_answered(client: str, passes: bool) -> None:
    if passes:
        assert authenticate("/v1/classify", client, Headers(), frozenset()) is LOCAL
    else:
        with pytest.raises(AccessError, match="no keys"):
            authenticate("/v1/classify", client, Headers(), frozenset())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.5"])
def test_listening_beyond_this_machine_needs_keys(host: str) -> None:
    with pytest.raises(BindingError, match="TSUR_API_KEYS"):
        check_binding(host, frozenset())
    check_binding(host, KEYS)
    check_binding("127.0.0.1", frozenset())


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
def locked(registry: RegistryHome) -> Iterator[Server]:
    running = start_server(registry.home, wait_for="/livez", TSUR_API_KEYS="first-key, second")
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
