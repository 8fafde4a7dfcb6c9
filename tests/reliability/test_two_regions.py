"""Two regions' keys crossed in every endpoint of a running service: nobody is answered with what is the other's."""

import re
from typing import Any

import httpx

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
    named = client.request(method, address, headers={"X-Region": other}, **asked)
    name = {"Idempotency-Key": f"name-of-{other}"} if path == "/v1/classify" else {}
    silent = client.request(method, address, headers=name, **asked)
    COUNTS.crossings += 2
    wrong = [] if named.status_code == 403 else [f"{method} {path} for {other}: {named.status_code}"]
    if "{" in path and silent.status_code not in (404, 422):  # 422: an address that has no jobs, and other ids
        wrong.append(f"{method} {path} with {other}'s id: {silent.status_code}")
    if path == "/v1/feedback" and silent.status_code != 404:
        wrong.append(f"{method} {path}: a correction of {other}'s complaint was stored")
    signs = (
        [TOWNS[other], their_job, f"of-the-other-{other}"] if silent.status_code < 400 else [TOWNS[other]]
    )  # errors repeat what was asked
    return [*wrong, *(f"{method} {path} shows {sign} of {other}" for sign in signs if sign in silent.text)]
