"""Role × endpoint, cell by cell, with real keys against the real application; and keys crossed between two regions."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from data.errors import AccessError
from data.regions.region import Region
from data.settings import CHECKOUT
from serving.app import create_app
from serving.auth.requires import caller
from serving.auth.roles import ALLOWED, ROLES, Endpoint, Role
from serving.http.routes import RouteTable
from serving.regions.champions import Champions
from serving.runtime import Runtime
from tests.serving.bundles import REGION
from tests.serving.inprocess import client_of, make_runtime

ELSEWHERE = "zarechye"
ROUTES = RouteTable(create_app()).routes
V1 = [endpoint for endpoint in ROUTES if endpoint[1].startswith("/v1")]
REFERENCE = (CHECKOUT / "docs" / "reference.md").read_text(encoding="utf-8")
METRICS: Endpoint = ("GET", "/metrics")


@pytest.fixture(scope="module")
def runtime(champions: Champions, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    made = make_runtime(champions, tmp_path_factory.mktemp("roles"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def keys(runtime: Runtime) -> dict[tuple[Role, str], str]:
    """A key of each role, for the region that is served and for another one."""
    made = {
        (role, region): runtime.store.keys.make(f"{role} of {region}", role, frozenset({region}), None)[1]
        for role in ROLES
        for region in (REGION, ELSEWHERE)
    }
    runtime.keys.refresh()
    return made


def ask(runtime: Runtime, endpoint: Endpoint, key: str | None) -> httpx.Response:
    """Ask an endpoint, ids in its path made up, from another machine."""
    path = re.sub(r"\{\w+\}", "1", endpoint[1])

    async def answer() -> httpx.Response:
        async with client_of(runtime, client=("10.0.0.5", 5000)) as client:
            headers = {} if key is None else {"Authorization": f"Bearer {key}"}
            return await client.request(endpoint[0], path, headers=headers)

    return asyncio.run(answer())


def test_every_endpoint_has_its_row_and_every_row_its_endpoint() -> None:
    assert set(ALLOWED) == {*V1, METRICS}
    assert all("admin" in roles for roles in ALLOWED.values())


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("endpoint", ALLOWED, ids=" ".join)
def test_a_role_is_let_in_where_the_table_says_so_and_nowhere_else(
    runtime: Runtime, keys: dict[tuple[Role, str], str], endpoint: Endpoint, role: Role
) -> None:
    answer = ask(runtime, endpoint, keys[role, REGION])
    if role in ALLOWED[endpoint]:
        assert answer.status_code not in (401, 403), answer.text
    else:
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
        assert f"role {role}" in answer.json()["error"]["message"]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("endpoint", V1, ids=" ".join)
def test_a_key_of_another_region_is_let_in_nowhere(
    runtime: Runtime, keys: dict[tuple[Role, str], str], endpoint: Endpoint, role: Role
) -> None:
    here, there = runtime, replace(runtime, region=another(runtime.region))
    assert ask(here, endpoint, keys[role, ELSEWHERE]).status_code == 403
    assert ask(there, endpoint, keys[role, REGION]).status_code == 403
    if role in ALLOWED[endpoint]:
        assert ask(there, endpoint, keys[role, ELSEWHERE]).status_code not in (401, 403)


def another(region: Region) -> Region:
    return replace(region, id=ELSEWHERE)


@pytest.mark.parametrize("endpoint", [*V1, METRICS], ids=" ".join)
def test_without_a_key_or_with_a_wrong_one_nobody_is_let_in(
    runtime: Runtime, keys: dict[tuple[Role, str], str], endpoint: Endpoint
) -> None:
    for key in (None, "wrong", "tsur_wrong"):
        answer = ask(runtime, endpoint, key)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")


def test_an_endpoint_without_a_row_is_closed_to_everybody(
    runtime: Runtime, keys: dict[tuple[Role, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(ALLOWED, ("GET", "/v1/surges"))  # type: ignore[arg-type]
    for role in ROLES:
        answer = ask(runtime, ("GET", "/v1/surges"), keys[role, REGION])
        assert answer.status_code == 403
        assert "open to no role" in answer.json()["error"]["message"]


def test_a_key_of_all_regions_opens_each(runtime: Runtime) -> None:
    _, key = runtime.store.keys.make("all", "analyst", None, None)
    runtime.keys.refresh()
    for region in (runtime.region, another(runtime.region)):
        assert ask(replace(runtime, region=region), ("GET", "/v1/surges"), key).status_code == 200


def test_more_requests_than_a_key_may_send_get_429_and_when_to_come_again(champions: Champions, tmp_path: Path) -> None:
    from serving.config import ServingConfig

    runtime = make_runtime(champions, tmp_path, ServingConfig(requests_per_minute=3))
    first, second = (runtime.store.keys.make(name, "routing", None, None)[1] for name in ("a", "b"))
    runtime.keys.refresh()

    async def send() -> list[httpx.Response]:
        async with client_of(runtime, client=("10.0.0.5", 5000)) as client:
            return [await client.post("/v1/classify", headers={"X-API-Key": key}) for key in [*[first] * 5, second]]

    answers = asyncio.run(send())
    assert [answer.status_code for answer in answers] == [422, 422, 422, 429, 429, 422]
    assert answers[3].json()["error"]["code"] == "rate_limited"
    assert 1 <= int(answers[3].headers["retry-after"]) <= 60
    runtime.close()


def test_a_request_that_the_middleware_has_not_seen_is_nobodys() -> None:
    from starlette.requests import Request

    with pytest.raises(AccessError, match="API key"):
        asyncio.run(caller(Request({"type": "http", "state": {}})))


@pytest.mark.parametrize("endpoint", V1, ids=" ".join)
def test_the_reference_shows_who_may_ask_and_within_which_limits(endpoint: Endpoint) -> None:
    cells = row_of(endpoint)
    limits = ROUTES[endpoint].limits
    assert cells[: len(ROLES)] == ["yes" if role in ALLOWED[endpoint] else "" for role in ROLES]
    assert cells[len(ROLES) :] == [
        str(limits.body_bytes or ("`max_upload_bytes`" if limits.upload else "`max_body_bytes`")),
        str(limits.items or ""),
        str(limits.seconds or ("`upload_seconds`" if limits.upload else "`timeout_seconds`")),
    ]


def row_of(endpoint: Endpoint) -> list[str]:
    (row,) = re.findall(rf"^\| `{endpoint[0]} {re.escape(endpoint[1])}` \|(.*)\|$", REFERENCE, re.M)
    return [cell.strip() for cell in row.split("|")]


def test_only_the_documentation_is_open_to_everybody() -> None:
    assert {template for _, template in ROUTES if not template.startswith("/v1")} == {"/", "/docs", "/openapi.json"}
