"""An operator's desk over HTTP: what is shown, who gets which complaint, answers and the way back."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest

from data.complaints.masking import masked
from data.store.audit import AuditFilter
from serving.api.v1.cursors import cursor_of
from serving.config import DeskDefaults, ServingConfig
from serving.regions.champions import Champions
from serving.runtime import Runtime
from tests.data.store.rows import REGION, decision
from tests.serving.inprocess import client_of, make_runtime

TEXT = "Третью неделю не вывозят мусор на улице Садовой. Ещё в подъезде второй месяц нет света"
PLACE = "Верхнереченск"
Ask = Callable[[str, str, Any], Coroutine[Any, Any, httpx.Response]]


@pytest.fixture()
def runtime(champions: Champions, tmp_path: Path) -> Runtime:
    """A service with two complaints for operators, of a topic of its catalogue."""
    made = make_runtime(champions, tmp_path)
    fill(made, "a", "b")
    return made


def fill(runtime: Runtime, *names: str) -> None:
    triple = runtime.champions.classifier.model.catalogue.triples()[0]
    labels = {"sector": triple.sector, "topic": triple.topic, "agency": triple.agency}
    review = {"decision": "review", "reasons": ["low_confidence"], "text": masked(TEXT), "municipality": PLACE}
    runtime.store.decisions.save([decision(id=name, **review, **labels) for name in names])


def labels_of(runtime: Runtime, place: int = 0) -> dict[str, str]:
    triple = runtime.champions.classifier.model.catalogue.triples()[place]
    return {"sector": triple.sector, "topic": triple.topic, "agency": triple.agency}


def run(runtime: Runtime, work: Callable[[Ask], Coroutine[Any, Any, Any]], **headers: str) -> Any:
    """Do the work as two operators, `1` and `2`, each with a key."""
    keys = {name: runtime.store.keys.make(name, "operator", frozenset({REGION}), None)[1] for name in ("1", "2")}
    runtime.keys.refresh()

    async def ask_all() -> Any:
        async with client_of(runtime) as client:

            async def ask(operator: str, address: str, body: Any = None) -> httpx.Response:
                sent = {"X-API-Key": keys[operator], **headers}
                if body is None:
                    return await client.get(f"/v1/queue{address}", headers=sent)
                return await client.post(f"/v1/queue{address}", headers=sent, json=body)

            return await work(ask)

    return asyncio.run(ask_all())


def test_a_complaint_comes_with_all_that_an_operator_decides_by(runtime: Runtime) -> None:
    async def work(ask: Ask) -> None:
        shown = (await ask("1", "/claim", {})).json()
        complaint = shown["complaint"]
        assert (complaint["id"], complaint["text"], complaint["claimed"], shown["waiting"]) == ("a", TEXT, True, 2)
        assert complaint["decided"] == labels_of(runtime)
        assert complaint["reasons_ru"][0].startswith("Модель недостаточно уверена")
        proposals = complaint["proposals"]
        assert {name: len(each) for name, each in proposals.items()} == {"sectors": 5, "topics": 5, "agencies": 5}
        catalogue = runtime.champions.classifier.model.catalogue
        assert all(catalogue.topic(each["sector"], each["topic"]) for each in proposals["topics"])
        confidences = [each["confidence"] for each in proposals["topics"]]
        assert confidences == sorted(confidences, reverse=True)
        assert complaint["problems"][0]["start"] == 0
        words = (await ask("1", "/words?source=pos&id=a", None)).json()["words"]
        assert words
        assert all(TEXT[word["start"] : word["end"]] == word["word"] for word in words)

    run(runtime, work)


def test_two_operators_get_different_complaints_and_a_screen_loads_ahead(runtime: Runtime) -> None:
    async def work(ask: Ask) -> None:
        first = (await ask("1", "/claim", {})).json()["complaint"]
        again = (await ask("1", "/claim", {})).json()["complaint"]
        other = (await ask("2", "/claim", {})).json()["complaint"]
        assert (first["id"], again["id"], other["id"]) == ("a", "a", "b")
        held = [{"source": "pos", "id": "a"}]
        assert (await ask("1", "/claim", {"held": held})).json()["complaint"] is None
        assert (await ask("1", "/claim", {"screen": "second"})).json()["complaint"] is None
        assert (await ask("2", "/release", {"complaints": [{"source": "pos", "id": "b"}]})).json() == {"released": 1}
        assert (await ask("1", "/claim", {"held": held})).json()["complaint"]["id"] == "b"

    run(runtime, work)


def test_what_is_put_aside_comes_back_later_and_shows_in_the_queue(runtime: Runtime) -> None:
    async def work(ask: Ask) -> None:
        await ask("1", "/claim", {})
        later = {"complaints": [{"source": "pos", "id": "a"}], "later": True}
        assert (await ask("1", "/release", later)).json() == {"released": 1}
        mine = {"complaint": {"source": "pos", "id": "a"}}
        assert (await ask("2", "/claim", mine)).json()["complaint"]["id"] == "a"
        assert (await ask("1", "/claim", mine)).json()["complaint"] is None
        await ask("2", "/release", later)
        assert (await ask("1", "/claim", {})).json()["complaint"]["id"] == "b"
        queue = (await ask("2", "", None)).json()
        assert [(each["id"], each["later"], each["claimed"]) for each in queue["complaints"]] == [
            ("a", True, False),
            ("b", False, True),
        ]
        assert (queue["waiting"], queue["claimed"]) == (2, 1)
        assert queue["municipalities"] == [{"name": PLACE, "count": 2}]

    run(runtime, work)


def test_the_queue_is_read_page_by_page_and_filtered(runtime: Runtime) -> None:
    fill(runtime, *"cdefg")
    sector = labels_of(runtime)["sector"]

    async def work(ask: Ask) -> None:
        names: list[str] = []
        cursor = ""
        while True:
            page = (await ask("1", f"?limit=3&municipality=верхнереченск&sector={sector}{cursor}", None)).json()
            names += [each["id"] for each in page["complaints"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert names == list("abcdefg")
        assert (await ask("1", "?source=hotline", None)).json()["waiting"] == 0
        counts = (await ask("1", "?limit=0", None)).json()
        assert (counts["waiting"], counts["complaints"], counts["next"]) == (7, [], None)
        for wrong in (cursor_of("a", 1), cursor_of("0001-01-01T00:00:00+14:00", 1), cursor_of("2026-01-01", 2**70)):
            refused = await ask("1", f"?cursor={wrong}", None)
            assert (refused.status_code, refused.json()["error"]["details"][0]["where"]) == (422, "cursor")

    run(runtime, work)


def test_an_operator_may_begin_with_what_teaches_most(champions: Champions, tmp_path: Path) -> None:
    runtime = make_runtime(champions, tmp_path)
    texts = ["1001", "42 42", "7 7 7", "90210"]  # no Cyrillic letter: for an operator

    async def classified() -> None:
        async with client_of(runtime) as client:
            items = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
            answer = await client.post("/v1/classify", json={"items": items})
            assert answer.status_code == 200, answer.text

    async def work(ask: Ask) -> None:
        shown = (await ask("1", "?order=instructive", None)).json()["complaints"]
        margins = [each["topic_margin"] for each in shown]
        assert len(shown) == len(texts)
        assert margins == sorted(margins)
        assert margins[0] < margins[-1] < 1
        first = (await ask("1", "?order=instructive&limit=1", None)).json()
        assert first["complaints"] == shown[:1]
        second = (await ask("1", f"?order=instructive&limit=1&cursor={first['next']}", None)).json()
        assert second["complaints"] == shown[1:2]
        refused = await ask("1", f"?cursor={first['next']}", None)
        assert (refused.status_code, refused.json()["error"]["details"][0]["where"]) == (422, "cursor")
        claimed = (await ask("1", "/claim", {"order": "instructive"})).json()["complaint"]
        assert claimed["id"] == shown[0]["id"]
        unknown = await ask("1", "/claim", {"order": "cleverest"})
        assert (unknown.status_code, unknown.json()["error"]["details"][0]["where"]) == (422, "order")

    asyncio.run(classified())
    run(runtime, work)


def test_an_answer_is_stored_with_who_and_why_and_the_second_is_told(runtime: Runtime) -> None:
    said = {"source": "pos", "id": "a", **labels_of(runtime, 9), "why": "так решила Петрова Анна Ивановна"}

    async def work(ask: Ask) -> None:
        stored = (await ask("1", "/answer", said)).json()
        second = await ask("2", "/answer", {**said, **labels_of(runtime)})
        assert (second.status_code, second.json()["error"]["code"]) == (409, "already_answered")
        seen = (await ask("2", "/complaint?source=pos&id=a", None)).json()
        (answer,) = seen["answers"]
        assert (answer["number"], answer["labels"]) == (stored["number"], labels_of(runtime, 9))
        assert (answer["operator"], answer["why"], answer["undone"]) == ("key-1", "так решила [ИМЯ]", False)
        assert seen["answered_at"] is not None
        assert (await ask("1", "", None)).json()["waiting"] == 1

    run(runtime, work)


def test_an_answer_is_taken_back_by_who_gave_it(runtime: Runtime) -> None:
    async def work(ask: Ask) -> None:
        number = (await ask("1", "/answer", {"source": "pos", "id": "a", **labels_of(runtime)})).json()["number"]
        undo = {"what": "answer", "number": number}
        assert (await ask("2", "/undo", undo)).json()["error"]["code"] == "cannot_undo"
        assert (await ask("1", "/undo", undo)).json() == {"source": "pos", "id": "a"}
        assert (await ask("1", "", None)).json()["waiting"] == 2
        assert (await ask("1", "/complaint?source=pos&id=a", None)).json()["answers"][0]["undone"]

    run(runtime, work)


def test_no_longer_than_the_installation_says(champions: Champions, tmp_path: Path) -> None:
    runtime = make_runtime(champions, tmp_path, ServingConfig(desk=DeskDefaults(undo_minutes=0)))
    fill(runtime, "a")

    async def work(ask: Ask) -> None:
        number = (await ask("1", "/answer", {"source": "pos", "id": "a", **labels_of(runtime)})).json()["number"]
        assert (await ask("1", "/undo", {"what": "answer", "number": number})).status_code == 409

    run(runtime, work)


def test_an_answer_that_got_lost_may_be_sent_again(runtime: Runtime, tmp_path: Path) -> None:
    said = {"source": "pos", "id": "a", **labels_of(runtime)}

    async def work(ask: Ask) -> None:
        first, again = [(await ask("1", "/answer", said)).text for _ in range(2)]
        assert first == again

    run(runtime, work, **{"Idempotency-Key": "once"})
    with sqlite3.connect(tmp_path / "store.db") as store:
        assert store.execute("select count(*) from corrections").fetchone() == (1,)


def test_a_problem_is_split_off_and_put_back(runtime: Runtime) -> None:
    start = TEXT.index("Ещё")

    async def work(ask: Ask) -> None:
        made = (await ask("1", "/split", {"source": "pos", "id": "a", "start": start, "end": len(TEXT)})).json()
        assert (made["split"]["part_id"], made["decision"] in ("route", "review")) == ("a/2", True)
        (shown,) = (await ask("1", "/complaint?source=pos&id=a", None)).json()["splits"]
        assert shown == made["split"]
        (others,) = (await ask("2", "/complaint?source=pos&id=a", None)).json()["splits"]
        assert others["undo_until"] is None
        outside = await ask("1", "/split", {"source": "pos", "id": "a", "start": 5, "end": len(TEXT) + 1})
        assert outside.json()["error"]["details"][0]["where"] == "end"
        undo = {"what": "split", "number": made["split"]["number"]}
        assert (await ask("1", "/undo", undo)).json() == {"source": "pos", "id": "a"}
        assert (await ask("1", "/complaint?source=pos&id=a", None)).json()["splits"] == []

    run(runtime, work)


BAD = [
    ("/answer", {"source": "pos", "id": "nobody"}, 404, "unknown_complaint"),
    ("/answer", {"source": "pos", "id": "a", "topic": "Магия"}, 422, "unknown_label"),
    ("/answer", {"source": "fax", "id": "a"}, 422, "bad_request"),
    ("/split", {"source": "pos", "id": "nobody", "start": 0, "end": 3}, 404, "unknown_complaint"),
    ("/split", {"source": "pos", "id": "a", "start": 4, "end": 4}, 422, "bad_request"),
    ("/undo", {"what": "answer", "number": 77}, 409, "cannot_undo"),
    ("/undo", {"what": "split", "number": 77}, 409, "cannot_undo"),
    ("/claim", {"screen": "<b>"}, 422, "bad_request"),
]


@pytest.mark.parametrize(("address", "body", "status", "code"), BAD)
def test_what_cannot_be_done_is_refused(
    runtime: Runtime, address: str, body: dict[str, Any], status: int, code: str
) -> None:
    async def work(ask: Ask) -> None:
        whole = {**labels_of(runtime), **body} if address == "/answer" else body
        answer = await ask("1", address, whole)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        for asked in ("/complaint", "/words"):
            assert (await ask("1", f"{asked}?source=pos&id=nobody", None)).status_code == 404

    run(runtime, work)


def test_who_saw_which_complaint_is_in_the_audit(runtime: Runtime) -> None:
    async def work(ask: Ask) -> None:
        await ask("1", "/claim", {})
        await ask("1", "/words?source=pos&id=a", None)
        await ask("1", "/answer", {"source": "pos", "id": "a", **labels_of(runtime)})
        await ask("2", "", None)

    run(runtime, work)
    runtime.audit.flush()
    seen = {(entry.key_id, entry.route): entry.complaints for entry in runtime.store.audit.entries(AuditFilter())}
    assert seen == {
        ("key-1", "/v1/queue/claim"): (("pos", "a"),),
        ("key-1", "/v1/queue/words"): (("pos", "a"),),
        ("key-1", "/v1/queue/answer"): (("pos", "a"),),
        ("key-2", "/v1/queue"): (("pos", "b"),),
    }


def test_the_catalogue_names_the_agencies_of_a_place(runtime: Runtime) -> None:
    catalogue = runtime.champions.classifier.model.catalogue
    place = catalogue.municipalities[0]

    async def ask() -> list[Any]:
        async with client_of(runtime) as client:
            return [(await client.get(f"/v1/catalogue{asked}")).json() for asked in ("", f"?municipality={place.name}")]

    everywhere, here = asyncio.run(ask())
    topics = [
        (sector["name"], topic["name"], topic["agencies"]) for sector in here["sectors"] for topic in sector["topics"]
    ]
    assert all(agencies == catalogue.agencies_for(sector, topic, place.id) for sector, topic, agencies in topics)
    assert everywhere["sectors"] != here["sectors"]
