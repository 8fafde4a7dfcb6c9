"""`GET /v1/complaints` and `GET /v1/catalogue` on a running service."""

import httpx

from tests.serving.bundles import CLASSIFIER


def classify(api: httpx.Client, *texts: str, prefix: str) -> list[dict[str, object]]:
    items = [{"id": f"{prefix}{n}", "text": text, "municipality": "Верхнереченск"} for n, text in enumerate(texts)]
    results: list[dict[str, object]] = api.post("/v1/classify", json={"items": items}).json()["results"]
    return results


def test_what_was_decided_is_found_and_shown_as_it_stands(api: httpx.Client) -> None:
    text = "Звоните 8 900 765-43-21: в подъезде живёт Ёжик-путешественник"
    (decided,) = classify(api, text, prefix="found-")
    answer = api.get("/v1/complaints", params={"q": "ёжик-ПУТЕШЕСТВЕННИК"}).json()
    (found,) = answer["complaints"]
    assert (found["id"], found["decision"], found["corrected"]) == ("found-0", decided["decision"], False)
    assert found["decided"]["topic"] == decided["topic"]["label"]  # type: ignore[index]
    assert "765" not in found["text"]
    assert answer["next"] is None
    names = [sector["name"] for sector in api.get("/v1/catalogue").json()["sectors"]]
    other = next(name for name in names if name != found["decided"]["sector"])
    corrected = {"id": "found-0", "sector": other}
    assert api.post("/v1/feedback", json={"items": [corrected]}).json()["stored"] == 1
    (found,) = api.get("/v1/complaints", params={"q": "Ёжик", "corrected": True, "sector": other}).json()["complaints"]
    assert (found["stands"]["sector"], found["corrected"]) == (other, True)


def test_pages_go_on_by_the_cursor(api: httpx.Client) -> None:
    classify(api, *["Листопад на проспекте"] * 5, prefix="page-")
    shown, cursor = [], None
    while len(shown) < 10:
        query = {"q": "листопад", "limit": 2} | ({"cursor": cursor} if cursor else {})
        answer = api.get("/v1/complaints", params=query)
        shown += [each["id"] for each in answer.json()["complaints"]]
        cursor = answer.json()["next"]
        if cursor is None:
            break
    assert shown == [f"page-{n}" for n in range(4, -1, -1)]
    refused = api.get("/v1/complaints", params={"cursor": "nonsense"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "bad_request")


def test_the_catalogue_is_the_serving_classifiers(api: httpx.Client) -> None:
    answer = api.get("/v1/catalogue").json()
    assert answer["model"]["name"] == CLASSIFIER
    assert "ЖКХ" in [sector["name"] for sector in answer["sectors"]]
    names = {agency["name"] for agency in answer["agencies"]}
    topics = [topic for sector in answer["sectors"] for topic in sector["topics"]]
    assert all(topic["id"] and topic["agencies"] and set(topic["agencies"]) <= names for topic in topics)
