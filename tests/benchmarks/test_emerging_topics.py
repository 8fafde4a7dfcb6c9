"""The benchmark of emerging topics: streams hold what they say, and figures count what was planted."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.emerging_topics import benchmark as bench
from benchmarks.emerging_topics.benchmark import (
    END,
    NONE,
    SIZES,
    Material,
    figures,
    ordinary,
    said,
    stream_of,
    surging,
    targets,
)
from benchmarks.emerging_topics.replay import TAUGHT_UNTIL, late_topics, moments, replayed
from benchmarks.emerging_topics.rivals import SEARCHES, Group
from models.topics.emerging import EmergingConfig

TOPICS, EACH = 10, 60


@pytest.fixture(scope="module")
def material() -> Material:
    """Ten topics that are easy to tell apart, and one that is two thirds another."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(TOPICS, 16))
    topics = np.repeat(np.arange(TOPICS), EACH)
    vectors = centres[topics] + 0.7 * rng.normal(size=(len(topics), 16))
    texts = [f"слово{topic} обращение {row}" for row, topic in enumerate(topics)]
    days = pd.Series(pd.Timestamp(END) - pd.to_timedelta(np.arange(len(topics)) % 74, unit="D"))
    return Material("made up", texts, topics, vectors, [], [0, 1, 2], "none", days)


def test_a_head_without_a_topic_never_names_it_and_knows_the_others(material: Material):
    named, sure = said(material, [3])
    assert not (named == 3).any()
    others = material.topics != 3
    assert (named == material.topics)[others].mean() > 0.8
    assert sure[others].mean() > sure[~others].mean() + 0.1


def test_a_stream_has_the_planted_in_the_last_days_and_the_old_before(material: Material):
    new, old = np.arange(5), np.arange(5, 12)
    stream, planted = stream_of(material, said(material, []), np.arange(60, 200), new, old, seed=0)
    ages = (pd.Timestamp(END) - stream.complaints["day"]).dt.days.to_numpy()
    config = EmergingConfig()
    assert ages[planted].max() < config.days
    assert ages[-7:].min() >= config.days
    assert ages.max() < config.days + config.past_days
    assert stream.complaints["text"].iloc[planted].tolist() == material.texts[:5]


def test_streams_of_nothing_new_hold_every_complaint_once(material: Material):
    (stream,) = ordinary(material, 1, first_seed=0)
    assert sorted(stream.complaints["text"]) == sorted(material.texts)
    (surge,) = surging(material, [4])
    assert sorted(surge.complaints["text"]) == sorted(material.texts)


def test_a_search_that_finds_all_planted_and_nothing_else_gets_full_marks(
    material: Material, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def perfect(stream):
        planted = stream.complaints["text"].str.contains("слово[012] ") & (stream.complaints["confidence"] < 0)
        return [Group(np.flatnonzero(planted), 1.0)] if planted.any() else []

    def nobody_is_sure(material, left_out):
        return material.topics, np.where(np.isin(material.topics, left_out), -1.0, 0.9)

    monkeypatch.setattr(bench, "said", nobody_is_sure)
    monkeypatch.setattr(bench, "SEARCHES", {"scan": ("perfect", perfect)})
    measured = figures(material, {"scan": 0.0}, runs=2, folder=tmp_path)["scan"]
    assert measured["found"] == {str(size): 1.0 for size in SIZES}
    assert (measured["purity"], measured["recall"], measured["others_per_run"]) == (1.0, 1.0, 0.0)
    assert (measured["false_proposals_per_run"], measured["proposals_per_known_surge"]) == (0.0, 0.0)

    def never(stream):
        raise AssertionError("finished figures are measured again")

    monkeypatch.setattr(bench, "SEARCHES", {"scan": ("never", never)})
    assert figures(material, {"scan": 0.0}, runs=2, folder=tmp_path)["scan"] == measured


@pytest.mark.parametrize("name", SEARCHES)
def test_each_search_gives_groups_of_recent_complaints(material: Material, name: str):
    heads = said(material, [0])
    planted, rest = np.flatnonzero(material.topics == 0)[:25], np.flatnonzero(material.topics != 0)
    stream, _ = stream_of(material, heads, rest, planted, NONE, seed=1)
    first = pd.Timestamp(END) - pd.Timedelta(days=EmergingConfig().days - 1)
    for group in SEARCHES[name][1](stream):
        assert (stream.complaints["day"].iloc[group.rows] >= first).all()


def test_a_topic_that_a_known_one_covers_has_a_twin(material: Material):
    named = np.where(material.topics == 0, 1, material.topics)
    assert bench._has_twin(material, 0, (named, np.full(len(named), 0.9)))
    assert not bench._has_twin(material, 0, (named, np.full(len(named), 0.4)))


def test_targets_ask_for_more_than_the_best_rival_and_few_false_proposals():
    def of(found: float, false: float):
        return {"found": {"25": found}, "false_proposals_per_run": false, "proposals_per_known_surge": 0.0}

    measured = {"sample": {name: of(0.5 if name == "scan" else 0.4, 0.3) for name in SEARCHES}}
    assert {goal.name: goal.met for goal in targets(measured)} == {
        "sample: false proposals per run": False,
        "sample: proposals per surge of a known topic": True,
        "sample: found at 25 complaints": True,
    }


@pytest.fixture(scope="module")
def winter(material: Material) -> Material:
    """The first topic comes with February only, the others go on all the time."""
    rng = np.random.default_rng(0)
    late = material.topics == 0
    days = np.where(late, rng.integers(0, 42, len(late)), rng.integers(-100, 42, len(late)))
    return dataclasses.replace(material, days=pd.Series(TAUGHT_UNTIL + pd.to_timedelta(days, unit="D")))


def test_a_late_topic_is_one_that_came_after_the_classifier_had_learned(winter: Material):
    assert late_topics(winter) == [0]


def test_an_evening_shows_what_had_come_by_then_and_nobody_has_named_the_topic_left_out(winter: Material):
    first, *_, last = moments(winter, [0])
    assert first.stream.complaints["day"].max() <= pd.Timestamp(first.stream.end) < last.stream.complaints["day"].max()
    assert not (last.stream.complaints["topic"] == "0").any()
    assert (winter.topics[last.rows] == 0).sum() > (winter.topics[first.rows] == 0).sum() > 0


def test_a_replay_counts_the_complaints_until_a_topic_is_proposed_and_what_is_proposed_beside(
    winter: Material, tmp_path: Path
):
    def third_week(stream):
        if stream.end < (TAUGHT_UNTIL + pd.Timedelta(days=20)).date():
            return []
        texts = stream.complaints["text"]
        return [Group(np.flatnonzero(texts.str.contains(f"слово{topic} ")), 1.0) for topic in (0, 5)]

    figures = replayed(winter, {"scan": third_week}, tmp_path)
    assert (figures["topics"], figures["scan"]["found"]) == (1, 1.0)
    in_three_weeks = (winter.topics == 0) & (winter.days <= TAUGHT_UNTIL + pd.Timedelta(days=20)).to_numpy()
    assert figures["scan"]["median_complaints_until_found"] == in_three_weeks.sum()
    assert figures["scan"]["proposals_beside_per_evening"] == pytest.approx(4 / 6)
