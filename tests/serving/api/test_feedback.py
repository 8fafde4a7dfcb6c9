"""`POST /v1/feedback`: every label of a correction is kept, and a wrong item keeps no good one from it."""

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
    results = [{"id": name, "source": "pos"} for name in ("a", "b")]
    assert (answer.status_code, answer.json()) == (200, {"stored": 2, "results": results})
    assert stored(tmp_path) == {
        "a": (*(labels.get(name) for name in LABELS[:3]), "operator-7"),
        "b": (known["sector"], None, None, None),
    }


BAD = [
    ({"id": "b", "source": "pos", "agency": "Магия"}, 422, "unknown_label", "items.{}"),
    ({"id": "nobody", "sector": "ЖКХ"}, 404, "unknown_complaint", "items.{}.id"),
    ({"id": "b", "source": "pos"}, 422, "bad_request", "items.{}"),
    ({"id": "b", "source": "fax", "sector": "ЖКХ"}, 422, "bad_request", "items.{}.source"),
]


def test_wrong_items_are_answered_as_such_and_the_others_are_stored(
    champions: Champions, known: dict[str, str], tmp_path: Path
) -> None:
    good = {"id": "a", "source": "pos", "sector": known["sector"]}
    answer = correct(champions, tmp_path, [*(item for item, *_ in BAD), good])
    assert answer.status_code == 200
    *refused, taken = answer.json()["results"]
    for index, (result, (item, _, code, where)) in enumerate(zip(refused, BAD, strict=True)):
        assert (result["index"], result["id"], result["error"]["code"]) == (index, item["id"], code)
        assert [detail["where"] for detail in result["error"]["details"]] == [where.format(index)]
    assert (answer.json()["stored"], taken) == (1, {"id": "a", "source": "pos"})
    assert set(stored(tmp_path)) == {"a"}


@pytest.mark.parametrize(("item", "status", "code", "where"), BAD)
def test_where_no_item_is_good_the_request_is_refused(
    champions: Champions, tmp_path: Path, item: dict[str, Any], status: int, code: str, where: str
) -> None:
    answer = correct(champions, tmp_path, [item])
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["details"][0]["where"]) == (status, code, where.format(0))
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
