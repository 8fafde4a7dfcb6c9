"""KPIs, report and management decisions, as the console asks for them."""

import httpx
import pytest

from data.kpi.definitions import BY_ID, GROUPED
from data.kpi.figures import LEAST
from data.store.handling_sums import ANSWERED, COUNTED, DUE
from tests.serving.bundles import SENTENCES, SURGE_PLACE, SURGE_SECTOR

WEEK = {"from": "2026-11-02", "to": "2026-11-08"}


@pytest.fixture()
def filled(api: httpx.Client) -> httpx.Client:
    """Complaints of one week, half of them answered."""
    items = [
        {
            "id": f"k-{n}",
            "text": SENTENCES[n % 3],
            "municipality": "Верхнереченск",
            "created_at": f"2026-11-0{2 + n % 5}",
        }
        for n in range(40)
    ]
    assert api.post("/v1/classify", json={"items": items}).status_code == 200
    answered = [{"id": f"k-{n}", "event": "answered", "at": "2026-11-07T10:00:00Z"} for n in range(25)]
    assert api.post("/v1/outcomes", json={"items": answered}).status_code == 200
    return api


def test_figures_come_with_definitions_intervals_and_groups(filled: httpx.Client) -> None:
    answer = filled.get("/v1/kpi", params=WEEK | {"by": "municipality"}).json()
    assert (answer["start"], answer["end"], answer["before_end"]) == ("2026-11-02", "2026-11-08", "2026-11-01")
    assert [each["id"] for each in answer["definitions"]] == list(BY_ID) == list(answer["figures"])
    assert answer["figures"]["volume"]["value"] == 40
    assert answer["figures"]["answer_median"]["n"] == 25
    assert sum(each["count"] for each in answer["daily"]) == 40
    assert len(answer["daily"]) == 14
    (group,) = answer["groups"]
    assert (group["name"], list(group["figures"])) == ("Верхнереченск", list(GROUPED))
    routed = answer["figures"]["routed"]
    assert routed["low"] <= routed["value"] <= routed["high"]
    assert answer["least"] == LEAST


def test_without_days_the_last_whole_week_is_meant(api: httpx.Client) -> None:
    answer = api.get("/v1/kpi").json()
    assert answer["groups"] == []
    assert len(answer["daily"]) == 14


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"from": "2026-11-02"}, "name both days"),
        ({"from": "2026-11-08", "to": "2026-11-02"}, "ask for 1 to 366"),
        ({"from": "2020-11-08", "to": "2026-11-02"}, "ask for 1 to 366"),
        (WEEK | {"by": "weather"}, "by"),
        ({"from": "0", "to": "1"}, "from"),
    ],
)
def test_days_and_groups_that_are_none_are_refused(api: httpx.Client, query: dict[str, str], sentence: str) -> None:
    answer = api.get("/v1/kpi", params=query)
    assert answer.status_code == 422
    assert sentence in answer.json()["error"]["message"]


def test_surges_of_a_week_and_the_next_weeks_forecast_stand_beside_its_figures(api: httpx.Client) -> None:
    answer = api.get("/v1/kpi/outlook", params={"from": "2026-11-09", "to": "2026-11-15"}).json()
    (surge,) = [each for each in answer["surges"] if each["municipality"] == SURGE_PLACE]
    assert (surge["sector"], surge["start"]) == (SURGE_SECTOR, "2026-11-11")
    assert surge["became"].split()[0] in ("продолжается", "спадает", "закончился")  # by what others have sent since
    assert surge["count"] > 3 * surge["expected"]
    assert (answer["coming_start"], answer["coming_end"]) == ("2026-11-16", "2026-11-22")
    assert answer["surges_missing"] is None
    by_sector = {each["sector"]: each for each in answer["forecast"]}
    for sector, total in by_sector.items():
        body = {"sector": sector, "start": "2026-11-16", "horizon": 7}
        days = api.post("/v1/forecast", json=body).json()["days"]
        assert total["mean"] == pytest.approx(sum(day["mean"] for day in days), abs=0.01)
        assert total["low"] < total["mean"] < total["high"]
    assert list(by_sector) == ["ЖКХ", "Дороги"]


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [("2027-03-01", "2027-03-07", "Прогнозы кончаются"), ("2026-05-04", "2026-05-10", "не хранится")],
)
def test_where_no_forecast_reaches_a_sentence_says_so(api: httpx.Client, first: str, last: str, sentence: str) -> None:
    answer = api.get("/v1/kpi/outlook", params={"from": first, "to": last}).json()
    assert sentence in answer["forecast_missing"]
    assert (answer["forecast"], answer["surges"]) == ([], [])
    assert answer["surges_missing"] is not None
    assert api.get("/v1/kpi/outlook", params={"from": last, "to": first}).status_code == 422


@pytest.mark.parametrize("name", COUNTED)
def test_a_figures_list_holds_as_many_complaints_as_it_says(filled: httpx.Client, name: str) -> None:
    figure = filled.get("/v1/kpi", params=WEEK).json()["figures"][name]
    query = {"counted_in": name, "since": WEEK["from"], "until": WEEK["to"], "limit": 15}
    listed, cursor = [], None
    while cursor or not listed:
        answer = filled.get("/v1/complaints", params=query | ({"cursor": cursor} if cursor else {})).json()
        listed += [each["id"] for each in answer["complaints"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert len(set(listed)) == len(listed)
    if figure["value"] is None:
        assert len(listed) <= figure["n"] < LEAST
    else:
        unit = BY_ID[name].unit
        said = {"count": figure["value"], "share": figure["value"] * figure["n"]}.get(unit, figure["n"])
        assert len(listed) == pytest.approx(said)
    needs_days = name in (*DUE, *ANSWERED)
    assert filled.get("/v1/complaints", params={"counted_in": name}).status_code == (422 if needs_days else 200)


@pytest.mark.parametrize("by", ["agency", "municipality", "sector", "source"])
def test_a_groups_list_holds_as_many_complaints_as_the_table_says(filled: httpx.Client, by: str) -> None:
    groups = filled.get("/v1/kpi", params=WEEK | {"by": by}).json()["groups"]
    assert groups
    for group in groups:
        asked = {"counted_in": "volume", "since": WEEK["from"], "until": WEEK["to"], "limit": 200}
        listed = filled.get("/v1/complaints", params=asked | {"by": by, "group": group["name"]}).json()["complaints"]
        assert len(listed) == group["figures"]["volume"]["value"]
    refused = filled.get("/v1/complaints", params={"by": by})
    assert (refused.status_code, refused.json()["error"]["message"][:10]) == (422, "by, group:")


def test_the_report_is_a_pdf_of_one_page(filled: httpx.Client) -> None:
    answer = filled.get("/v1/report", params={"week": "2026-W45"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert "verkhnerechye-2026-W45.pdf" in answer.headers["content-disposition"]
    assert answer.content.startswith(b"%PDF-")
    assert answer.content.count(b"/Type /Page\n") == 1
    assert api_error(filled, "2026-W60") == (422, "week '2026-W60' is none: write it as 2026-W47")


def api_error(api: httpx.Client, week: str) -> tuple[int, str]:
    answer = api.get("/v1/report", params={"week": week})
    return answer.status_code, answer.json()["error"]["message"]


def test_a_management_decision_is_recorded_listed_and_done(api: httpx.Client) -> None:
    evidence = {"kind": "kpi", "title": "Ответ в срок: 71 %", "link": "kpi?from=2026-11-02", "data": {"kpi": "overdue"}}
    body = {"what": "Усилить", "responsible": "Комитет", "due_on": "2020-01-31", "evidence": evidence}
    made = api.post("/v1/management-decisions", json=body)
    assert made.status_code == 201
    number = made.json()["number"]
    assert (made.json()["evidence"], made.json()["overdue"], made.json()["status"]) == (evidence, True, "open")
    done = api.patch(f"/v1/management-decisions/{number}", json={"status": "done", "result": "Сделано"}).json()
    assert (done["status"], done["overdue"], done["what"]) == ("done", False, "Усилить")
    listed = api.get("/v1/management-decisions", params={"status": "done"}).json()["decisions"]
    assert number in [each["number"] for each in listed]
    assert (
        api.patch("/v1/management-decisions/99999", json={"status": "done"}).json()["error"]["code"]
        == "unknown_decision"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"what": "  "},
        {"responsible": None},
        {"due_on": "скоро"},
        {"evidence": {"kind": "weather", "title": "Снег", "data": {}}},
        {"evidence": {"kind": "kpi", "title": "Снег", "link": "https://example.org", "data": {}}},
        {"evidence": {"kind": "kpi", "title": "Снег", "data": {"long": "а" * 70_000}}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_decision_that_says_nothing_or_too_much_is_refused(api: httpx.Client, changes: dict[str, object]) -> None:
    answer = api.post("/v1/management-decisions", json={"what": "Усилить", "responsible": "Комитет"} | changes)
    assert answer.status_code in (413, 422)
    assert api.patch("/v1/management-decisions/1", json={}).status_code == 422
    assert api.patch("/v1/management-decisions/1", json={"status": None}).status_code == 422
