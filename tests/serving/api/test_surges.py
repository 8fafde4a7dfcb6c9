"""`GET /v1/surges`: each filter leaves what it names and nothing else, alone and together."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.config import ServingConfig, SurgeDefaults
from serving.regions.champions import Champions
from tests.serving.bundles import (
    CALM_PLACE,
    CALM_SECTOR,
    FORECASTER,
    LAST_DAY,
    REGION,
    SURGE_PLACE,
    SURGE_SECTOR,
    write_surging_forecaster,
)
from tests.serving.conftest import RegistryHome
from tests.serving.inprocess import client_of, make_runtime

GOES_ON, OVER = (SURGE_PLACE, SURGE_SECTOR), (CALM_PLACE, CALM_SECTOR)
SURE, LIKELY = (SURGE_PLACE, CALM_SECTOR), (CALM_PLACE, SURGE_SECTOR)
EVERY = {GOES_ON, OVER, SURE, LIKELY}


@pytest.fixture(scope="module")
def champions(tmp_path_factory: pytest.TempPathFactory) -> Champions:
    """A region with four events and no classifier."""
    home = tmp_path_factory.mktemp("surging")
    (home / "mlflow" / "artifacts").mkdir(parents=True)
    registry = RegistryHome(home, home)
    registry.register(FORECASTER, write_surging_forecaster(home / "forecaster" / "bundle"))
    loaded = Champions(registry.opened, REGION)
    loaded.refresh()
    return loaded


def ask(champions: Champions, folder: Path, config: ServingConfig | None = None, **query: Any) -> httpx.Response:
    async def get() -> httpx.Response:
        async with client_of(make_runtime(champions, folder, config)) as client:
            return await client.get("/v1/surges", params={"as_of": LAST_DAY, **query})

    return asyncio.run(get())


def series(answer: httpx.Response) -> set[tuple[str, str]]:
    assert answer.status_code == 200, answer.text
    return {(surge["municipality"], surge["sector"]) for surge in answer.json()["surges"]}


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ({}, EVERY),
        ({"closed": False}, EVERY - {OVER}),
        ({"kind": "observed"}, {GOES_ON, OVER}),
        ({"kind": "expected"}, {SURE, LIKELY}),
        ({"sector": SURGE_SECTOR}, {GOES_ON, LIKELY}),
        ({"sector": CALM_SECTOR}, {OVER, SURE}),
        ({"municipality": SURGE_PLACE}, {GOES_ON, SURE}),
        ({"municipality": CALM_PLACE}, {OVER, LIKELY}),
        ({"min_probability": 0.95}, EVERY - {LIKELY}),
        ({"min_probability": 0.8}, EVERY),
        ({"kind": "expected", "min_probability": 0.95}, {SURE}),
        ({"kind": "observed", "sector": CALM_SECTOR}, {OVER}),
        ({"kind": "observed", "sector": CALM_SECTOR, "closed": False}, set()),
        ({"municipality": CALM_PLACE, "sector": SURGE_SECTOR, "min_probability": 0.95}, set()),
    ],
    ids=str,
)
def test_a_filter_leaves_what_it_names(
    champions: Champions, tmp_path: Path, query: dict[str, Any], left: set[tuple[str, str]]
) -> None:
    assert series(ask(champions, tmp_path, **({"closed": True} | query))) == left


def test_without_a_probability_in_the_query_the_configs_holds(champions: Champions, tmp_path: Path) -> None:
    config = ServingConfig(surges=SurgeDefaults(min_probability=0.95))
    assert series(ask(champions, tmp_path, config, closed=True)) == EVERY - {LIKELY}
    assert series(ask(champions, tmp_path, config, closed=True, min_probability=0)) == EVERY


def test_the_table_is_filtered_likewise(champions: Champions, tmp_path: Path) -> None:
    lines = ask(champions, tmp_path, kind="expected", min_probability=0.95, format="csv").text.splitlines()
    assert len(lines) == 2
    assert all(name in lines[1] for name in SURE)
