"""`GET /v1/emerging`: new topics among the stored decisions, masked, bounded, remembered."""

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

from data.complaints.masking import masked
from data.store.corrections import Correction
from data.store.decisions import Decision
from data.store.store import Store
from models.classifier.classifier import Classifier
from serving import launch as run
from serving.analytics.new_topics import search
from serving.config import EmergingDefaults
from serving.regions.champions import Champion
from tests.data.store.rows import REGION
from tests.serving.bundles import CLASSIFIER, SENTENCES, SURGE_PLACE
from tests.serving.conftest import RegistryHome, start_server, write_configs

TODAY = date(2026, 11, 25)
SCOOTERS = "самокаты брошены на тротуаре, Кузнецова Мария Петровна, 8 900 765-43-21"
CONFIG = EmergingDefaults()
PAST, RECENT = 260, 90


@pytest.fixture(scope="module")
def champion(classifier_bundle: Path) -> Champion[Classifier]:
    return Champion(CLASSIFIER, "1", Classifier.load(classifier_bundle))


@pytest.fixture()
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/store.db", REGION)


def ordinary_texts() -> list[tuple[str, int]]:
    """Texts and their ages in days: as many a day in the last days as before."""
    texts = [f"{SENTENCES[n % 5]} {SENTENCES[n // 5 % 5]} и ещё {n}" for n in range(PAST + RECENT)]
    ages = [14 + n % 60 if n < PAST else n % 14 for n in range(PAST + RECENT)]
    return list(zip(texts, ages, strict=True))


def new_texts(size: int = 15) -> list[tuple[str, int]]:
    return [(f"{SCOOTERS}, {n}", n % 7) for n in range(size)]


def save(
    store: Store, champion: Champion[Classifier], texts: list[tuple[str, int]], confidence: float, **changes: Any
) -> None:
    """Store decisions as `/v1/classify` does, with this confidence in the topic."""
    said = [masked(text) for text, _ in texts]
    features = champion.model.features(said, [None] * len(said))
    values: dict[str, Any] = {"region": REGION, "source": "pos"}
    values |= {"municipality": SURGE_PLACE, "decision": "review", "reasons": []}
    values |= {"sector": "ЖКХ", "topic": "Тема", "agency": "Орган", "model_version": champion.version}
    values |= {"sector_confidence": 0.9, "agency_confidence": 0.9, "topic_confidence": confidence}
    decisions = []
    for n, ((_, age), text, row) in enumerate(zip(texts, said, features, strict=True)):
        moment = datetime(TODAY.year, TODAY.month, TODAY.day, 9, tzinfo=UTC) - timedelta(days=age)
        own = {"id": f"{confidence}-{n}", "text": text, "created_at": moment, "day": moment.date(), "features": row}
        decisions.append(Decision(**(values | own | changes)))
    store.decisions.save(decisions)


@pytest.fixture()
def filled(store: Store, champion: Champion[Classifier]) -> Store:
    """Ordinary days, half of them doubted, and a new topic."""
    everything = ordinary_texts()
    save(store, champion, everything[::2], 0.9)
    save(store, champion, everything[1::2], 0.3)
    save(store, champion, new_texts(), 0.2)
    return store


def test_a_new_topic_in_the_store_is_proposed_with_masked_examples(
    filled: Store, champion: Champion[Classifier]
) -> None:
    result = search(filled, REGION, champion, TODAY, CONFIG)
    (topic,) = result.emerging.topics
    assert topic.size >= 12
    assert "самокаты" in " ".join(topic.words)
    assert all("[ИМЯ]" in text and "[ТЕЛЕФОН]" in text for text in topic.examples)
    assert set(result.complaints.iloc[topic.rows]["id"]) >= {f"0.2-{n}" for n in range(3)}
    assert (result.emerging.recent + result.emerging.past, result.unread) == (PAST + RECENT + 15, 0)


def test_what_operators_place_in_a_known_topic_is_not_new(filled: Store, champion: Champion[Classifier]) -> None:
    said = [Correction(REGION, "pos", f"0.2-{n}", "ЖКХ", "Тема", None, None) for n in range(15)]
    filled.corrections.save(said)
    assert search(filled, REGION, champion, TODAY, CONFIG).emerging.topics == []


def test_features_are_kept_as_half_floats_and_read_back(store: Store, champion: Champion[Classifier]) -> None:
    save(store, champion, [("нет воды", 0)], 0.5)
    (row,) = store.complaints.of_days(REGION, TODAY, TODAY, "1", 10)["features"]
    expected = champion.model.features([masked("нет воды")], [None])[0]
    np.testing.assert_allclose(row, expected, atol=5e-3)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (0.4, False)),
        ({"reasons": ["unlike_training"]}, (0.4, True)),
        ({"reasons": ["low_confidence"]}, (0.4, False)),
    ],
)
def test_decisions_come_back_as_the_search_wants_them(
    store: Store, champion: Champion[Classifier], changes: dict[str, Any], expected: tuple[float, bool]
) -> None:
    save(store, champion, [("нет воды", 1)], 0.4, **changes)
    frame = store.complaints.of_days(REGION, TODAY - timedelta(days=1), TODAY, "1", 10)
    (row,) = frame.itertuples(index=False)
    assert (row.day, row.municipality, row.topic) == (pd.Timestamp("2026-11-24"), SURGE_PLACE, "Тема")
    assert (row.confidence, row.unlike) == expected
    assert store.complaints.of_days(REGION, TODAY, TODAY, "1", 10).empty


def test_the_newest_are_taken_where_there_are_more_than_wanted(store: Store, champion: Champion[Classifier]) -> None:
    save(store, champion, [(f"нет воды {age}", age) for age in range(10)], 0.4)
    frame = store.complaints.of_days(REGION, TODAY - timedelta(days=30), TODAY, "1", 3)
    assert frame["day"].tolist() == [pd.Timestamp(TODAY) - pd.Timedelta(days=age) for age in (2, 1, 0)]


def test_after_a_new_champion_stored_texts_are_read_anew_a_bounded_number_at_once(
    filled: Store, champion: Champion[Classifier]
) -> None:
    second = Champion(CLASSIFIER, "2", champion.model)
    config, total = CONFIG.model_copy(update={"read_at_once": 150}), PAST + RECENT + 15
    unread = []
    for _ in range(4):
        result = search(filled, REGION, second, TODAY, config)
        unread.append(result.unread)
        assert result.emerging.recent + result.emerging.past + result.unread == total
    assert unread == [total - 150, total - 300, 0, 0]
    assert len(result.emerging.topics) == 1


def test_an_empty_store_has_no_topics_and_says_that_there_is_no_past(
    store: Store, champion: Champion[Classifier]
) -> None:
    result = search(store, REGION, champion, TODAY, CONFIG)
    assert (result.emerging.topics, result.emerging.enough_past, result.emerging.recent) == ([], False, 0)


@pytest.fixture(scope="module")
def client(registry: RegistryHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A service with a store of its own that has seen ordinary days and a new topic."""
    folder = tmp_path_factory.mktemp("emerging")
    configs = write_configs(folder / "configs", emerging={"doubt": 1.0})  # a random network may be sure of anything
    server = start_server(registry.home, TSUR_STORE_URL=f"sqlite:///{folder}/store.db", TSUR_CONFIGS=str(configs))
    now = datetime.now(UTC)
    items = [
        {"text": text, "municipality": SURGE_PLACE, "created_at": (now - timedelta(days=age)).isoformat()}
        for text, age in [*ordinary_texts(), *new_texts(20)]
    ]
    with server.client as client:
        for start in range(0, len(items), 200):
            assert client.post("/v1/classify", json={"items": items[start : start + 200]}).status_code == 200
        yield client
    run.stop(server.process)


def test_the_service_proposes_what_is_new_among_what_it_classified(client: httpx.Client) -> None:
    answer = client.get("/v1/emerging")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["enough_past"], body["unread"]) == (True, 0)
    topic = next(topic for topic in body["topics"] if "самокаты" in " ".join(topic["words"]))
    assert topic["size"] == len(topic["complaints"]) >= 12
    assert topic["municipalities"] == {SURGE_PLACE: topic["size"]}
    assert topic["summary_ru"].startswith("Похожие обращения")
    assert "765-43-21" not in answer.text
    assert "узнецов" not in answer.text


def test_the_same_as_csv(client: httpx.Client) -> None:
    topics = client.get("/v1/emerging").json()["topics"]
    answer = client.get("/v1/emerging", params={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    table = pd.read_csv(io.StringIO(answer.text))
    assert table["size"].tolist() == [topic["size"] for topic in topics]
    assert table["municipalities"].str.contains(SURGE_PLACE).all()


def test_an_answer_is_remembered(client: httpx.Client) -> None:
    before = client.get("/v1/emerging").json()
    client.post("/v1/classify", json={"items": [{"text": "ещё одна жалоба на самокаты"}]})
    assert client.get("/v1/emerging").json() == before
    assert client.get("/v1/emerging", params={"days": 13}).json()["recent"] != before["recent"]


def test_only_topics_of_a_municipality(client: httpx.Client) -> None:
    assert client.get("/v1/emerging", params={"municipality": SURGE_PLACE.lower()}).json()["topics"]
    assert client.get("/v1/emerging", params={"municipality": "Каменный Брод"}).json()["topics"] == []


@pytest.mark.parametrize("days", [0, 61, "много"])
def test_days_out_of_range_are_refused(client: httpx.Client, days: object) -> None:
    answer = client.get("/v1/emerging", params={"days": str(days)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_request")
