"""Two regions' keys crossed in every endpoint of a running service: nobody is answered with what is the other's."""

import re
from typing import Any

import httpx

from serving.api.v1.events import EVENT_STREAM
from tests.reliability.counting import COUNTS
from tests.reliability.installation import OTHER, TOWNS, Installation, asked_until_ready
from tests.serving.bundles import REGION
from tests.serving.workers import export, send

BODIES: dict[str, dict[str, Any]] = {
    "/v1/classify": {"json": {"items": [{"id": "own", "text": "Яма на дороге"}]}},
    "/v1/forecast": {"json": {"horizon": 3}},
    "/v1/jobs": {"content": export(3), "params": {"name": "export.csv"}},
}
"""Of the addresses that take one; a correction is of a complaint that the other region alone has."""


def test_the_keys_of_two_regions_open_nothing_of_each_other(installation: Installation) -> None:
    with installation.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
    wrong, jobs = [], {region: prepare(installation, region) for region in TOWNS}
    for region, other in ((REGION, OTHER), (OTHER, REGION)):
        with installation.client(region) as client:
            for path, methods in paths.items():
                for method in methods:
                    wrong += crossed(client, method.upper(), path, other, jobs[other])
    COUNTS.across_regions += len(wrong)
    assert wrong == []


def prepare(installation: Installation, region: str) -> str:
    """A complaint that the region has, answered under a name too, and the id of a job of it."""
    with installation.client(region) as client:
        client.headers["Idempotency-Key"] = f"name-of-{region}"
        asked_until_ready(client, {"items": [{"id": f"of-the-other-{region}", "text": "Не вывозят мусор"}]})
        del client.headers["Idempotency-Key"]
        asked_until_ready(client, {"items": [{"text": f"Не вывозят мусор, {TOWNS[region]}"}]})
        return str(send(client, export(5))["id"])


def crossed(client: httpx.Client, method: str, path: str, other: str, their_job: str) -> list[str]:
    """What is wrong when an address is asked for the other region, and when it is asked with the other's ids."""
    correction = {"json": {"items": [{"id": f"of-the-other-{other}", "sector": "ЖКХ"}]}}
    asked = {"params": {}, **(BODIES | {"/v1/feedback": correction}).get(path, {})} if method == "POST" else {}
    address = re.sub(r"\{\w+\}", their_job, path)
    named, _ = answered(client, method, address, headers={"X-Region": other}, **asked)
    name = {"Idempotency-Key": f"name-of-{other}"} if path == "/v1/classify" else {}
    silent, text = answered(client, method, address, headers=name, **asked)
    COUNTS.crossings += 2
    wrong = [] if named == 403 else [f"{method} {path} for {other}: {named}"]
    if "{" in path and silent not in (404, 422):  # 422: an address that has no jobs, and other ids
        wrong.append(f"{method} {path} with {other}'s id: {silent}")
    if path == "/v1/feedback" and silent != 404:
        wrong.append(f"{method} {path}: a correction of {other}'s complaint was stored")
    signs = (
        [TOWNS[other], their_job, f"of-the-other-{other}"] if silent < 400 else [TOWNS[other]]
    )  # errors repeat what was asked
    return [*wrong, *(f"{method} {path} shows {sign} of {other}" for sign in signs if sign in text)]


def answered(client: httpx.Client, method: str, address: str, **asked: Any) -> tuple[int, str]:
    """Status and text of an answer; of a stream of events, which has no end, its first lines."""
    with client.stream(method, address, **asked) as answer:
        if answer.headers.get("content-type", "").startswith(EVENT_STREAM):
            return answer.status_code, next(answer.iter_text())
        return answer.status_code, answer.read().decode(errors="replace")
