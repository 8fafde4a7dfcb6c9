"""Sessions of the console: begun with a key, ended with it, forged by nobody."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from data.store.digests import digest
from data.store.sessions import Sessions
from serving.auth.sessions import COOKIE, SessionRing
from serving.regions.champions import Champions
from serving.runtime import Runtime
from tests.serving.bundles import REGION
from tests.serving.inprocess import client_of, make_runtime

ELSEWHERE = ("10.0.0.5", 5000)
OWN = {"X-Console": "1"}


@pytest.fixture()
def runtime(champions: Champions, tmp_path: Path) -> Iterator[Runtime]:
    made = make_runtime(champions, tmp_path)
    yield made
    made.close()


def make_key(runtime: Runtime, role: str = "operator") -> tuple[int, str]:
    made = runtime.store.keys.make("Иванова", role, frozenset({REGION}), None)
    runtime.keys.refresh()
    return made


def asking(
    runtime: Runtime, ask: Callable[[httpx.AsyncClient], Awaitable[list[httpx.Response]]], client: tuple[str, int]
) -> list[httpx.Response]:
    async def run() -> list[httpx.Response]:
        async with client_of(runtime, client=client) as browser:
            return await ask(browser)

    return asyncio.run(run())


def log_in(runtime: Runtime, key: str, *then: tuple[str, str, dict[str, str]]) -> list[httpx.Response]:
    """The answers to logging in, and to what is asked with the cookie then."""

    async def ask(browser: httpx.AsyncClient) -> list[httpx.Response]:
        answers = [await browser.post("/v1/session", headers={"X-API-Key": key})]
        return answers + [await browser.request(method, path, headers=headers) for method, path, headers in then]

    return asking(runtime, ask, ELSEWHERE)


def test_a_key_begins_a_session_that_opens_what_the_key_opens(runtime: Runtime) -> None:
    _, key = make_key(runtime)
    begun, who, heat, emerging, metrics = log_in(
        runtime,
        key,
        ("GET", "/v1/session", {}),
        ("GET", "/v1/heatmap", {}),
        ("POST", "/v1/jobs", OWN),
        ("GET", "/metrics", {}),
    )
    assert begun.status_code == 200
    assert (who.json()["name"], who.json()["role"]) == ("Иванова", "operator")
    assert [region["id"] for region in who.json()["regions"]] == [REGION]
    assert "GET /v1/heatmap" in who.json()["may"]
    assert "GET /metrics" not in who.json()["may"]
    assert heat.status_code == 200
    assert emerging.status_code not in (401, 403)
    assert metrics.status_code in (401, 403)


def test_the_cookie_is_for_the_browser_alone_and_secure_behind_tls(runtime: Runtime) -> None:
    _, key = make_key(runtime)
    (plain,) = log_in(runtime, key)
    cookie = plain.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert "secure" not in cookie.lower()
    headers = {"X-API-Key": key, "X-Forwarded-Proto": "https"}

    async def ask(browser: httpx.AsyncClient) -> list[httpx.Response]:
        return [await browser.post("/v1/session", headers=headers)]

    (behind_tls,) = asking(runtime, ask, ELSEWHERE)
    assert "secure" in behind_tls.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        (OWN | {"Sec-Fetch-Site": "cross-site"}, 403),
        (OWN | {"Sec-Fetch-Site": "same-origin"}, 422),
        (OWN, 422),
    ],
)
def test_a_change_by_cookie_needs_the_header_that_only_the_console_sends(
    runtime: Runtime, headers: dict[str, str], status: int
) -> None:
    _, key = make_key(runtime)
    _, changed = log_in(runtime, key, ("POST", "/v1/feedback", headers))
    assert changed.status_code == status, changed.text


def test_a_session_dies_with_its_key(runtime: Runtime) -> None:
    number, key = make_key(runtime)

    async def ask(browser: httpx.AsyncClient) -> list[httpx.Response]:
        await browser.post("/v1/session", headers={"X-API-Key": key})
        before = await browser.get("/v1/session")
        runtime.store.keys.revoke(number)
        runtime.keys.refresh()
        return [before, await browser.get("/v1/session")]

    before, after = asking(runtime, ask, ELSEWHERE)
    assert (before.status_code, after.status_code) == (200, 401)
    assert "revoked" in after.json()["error"]["message"]


def test_logging_out_ends_the_session_whoever_has_its_cookie(runtime: Runtime) -> None:
    _, key = make_key(runtime)

    async def ask(browser: httpx.AsyncClient) -> list[httpx.Response]:
        await browser.post("/v1/session", headers={"X-API-Key": key})
        stolen = {"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
        ended = await browser.delete("/v1/session", headers=OWN)
        return [ended, await browser.get("/v1/session", headers=stolen), await browser.get("/v1/session")]

    ended, stolen, after = asking(runtime, ask, ELSEWHERE)
    assert (ended.status_code, stolen.status_code, after.status_code) == (204, 401, 401)


def test_another_worker_knows_a_session_at_once(runtime: Runtime) -> None:
    _, key = make_key(runtime)
    other = SessionRing(runtime.store.sessions, runtime.keys, 1)
    token = runtime.sessions.begin(runtime.keys.principal(key))
    assert not other.known(token)
    other.refresh()
    assert other.principal(token).name == "Иванова"


def test_a_session_that_is_over_opens_nothing_and_is_forgotten(runtime: Runtime) -> None:
    _, key = make_key(runtime)
    principal = runtime.keys.principal(key)
    over = runtime.store.sessions.begin(principal.key_id, datetime.now(UTC) - timedelta(seconds=1))

    async def ask(browser: httpx.AsyncClient) -> list[httpx.Response]:
        return [await browser.get("/v1/session", headers={"Cookie": f"{COOKIE}={over}"})]

    (answer,) = asking(runtime, ask, ELSEWHERE)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
    assert runtime.store.sessions.living() == []


def test_a_key_goes_before_a_cookie(runtime: Runtime) -> None:
    _, operators = make_key(runtime)
    _, engineers = make_key(runtime, "engineer")
    _, who = log_in(runtime, operators, ("GET", "/v1/session", {"X-API-Key": engineers}))
    assert who.json()["role"] == "engineer"


def test_without_keys_this_machine_is_let_in_without_a_session(runtime: Runtime) -> None:
    async def ask(browser: httpx.AsyncClient) -> list[httpx.Response]:
        return [await browser.get("/v1/session"), await browser.post("/v1/session", headers=OWN)]

    here, begun = asking(runtime, ask, ("127.0.0.1", 5000))
    assert (here.status_code, here.json()["keyless"], here.json()["role"]) == (200, True, "admin")
    assert "set-cookie" not in begun.headers


def test_the_token_is_kept_nowhere(runtime: Runtime, tmp_path: Path) -> None:
    _, key = make_key(runtime)
    token = runtime.sessions.begin(runtime.keys.principal(key))
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("store.db*"))
    assert token.encode() not in kept
    assert digest(token).encode() in kept


def test_sessions_are_kept_on_both_databases(url: str) -> None:
    from data.store.store import Store

    store = Store(url, REGION)
    sessions: Sessions = store.sessions
    token = sessions.begin("key-1", datetime.now(UTC) + timedelta(hours=1))
    assert [(each.digest, each.key_id) for each in sessions.living()] == [(digest(token), "key-1")]
    sessions.end(digest(token))
    assert sessions.living() == []
    store.close()
