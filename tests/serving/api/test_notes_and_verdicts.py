"""What people write about surges and decide about proposed topics, on a running service."""

import httpx
import yaml

from data.store.topic_verdicts import TopicVerdict, complaint_digest
from serving.api.v1.verdicts import verdict_on
from tests.data.store.rows import NOON, REGION
from tests.serving.bundles import SURGE_PLACE, SURGE_SECTOR

COMPLAINTS = [{"source": "pos", "id": f"n-{n}"} for n in range(4)]


def the_surge(api: httpx.Client) -> dict[str, str]:
    surges = api.get("/v1/surges", params={"municipality": SURGE_PLACE, "sector": SURGE_SECTOR}).json()["surges"]
    surge = next(each for each in surges if each["municipality"] == SURGE_PLACE)
    return {name: surge[name] for name in ("kind", "municipality", "sector", "start")}


def test_a_note_about_a_surge_is_kept_masked_with_who_wrote_it(api: httpx.Client) -> None:
    note = the_surge(api) | {"author": "Иванова", "note": "Прорыв трубы, звонить 8 900 765-43-21"}
    kept = api.post("/v1/surges/notes", json=note).json()
    assert kept["note"] == "Прорыв трубы, звонить [ТЕЛЕФОН]"
    assert api.get("/v1/surges/notes").json()["notes"][0] == kept
    assert kept["author"] == "Иванова"


def test_a_note_about_no_surge_is_refused(api: httpx.Client) -> None:
    answer = api.post("/v1/surges/notes", json=the_surge(api) | {"author": "Иванова", "start": "2020-01-01"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_request")


def test_a_draft_comes_back_as_lines_for_the_catalogue(api: httpx.Client) -> None:
    draft = {"verdict": "draft", "title": "Самокаты: тротуары", "sector": "Дороги", "words": ["самокаты", "тротуар"]}
    kept = api.post("/v1/emerging/verdicts", json=draft | {"complaints": COMPLAINTS, "author": "Иванова"}).json()
    assert api.get("/v1/emerging/verdicts").json()["verdicts"][0] == kept
    ((sector,),) = [yaml.safe_load(kept["yaml"])]
    assert (sector["name"], sector["topics"][0]["name"]) == ("Дороги", "Самокаты: тротуары")
    assert kept["complaints"] == 4


def test_a_draft_without_a_title_is_refused(api: httpx.Client) -> None:
    verdict = {"verdict": "draft", "complaints": COMPLAINTS, "author": "Иванова"}
    assert api.post("/v1/emerging/verdicts", json=verdict).status_code == 422


def test_a_proposal_is_found_again_by_half_of_its_complaints() -> None:
    kept = TopicVerdict(
        region=REGION,
        verdict="dismissed",
        title="",
        sector="",
        words=[],
        complaints=[complaint_digest("pos", f"n-{n}") for n in range(4)],
        decided_at=NOON,
        key_id="key-1",
        author="Иванова",
        note="",
    )
    assert verdict_on([("pos", "n-0"), ("pos", "n-1"), ("pos", "x"), ("pos", "y")], [kept]) == kept
    assert verdict_on([("pos", "n-0"), ("vk", "n-1"), ("pos", "x")], [kept]) is None
    assert verdict_on([("pos", "n-0")], []) is None
