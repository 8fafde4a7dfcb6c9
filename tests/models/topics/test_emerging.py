"""Emerging topics: what is new, alike and fits no topic comes up; nothing else does."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from models.classifier.labels import OTHER
from models.topics.emerging import LEAST_PAST, Emerging, EmergingConfig, emerging_topics, in_window
from tests.models.topics.planted import DAYS, END, Days, group, ordinary

CONFIG = EmergingConfig()
SCOOTERS = "прокатные самокаты брошены на тротуаре"
RECENT, PAST = range(0, 7), range(DAYS, DAYS + 60)


def search(days: Days, **changes: object) -> Emerging:
    return emerging_topics(days.complaints, days.vectors, END, CONFIG.model_copy(update=changes))


def test_a_planted_topic_is_found_with_its_words_days_and_places():
    found = search(ordinary() + group(SCOOTERS, 15, RECENT, place="Верхнереченск"))
    (topic,) = found.topics
    assert topic.size >= 12
    assert {"прокатные самокаты", "тротуаре"} <= set(topic.words) or "самокаты" in " ".join(topic.words)
    assert END - timedelta(days=7) <= topic.since <= END
    assert topic.per_day_now == pytest.approx(topic.size / DAYS)
    assert topic.per_day_before < topic.per_day_now / 5
    assert (topic.confidence, topic.nearest) == (pytest.approx(0.2, abs=0.05), "Тема 3")
    assert topic.municipalities["Верхнереченск"] >= 12
    assert topic.p_value <= CONFIG.false_alarms
    assert topic.cohesion > 0.5
    assert all("самокаты" in text for text in topic.examples)
    assert len(topic.examples) == 3


def test_rows_are_positions_among_the_complaints_given():
    days = ordinary() + group(SCOOTERS, 15, RECENT)
    (topic,) = search(days).topics
    texts = days.complaints["text"].iloc[topic.rows]
    assert len(texts) == topic.size
    assert texts.str.contains("самокаты").mean() > 0.8


@pytest.mark.parametrize("seed", range(6))
def test_on_ordinary_days_nothing_is_proposed(seed: int):
    assert search(ordinary(seed=seed)).topics == []


NOT_NEW = {
    "it was there before": group(SCOOTERS, 15, RECENT) + group(SCOOTERS, 60, PAST, seed=1),
    "a known topic fits it": group(SCOOTERS, 15, RECENT, confidence=0.9),
    "it is the edge of a known topic that surges": group(SCOOTERS, 40, RECENT, confidence=0.9)
    + group(f"снова {SCOOTERS}", 15, RECENT, confidence=0.3),  # other texts: the same ones would count once
    "all are named as one topic, each with some doubt": group(SCOOTERS, 15, RECENT, confidence=0.5),
    "it lies in the past only": group(SCOOTERS, 15, range(30, 40)),
    "they are too few": group(SCOOTERS, 4, RECENT),
}


@pytest.mark.parametrize("case", NOT_NEW)
def test_what_is_not_new_does_not_come_up(case: str):
    for topic in search(ordinary() + NOT_NEW[case]).topics:
        assert not any("самокаты" in text for text in topic.examples)


def test_what_differs_inside_every_topic_anyway_does_not_hide_a_new_one():
    """Four directions (place, length, politeness) in which complaints differ six times as much as by topic."""
    days = ordinary() + group(SCOOTERS, 15, RECENT)
    anyway = 6 * np.random.default_rng(5).normal(size=(len(days.vectors), 4))
    (topic,) = search(Days(days.complaints, np.concatenate([days.vectors, anyway], axis=1))).topics
    assert all("самокаты" in text for text in topic.examples)


@pytest.mark.parametrize("changes", [{"topic": OTHER}, {"unlike": True}])
def test_a_confident_answer_that_names_no_topic_counts_as_none(changes: dict[str, object]):
    planted = group(SCOOTERS, 15, RECENT, confidence=0.95)
    (topic,) = search(ordinary() + Days(planted.complaints.assign(**changes), planted.vectors)).topics
    assert topic.size >= 12


def test_the_same_text_sent_again_counts_once():
    one = group(SCOOTERS, 1, RECENT)
    copies = Days(pd.concat([one.complaints] * 20), np.repeat(one.vectors, 20, axis=0))
    found = search(ordinary() + copies)
    assert found.topics == []
    assert found.recent + found.past == 701


def test_rates_are_of_the_days_that_the_newest_complaints_cover():
    days = ordinary(2000) + group(SCOOTERS, 15, range(0, 4))
    (topic,) = search(days, max_recent=150).topics
    assert topic.per_day_now > 1.5 * topic.size / DAYS


def test_the_order_of_the_complaints_does_not_matter():
    days = ordinary() + group(SCOOTERS, 15, RECENT)
    order = np.random.default_rng(0).permutation(len(days.vectors))
    shuffled = Days(days.complaints.iloc[order].reset_index(drop=True), days.vectors[order])
    (one,), (other,) = search(days).topics, search(shuffled).topics
    assert (one.words, one.since) == (other.words, other.since)
    assert {days.complaints["text"][row] for row in one.rows} == {
        shuffled.complaints["text"][row] for row in other.rows
    }


def test_personal_data_comes_out_masked():
    call = "Кузнецова Мария Петровна, 8 900 765-43-21: самокаты брошены на тротуаре"
    (topic,) = search(ordinary() + group(call, 15, RECENT)).topics
    said = " ".join([*topic.examples, *topic.words, topic.summary])
    assert "самокаты" in said
    assert "узнецов" not in said.lower()
    assert "765" not in said


def test_long_examples_are_shortened():
    (topic,) = search(ordinary() + group(f"{SCOOTERS} {'очень мешают ' * 100}", 15, RECENT)).topics
    assert all(len(text) <= 401 for text in topic.examples)


def test_the_summary_is_a_russian_sentence_for_an_official():
    (topic,) = search(ordinary() + group(SCOOTERS, 15, RECENT)).topics
    assert topic.summary.startswith("Похожие обращения, которым не подходит ни одна тема: «")
    assert f"{topic.since:%d.%m.%Y}" in topic.summary
    assert "«Тема 3»" in topic.summary


@pytest.mark.parametrize("rows", [0, 1, LEAST_PAST - 1])
def test_without_a_past_nothing_is_called_new(rows: int):
    past = ordinary(rows, days=50)
    moved = Days(past.complaints.assign(day=past.complaints["day"] - pd.Timedelta(days=DAYS)), past.vectors)
    found = search(moved + group(SCOOTERS, 15, RECENT))
    assert (found.past, found.enough_past, found.topics) == (rows, False, [])


def test_nothing_at_all_is_no_error():
    nothing = ordinary(0)
    found = search(nothing)
    assert (found.recent, found.past, found.doubtful, found.topics) == (0, 0, 0, [])
    assert (found.start, found.end) == (END - timedelta(days=DAYS - 1), END)


def test_a_past_without_recent_complaints_has_no_topics():
    past = ordinary()
    old = past.complaints["day"] < pd.Timestamp(END) - pd.Timedelta(days=DAYS)
    found = search(Days(past.complaints[old].reset_index(drop=True), past.vectors[old.to_numpy()]))
    assert (found.recent, found.enough_past, found.topics) == (0, True, [])


def test_a_classifier_that_is_sure_of_nothing_still_finds_what_is_new():
    days = ordinary() + group(SCOOTERS, 25, RECENT)
    found = search(Days(days.complaints.assign(confidence=0.1), days.vectors))
    assert any("самокаты" in " ".join(topic.words) for topic in found.topics)


@pytest.mark.parametrize(
    ("changes", "recent", "past"), [({}, 14, 60), ({"days": 7}, 7, 60), ({"past_days": 10}, 14, 10)]
)
def test_the_window_holds_the_days_asked_for(changes: dict[str, int], recent: int, past: int):
    ages = np.arange(200)
    frame = pd.DataFrame(
        {"text": [str(age) for age in ages], "day": pd.Timestamp(END) - pd.to_timedelta(ages, unit="D")}
    )
    rows = in_window(frame, END, CONFIG.model_copy(update=changes))
    assert sorted(rows.tolist()) == list(range(recent + past))


def test_of_many_complaints_the_newest_are_looked_at():
    days = ordinary(2000)
    rows = in_window(days.complaints, END, CONFIG.model_copy(update={"max_recent": 100, "max_past": 300}))
    ages = (pd.Timestamp(END) - days.complaints["day"]).dt.days.to_numpy()[rows]
    assert ((ages < DAYS).sum(), (ages >= DAYS).sum()) == (100, 300)
    assert ages[ages < DAYS].max() < DAYS - 1
    assert ages.max() < 40
