"""`POST /v1/outcomes`, as a routing system sees it: stored once, wrong items answered beside the good ones."""

import httpx

from tests.serving.bundles import SENTENCES

CAME = "2026-11-10T12:00:00+03:00"


def classified(api: httpx.Client, *names: str) -> None:
    items = [{"id": name, "text": SENTENCES[0], "created_at": CAME} for name in names]
    assert api.post("/v1/classify", json={"items": items}).status_code == 200


def event(name: str, what: str, at: str, **more: str) -> dict[str, str]:
    return {"id": name, "event": what, "at": at} | more


def test_events_are_stored_once_with_or_without_a_name_of_the_request(api: httpx.Client) -> None:
    classified(api, "o-1")
    body = {"items": [event("o-1", "sent", "2026-11-10T09:30:00Z"), event("o-1", "answered", "2026-11-11T09:30:00Z")]}
    headers = {"Idempotency-Key": "outcomes-1"}
    first = api.post("/v1/outcomes", json=body, headers=headers)
    assert (first.status_code, first.json()["stored"]) == (200, 2)
    assert api.post("/v1/outcomes", json=body, headers=headers).text == first.text
    again = api.post("/v1/outcomes", json=body).json()
    assert again["stored"] == 0
    assert again["results"] == [
        {"id": "o-1", "source": "other", "event": name, "repeated": True} for name in ("sent", "answered")
    ]


def test_wrong_items_are_answered_in_their_places_beside_the_good_ones(api: httpx.Client) -> None:
    classified(api, "o-2")
    items = [
        event("o-404", "sent", "2026-11-10T10:00:00Z"),
        event("o-2", "sent", "2026-11-09T10:00:00Z"),
        event("o-2", "forgotten", "2026-11-10T10:00:00Z"),
        event("o-2", "closed", "2026-11-10T10:00:00Z"),
        event("o-2", "answered", "2026-11-10T11:00:00Z"),
        event("o-2", "sent", "скоро"),
    ]
    answer = api.post("/v1/outcomes", json={"items": items})
    assert answer.status_code == 200
    assert answer.json()["stored"] == 1
    codes = [each.get("error", {}).get("code") for each in answer.json()["results"]]
    assert codes == ["unknown_complaint", "bad_request", "bad_request", None, "bad_request", "bad_request"]
    messages = [each.get("error", {}).get("message", "") for each in answer.json()["results"]]
    assert messages[0].startswith("items.0.id: no complaint 'o-404'")
    assert messages[1].startswith("items.1.at: sent at 2026-11-09 10:00:00 UTC lies before")
    assert messages[4].startswith("items.4.at: answered at")


def test_where_none_is_good_the_request_is_refused(api: httpx.Client) -> None:
    unknown = api.post("/v1/outcomes", json={"items": [event("o-404", "sent", "2026-11-10T10:00:00Z")]})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "unknown_complaint")
    classified(api, "o-3")
    early = api.post("/v1/outcomes", json={"items": [event("o-3", "sent", "2026-11-09T10:00:00Z")]})
    assert (early.status_code, early.json()["error"]["code"]) == (422, "bad_request")
