"""`POST /v1/feedback`: every label of a correction is kept, and one wrong item leaves nothing behind."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.config import ServingConfig
from serving.regions.champions import Champions
from tests.serving.inprocess import client_of, make_runtime

LABELS = ("sector", "topic", "agency", "operator")


@pytest.fixture(scope="module")
def known(champions: Champions) -> dict[str, str]:
    """A topic of the catalogue with its sector and an agency that may answer for it."""
    triple = champions.classifier.model.catalogue.triples()[0]
    return {"sector": triple.sector, "topic": triple.topic, "agency": triple.agency}


def correct(
    champions: Champions, folder: Path, items: list[dict[str, Any]], config: ServingConfig | None = None
) -> httpx.Response:
    """Classify the complaints `a` and `b`, then send these corrections."""

    async def ask() -> httpx.Response:
        async with client_of(make_runtime(champions, folder, config)) as client:
            for name in ("a", "b"):
                complaint = {"id": name, "text": "Не вывозят мусор", "source": "pos"}
                assert (await client.post("/v1/classify", json={"items": [complaint]})).status_code == 200
            return await client.post("/v1/feedback", json={"items": items})

    return asyncio.run(ask())


def stored(folder: Path) -> dict[str, tuple[str | None, ...]]:
    """Labels and operator of each complaint's correction."""
    with sqlite3.connect(folder / "store.db") as store:
        rows = store.execute(f"select complaint_id, {', '.join(LABELS)} from corrections").fetchall()
    return {name: tuple(labels) for name, *labels in rows}


@pytest.mark.parametrize("said", [("sector",), ("agency",), ("sector", "topic"), ("sector", "topic", "agency")])
def test_each_label_that_an_operator_gave_is_kept_and_no_other(
    champions: Champions, known: dict[str, str], tmp_path: Path, said: tuple[str, ...]
) -> None:
    labels = {name: known[name] for name in said}
    first = {"id": "a", "source": "pos", "operator": "operator-7", **labels}
    second = {"id": "b", "source": "pos", "sector": known["sector"]}
    answer = correct(champions, tmp_path, [first, second])
    assert (answer.status_code, answer.json()) == (200, {"stored": 2})
    assert stored(tmp_path) == {
        "a": (*(labels.get(name) for name in LABELS[:3]), "operator-7"),
        "b": (known["sector"], None, None, None),
    }


def test_one_unknown_label_or_complaint_and_nothing_is_stored(
    champions: Champions, known: dict[str, str], tmp_path: Path
) -> None:
    good = {"id": "a", "source": "pos", "sector": known["sector"]}
    for bad in ({"id": "b", "source": "pos", "agency": "Магия"}, {"id": "nobody", "agency": known["agency"]}):
        answer = correct(champions, tmp_path, [good, bad])
        assert answer.status_code in (404, 422)
        assert "items.1" in answer.text
    assert stored(tmp_path) == {}


def test_more_corrections_than_the_installation_takes_are_refused(
    champions: Champions, known: dict[str, str], tmp_path: Path
) -> None:
    items = [{"id": name, "source": "pos", "sector": known["sector"]} for name in ("a", "b")]
    answer = correct(champions, tmp_path, items, ServingConfig(max_items=1))
    assert (answer.status_code, answer.json()["error"]["message"]) == (
        422,
        "items: there are 2 items; at most 1 fit in one request",
    )
