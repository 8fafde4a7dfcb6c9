"""Messages of the API: what fits in a field to the character, and what is refused."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from data.complaints.schema import MAX_CHARACTERS
from serving.api.v1.classify_types import MAX_EXPLAINED, ClassifyItem, ClassifyRequest
from serving.api.v1.feedback_types import FeedbackItem, FeedbackRequest
from serving.api.v1.forecast_types import ForecastRequest
from serving.api.v1.management_decisions_types import DecisionChange
from serving.api.v1.outcomes_types import OutcomeItem
from serving.api.v1.shared_types import ModelVersion
from serving.api.v1.verdicts_types import VerdictRequest
from serving.config import MAX_ITEMS

NOW = datetime.now(UTC)


def correction(**fields: Any) -> FeedbackItem:
    return FeedbackItem(id="1", **fields)


def complaint(**fields: Any) -> ClassifyItem:
    return ClassifyItem(**({"text": "Нет воды"} | fields))


@pytest.mark.parametrize(
    "labels",
    [
        {"sector": "ЖКХ"},
        {"agency": "Мэрия"},
        {"sector": "ЖКХ", "topic": "Нет воды"},
        {"sector": "ЖКХ", "agency": "Мэрия"},
        {"sector": "ЖКХ", "topic": "Нет воды", "agency": "Мэрия"},
    ],
    ids=str,
)
def test_a_correction_names_any_label_and_a_topic_with_its_sector(labels: dict[str, str]):
    assert correction(**labels).model_dump(include=set(labels)) == labels


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ({}, "at least one"),
        ({"operator": "operator-7"}, "at least one"),
        ({"topic": "Нет воды"}, "needs its sector"),
        ({"topic": "Нет воды", "agency": "Мэрия"}, "needs its sector"),
    ],
    ids=str,
)
def test_a_correction_that_says_nothing_or_half_is_refused(labels: dict[str, str], problem: str):
    with pytest.raises(ValidationError, match=problem):
        correction(**labels)


def test_names_and_ids_are_read_without_the_spaces_around_them():
    item = complaint(id=" 7 ", municipality=" Ольшаны ")
    assert (item.id, item.municipality) == ("7", "Ольшаны")


def test_an_empty_municipality_is_a_missing_one():
    assert not complaint(municipality="").municipality


@pytest.mark.parametrize(
    ("make", "fits", "too_long"),
    [
        (lambda size: complaint(id="x" * size), 200, 201),
        (lambda size: complaint(municipality="x" * size), 300, 301),
        (lambda size: complaint(text="x" * size), MAX_CHARACTERS, MAX_CHARACTERS + 1),
        (lambda size: ClassifyRequest(items=[complaint()] * size), MAX_ITEMS, MAX_ITEMS + 1),
        (lambda size: FeedbackRequest(items=[correction(sector="ЖКХ")] * size), MAX_ITEMS, MAX_ITEMS + 1),
        (lambda size: ForecastRequest(levels=[0.5] * size), 9, 10),
        (lambda size: complaint(id="x" * size), 1, 0),
        (lambda size: complaint(text="x" * size), 1, 0),
        (lambda size: ClassifyRequest(items=[complaint()] * size), 1, 0),
        (lambda size: FeedbackRequest(items=[correction(sector="ЖКХ")] * size), 1, 0),
        (lambda size: ForecastRequest(levels=[0.5] * size), 1, 0),
    ],
)
def test_what_is_longer_or_shorter_by_one_is_refused(make: Any, fits: int, too_long: int):
    make(fits)
    with pytest.raises(ValidationError):
        make(too_long)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, float("nan")])
def test_a_level_lies_between_none_and_all(level: float):
    with pytest.raises(ValidationError, match=r"levels\.0"):
        ForecastRequest(levels=[level])


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (datetime(2000, 1, 1), datetime(2000, 1, 1, tzinfo=UTC)),
        (datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=3))), datetime(2026, 3, 1, 6, tzinfo=UTC)),
        (NOW + timedelta(days=2), NOW + timedelta(days=2)),
        (None, None),
    ],
)
def test_times_are_read_in_utc(given: datetime | None, read: datetime | None):
    assert complaint(created_at=given).created_at == read


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (datetime(1999, 12, 31), "outside the years 2000 to 9998"),
        (datetime(9999, 1, 1), "outside the years 2000 to 9998"),
        (datetime(9998, 1, 1), "in the future"),
        (NOW + timedelta(days=2, hours=1), "in the future"),
    ],
)
def test_a_time_that_cannot_be_is_refused(given: datetime, problem: str):
    with pytest.raises(ValidationError, match=problem):
        complaint(created_at=given)


@pytest.mark.parametrize("kind", [ClassifyItem, ClassifyRequest, FeedbackItem, ForecastRequest, ModelVersion])
def test_an_unknown_field_is_refused(kind: type[BaseModel]):
    with pytest.raises(ValidationError, match=r"(?s)surprise.*Extra inputs"):
        kind(surprise=1)  # type: ignore[call-arg]


def test_what_is_not_said_has_these_defaults():
    assert complaint().source == correction(sector="ЖКХ").source == "other"
    assert ForecastRequest() == ForecastRequest(municipality=None, sector=None, horizon=14, start=None, levels=None)
    assert not ClassifyRequest(items=[complaint()]).explain
    assert MAX_EXPLAINED == 8


@pytest.mark.parametrize(
    "change", [{"due_on": None}, {"result": None}, {"status": "done"}, {"what": "Убрать снег"}], ids=str
)
def test_a_change_of_a_decision_names_one_field_or_takes_one_away(change: dict[str, Any]):
    assert DecisionChange(**change).model_dump(exclude_unset=True) == change


@pytest.mark.parametrize(
    ("change", "problem"), [({}, "at least one"), ({"what": None}, "what cannot be null"), ({"status": None}, "status")]
)
def test_a_change_that_says_nothing_or_takes_away_what_must_be_is_refused(change: dict[str, Any], problem: str):
    with pytest.raises(ValidationError, match=problem):
        DecisionChange(**change)


@pytest.mark.parametrize("given", ["2026-11-20T10:00:00+03:00", "2026-11-20T07:00:00", "2026-11-20T07:00:00Z"])
def test_what_happened_is_kept_in_utc(given: str):
    assert OutcomeItem(id="1", event="answered", at=given).at == datetime(2026, 11, 20, 7, tzinfo=UTC)  # type: ignore[arg-type]


def test_a_verdict_is_of_complaints():
    complaints = [{"source": "pos", "id": "1"}]
    verdict = VerdictRequest(verdict="draft", title=" Снег ", complaints=complaints, author="Иванова")  # type: ignore[arg-type]
    assert verdict.title == "Снег"
    with pytest.raises(ValidationError, match="complaints"):
        VerdictRequest(verdict="dismissed", complaints=[], author="Иванова")
