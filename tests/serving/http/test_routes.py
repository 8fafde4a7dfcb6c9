"""Routes by their templates: one name in logs and metrics whatever ids are asked for, limits declared beside them."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from prometheus_client import generate_latest

from serving.app import create_app
from serving.auth.roles import ALLOWED
from serving.config import JobDefaults, ServingConfig
from serving.http.errors import install_error_handlers
from serving.http.routes import Limits, Route, RouteTable, limited
from serving.regions.champions import Champions
from serving.runtime import Runtime
from tests.serving.bundles import registry_in
from tests.serving.inprocess import client_of, make_runtime

SMALL = Limits(body_bytes=100, items=3, seconds=0.2)


def jobs_app() -> FastAPI:
    """An application with an address that holds an id."""
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/v1/jobs/{id}")
    async def job(id: str) -> dict[str, str]:
        return {"id": id}

    @app.post("/v1/jobs")
    @limited(SMALL)
    async def start(request: Request) -> int:
        size = len(await request.body())
        await asyncio.sleep(10 if size == 1 else 0)
        return size

    @app.put("/v1/jobs")
    async def replace(request: Request) -> int:
        return len(await request.body())

    return app


@pytest.mark.parametrize(
    ("method", "path", "template"),
    [
        ("GET", "/v1/jobs/17", "/v1/jobs/{id}"),
        ("GET", "/v1/jobs/Иванов", "/v1/jobs/{id}"),
        ("DELETE", "/v1/jobs/17", "/v1/jobs/{id}"),
        ("POST", "/v1/jobs", "/v1/jobs"),
        ("GET", "/v1/jobs/17/rows", None),
        ("GET", "/v1/job", None),
    ],
)
def test_a_path_is_found_by_its_template(method: str, path: str, template: str | None) -> None:
    route = RouteTable(jobs_app()).find(method, path)
    assert (route.template if route else None) == template


def test_a_method_that_the_address_does_not_answer_has_no_limits_of_its_own() -> None:
    table = RouteTable(jobs_app())
    assert table.find("POST", "/v1/jobs") == Route("/v1/jobs", ("POST", "/v1/jobs"), limits=SMALL)
    assert table.find("GET", "/v1/jobs") == Route("/v1/jobs")


def test_only_classification_needs_a_place() -> None:
    routes = RouteTable(create_app()).routes
    assert [key for key, route in routes.items() if route.admitted] == [("POST", "/v1/classify")]


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (Limits(), (2000, 20, 9.0)),
        (Limits(body_bytes=100, items=3, seconds=1), (100, 3, 1.0)),
        (Limits(body_bytes=3000, items=100, seconds=60), (2000, 20, 9.0)),
    ],
)
def test_the_tighter_of_a_routes_limits_and_the_installations_holds(
    own: Limits, expected: tuple[int, int, float]
) -> None:
    limits = own.within(ServingConfig(max_body_bytes=2000, max_items=20, timeout_seconds=9))
    assert (limits.body_bytes, limits.items, limits.seconds) == expected


def test_an_upload_has_limits_of_its_own() -> None:
    config = ServingConfig(max_body_bytes=2000, jobs=JobDefaults(max_upload_bytes=50_000, upload_seconds=700))
    limits = Limits(upload=True).within(config)
    assert (limits.body_bytes, limits.seconds) == (50_000, 700)


@pytest.fixture()
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    for endpoint in (("GET", "/v1/jobs/{id}"), ("POST", "/v1/jobs"), ("PUT", "/v1/jobs")):
        monkeypatch.setitem(ALLOWED, endpoint, frozenset({"admin"}))  # type: ignore[arg-type]
    return make_runtime(Champions(registry_in(tmp_path), "verkhnerechye"), tmp_path, ServingConfig(max_body_bytes=2000))


def send(runtime: Runtime, *calls: tuple[str, str, bytes]) -> list[httpx.Response]:
    async def ask() -> list[httpx.Response]:
        async with client_of(runtime, jobs_app()) as client:
            return [await client.request(method, path, content=body) for method, path, body in calls]

    return asyncio.run(ask())


def test_metrics_and_logs_name_the_template_and_no_id(runtime: Runtime, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", logger="tsur.serving"):
        send(runtime, ("GET", "/v1/jobs/17", b""), ("GET", "/v1/jobs/18", b""), ("GET", "/v1/people/Иванов", b""))
    text = generate_latest(runtime.metrics.registry).decode()
    counted = dict(re.findall(r'tsur_requests_total\{.*path="(.+?)".*\} (\S+)', text))
    assert counted == {"/v1/jobs/{id}": "2.0", "(elsewhere)": "1.0"}
    assert "/v1/jobs/{id}" in caplog.text
    for literal in ("17", "18", "Иванов"):
        assert f"/{literal}" not in caplog.text + text


def test_a_routes_own_limits_hold_for_it_alone(runtime: Runtime) -> None:
    small, large, other, too_large, slow = send(
        runtime,
        ("POST", "/v1/jobs", b"x" * 100),
        ("POST", "/v1/jobs", b"x" * 101),
        ("PUT", "/v1/jobs", b"x" * 2000),
        ("PUT", "/v1/jobs", b"x" * 2001),
        ("POST", "/v1/jobs", b"x"),
    )
    statuses = [answer.status_code for answer in (small, large, other, too_large, slow)]
    assert statuses == [200, 413, 200, 413, 504]
    assert slow.json()["error"]["code"] == "timeout"
