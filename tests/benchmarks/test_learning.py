"""The benchmark of learning: its arithmetic, and a run of each part on a few rows with a small encoder."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks.learning import benchmark as bench
from benchmarks.learning import cold_start, report
from benchmarks.learning.contrast import by_contrast
from benchmarks.learning.label_efficiency import MARGIN, RANDOM, Curve, curves, margins, sizes
from benchmarks.learning.replay import BEGIN, complaints, known_on, replay
from benchmarks.learning.report import replay_table, targets
from data.settings import settings
from training.retrain.gate_limits import GateLimits


@pytest.fixture
def clusters() -> tuple[np.ndarray, np.ndarray]:
    """Four topics that vectors tell apart, one of them rare."""
    rng = np.random.default_rng(0)
    topics = np.repeat(np.array(["вода", "свет", "ямы", "снег"], dtype=object), [150, 120, 100, 12])
    centres = dict(zip(np.unique(topics), rng.normal(size=(4, 16)), strict=True))
    return np.stack([centres[topic] for topic in topics]) + 0.8 * rng.normal(size=(len(topics), 16)), topics


def test_rows_needed_are_interpolated_between_two_rounds():
    curve = Curve([60, 80, 100], [0.2, 0.4, 0.6])
    assert curve.rows_for(0.5) == pytest.approx(90)
    assert curve.rows_for(0.1) == 60
    assert curve.rows_for(0.7) == 100


def test_rounds_begin_small_and_end_with_the_whole_pool():
    assert sizes(100) == [60, 72, 87, 100]
    assert sizes(40) == [40]


def test_a_margin_is_between_the_two_likeliest():
    assert margins(np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])) == pytest.approx([0.2, 0.7])


def test_both_ways_to_choose_begin_and_end_alike(clusters):
    drawn = curves(*clusters, seed=0)
    assert drawn[RANDOM].rows == drawn[MARGIN].rows
    for end in (0, -1):
        assert drawn[RANDOM].macro_f1[end] == drawn[MARGIN].macro_f1[end]
    assert drawn[RANDOM].macro_f1[-1] > 0.6


def test_a_contrastive_map_tells_apart_what_the_vectors_tell_apart(clusters):
    vectors, topics = clusters
    taught = np.concatenate([np.flatnonzero(topics == topic)[:5] for topic in np.unique(topics)])
    rest = np.setdiff1d(np.arange(len(topics)), taught)
    assert (by_contrast(vectors[taught], topics[taught], vectors[rest]) == topics[rest]).mean() > 0.6
    assert len(by_contrast(vectors[taught[::5]], topics[taught[::5]], vectors[rest])) == len(rest)


@pytest.fixture(scope="module")
def history(sample, tmp_path_factory):
    """A portal's history of three months, of the sample's rows: every tenth was corrected when it was answered."""
    rows = sample[sample["sector"].isin(sample["sector"].value_counts().index[:3])].head(600).reset_index(drop=True)
    days = pd.date_range("2020-10-25", "2021-01-20", periods=len(rows))
    first = {f"first_{head}": rows[head].where(rows.index % 10 > 0, rows[head].iloc[0]) for head in ("topic", "agency")}
    rows = rows.assign(**first, first_sector=rows["sector"], created_at=days, answered_at=days + pd.Timedelta(days=5))
    for column in ("created_at", "answered_at"):
        rows[column] = rows[column].dt.strftime("%Y-%m-%d %H:%M:%S")
    path = tmp_path_factory.mktemp("portal") / "petersburg.csv"
    rows.drop(columns=["source"]).to_csv(path, index=False)
    return complaints(path)


def test_on_a_day_only_what_was_answered_has_its_final_labels(history):
    known = known_on(history, BEGIN)
    assert known["created_at"].max() < BEGIN
    answered = known["answered_at"] < BEGIN
    assert (known["topic"] == known["first topic"])[~answered].all()
    final = history.set_index("id").loc[known["id"], "topic"].to_numpy()
    assert (known["topic"].to_numpy() == final)[answered].all()
    assert (known["topic"].to_numpy() != final)[~answered].any()


def test_a_replay_retrains_every_two_weeks_and_holds_the_last_champion_against_the_first(history):
    codes = pd.factorize(history["topic"])[0]
    vectors = np.random.default_rng(0).normal(size=(len(history), 24)) + 3 * np.eye(24)[codes % 24]
    replayed = replay(history, vectors, GateLimits(least_rows=20))
    assert [each.day for each in replayed.retrains] == ["2020-12-15", "2020-12-29"]
    assert all(each.rows > 200 and each.corrected for each in replayed.retrains)
    figures = json.loads(json.dumps(replayed.as_json()))
    assert "2020-12-29" in replay_table(figures)
    assert [goal.met for goal in targets({"replay": {"petersburg": figures}})][:2] == [False, True]


def test_the_script_measures_labels_and_cold_start_once(folder, small_encoder, tmp_path, at_home, monkeypatch, capsys):
    monkeypatch.setenv("TSUR_REAL_DATA", str(folder))
    at_home(tmp_path / "home")
    out = tmp_path / "out.json"
    asked = {
        "parts": "labels,cold",
        "seeds": 1,
        "draws": 1,
        "regions": "kursk",
        "each": 1,
        "encoder": str(small_encoder),
        "out": out,
    }
    monkeypatch.setattr(bench, "EFFICIENCY", ("kursk",))
    for module in (cold_start, report):
        monkeypatch.setattr(module, "ROWS_A_TOPIC", (0, 8))
    bench.main(**asked)
    bench.main(**asked)
    assert capsys.readouterr().out.count("measuring") == 2
    text = out.read_text(encoding="utf-8")
    content = json.loads(text)
    cold = content["cold"]["kursk"]
    assert 0 < cold["accuracy"]["TSUR"]["0"] <= cold["among_five"]["0"] <= 1
    assert cold["accuracy"]["TSUR"]["0"] < cold["accuracy"]["TSUR"]["8"]
    assert set(content["data"]) == {"labels, kursk", "cold, kursk"}
    assert len(content["targets"]) == 1 + 2
    assert str(tmp_path) not in text
    settings.cache_clear()
