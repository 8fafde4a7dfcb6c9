"""What the console is made of: what lies in the package, known to the byte, small, served as it should be."""

import hashlib
import json
import re
from pathlib import Path

import httpx
import pytest

from data.settings import CHECKOUT
from serving.console.app import ASSETS

FOLDER = Path(ASSETS)
VENDOR = FOLDER / "vendor"
LOCK = json.loads((VENDOR / "lock.json").read_text(encoding="utf-8"))
MOST_BYTES = 900_000
SCRIPTS = sorted(path for path in FOLDER.rglob("*.js") if VENDOR not in path.parents)


def test_every_vendored_file_is_locked_and_is_what_the_lock_says() -> None:
    locked = {name: file["sha256"] for package in LOCK["packages"] for name, file in package["files"].items()}
    there = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir()}
    assert there.pop("lock.json")
    assert there == locked


def test_every_vendored_package_comes_with_its_licence() -> None:
    for package in LOCK["packages"]:
        assert {"name", "version", "licence", "source", "integrity"} <= set(package)
        assert any(name.endswith("LICENSE") for name in package["files"]), package["name"]


def test_all_assets_together_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= MOST_BYTES


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_loads_only_what_lies_beside_it_and_evaluates_nothing(script: Path) -> None:
    text = script.read_text(encoding="utf-8")
    for target in re.findall(r"""(?:from\s+|import\(\s*)["']([^"']+)["']""", text):
        assert (script.parent / target).resolve().is_file(), target
    assert re.findall(r"\beval\(|new Function|innerHTML|https?://(?!www\.w3\.org)", text) == []


def test_the_assets_are_part_of_the_package() -> None:
    assert '"serving.console" = ["assets/**"]' in (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")


def test_every_address_under_the_console_is_its_page_under_a_strict_policy(api: httpx.Client) -> None:
    for path in ("/console/", "/console/heatmap?days=7", "/console/no/such/page"):
        answer = api.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'self';")
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-cache"
    assert api.get("/console").headers["location"].endswith("/console/")


def test_an_asset_that_is_not_there_is_told_in_the_one_shape(api: httpx.Client) -> None:
    answer = api.get("/console/assets/nothing.js")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert api.get("/console/assets/../app.py").status_code in (200, 404)  # the page or nothing, never the file
    assert "create_console" not in api.get("/console/assets/%2e%2e/app.py").text


def test_an_unchanged_asset_is_not_sent_again(api: httpx.Client) -> None:
    first = api.get("/console/assets/app.js")
    again = api.get("/console/assets/app.js", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
