"""What routing is worth: arithmetic by hand on made-up complaints, and a run on a few rows."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.classifier_quality.answers import Answers, answers_path, keep_answers
from benchmarks.classifier_quality.contenders import PRODUCT, contenders
from benchmarks.classifier_quality.corpus import folds_of, load_corpus
from benchmarks.classifier_quality.figures import Estimate
from benchmarks.results import resample_weights
from benchmarks.routing_value.benchmark import figures
from benchmarks.routing_value.portal import Portal, read_portal
from benchmarks.routing_value.report import markdown, targets
from benchmarks.routing_value.value import compared, days_saved, reroutings_avoided, wait_of_a_rerouting
from data.errors import ColumnsError, FileError
from data.settings import CHECKOUT
from models.classifier.labels import HEADS
from tests.benchmarks.scripts import environment

JUDGED_FROM = pd.Timestamp("2021-02-15", tz="Europe/Moscow")


def bools(marks: str) -> np.ndarray:
    return np.array([mark == "x" for mark in marks])


ROUTED, KNOWN = bools("xxxxxx.."), bools("xxxxx.xx")
OURS, PORTAL = bools("xxx.x.xx"), bools("x..xx.x.")
"""Eight complaints: six are routed, five of these have a final agency; TSUR has four right, the portal three."""


def test_both_are_compared_on_the_complaints_that_are_routed_and_whose_agency_is_known():
    found = compared(ROUTED, KNOWN, OURS, PORTAL, resample_weights(8, 200))
    values = {name: figure["value"] for name, figure in found.items() if figure is not None}
    assert values == pytest.approx({"tsur": 4 / 5, "portal": 3 / 5, "gain": 1 / 5})
    assert compared(bools("........"), KNOWN, OURS, PORTAL, resample_weights(8, 3)) == dict.fromkeys(values)


def test_reroutings_avoided_are_first_agencies_set_right_less_those_set_wrong():
    weights = resample_weights(8, 500)
    found = reroutings_avoided(ROUTED, KNOWN, OURS, PORTAL, weights)
    assert {name: each.value for name, each in found.items()} == {"avoided": 250.0, "caused": 125.0, "net": 125.0}
    drawn = weights[0].astype(int)
    avoided, caused = drawn[[1, 2]].sum(), drawn[3]
    assert found["net"].resamples[0] == pytest.approx(1000 * (avoided - caused) / 8)
    assert found["net"].low < 125.0 < found["net"].high


def past() -> pd.DataFrame:
    """Two topics: lamps are quick and seldom re-routed, houses slow and re-routed often; a few are not answered."""
    lamp, house = [2.0, 4.0, 6.0, 8.0, 10.0], [20.0, 22.0, 24.0, 26.0, 28.0]
    parts = [
        *((topic, 0, day) for topic, days in (("lamp", lamp * 3), ("house", house)) for day in days),
        *((topic, 1, day + 3) for topic, days in (("lamp", lamp), ("house", house * 3)) for day in days),
        ("lamp", 0, np.nan), ("lamp", 1, np.nan), ("house", 2, 300.0), ("rare", 0, 1.0), ("rare", 1, 90.0),
    ]  # fmt: skip
    return pd.DataFrame(parts, columns=["topic", "reroutings", "days"])


def test_a_rerouting_costs_the_difference_of_medians_and_less_inside_topics():
    waits = wait_of_a_rerouting(past(), 300)
    assert waits["never"].value == 8.0  # the eleventh of 21: 15 lamps, 5 houses, one rare
    assert waits["once"].value == 25.0  # 5 lamps, 15 houses, one rare
    assert waits["difference"].value == 17.0
    assert waits["same topic"].value == 3.0  # in both topics; the rare one has too few rows
    assert all(each.low <= each.value <= each.high for each in waits.values())


def test_days_saved_multiply_with_independent_resamples():
    net = Estimate(50.0, 0.0, 0.0, np.array([40.0, 60.0]))
    wait = Estimate(10.0, 0.0, 0.0, np.array([9.0, 11.0]))
    saved = days_saved(net, wait)
    assert saved.value == 500.0
    assert saved.resamples.tolist() == [360.0, 660.0]


@pytest.fixture
def portal() -> Portal:
    judged = pd.DataFrame(
        {
            "id": list("hgfedcba"), "knows_agency": KNOWN, "knows_topic": True, "agency_right": PORTAL,
            "topic_right": bools("xxxxxxx."),
        }
    )  # fmt: skip
    return Portal(past(), judged)


def test_figures_are_matched_by_id_and_told_for_each_promise(portal):
    backwards = np.arange(8)[::-1]
    ours = dict.fromkeys(HEADS, OURS[backwards])
    routed = {0.95: ROUTED[backwards], 0.9: np.ones(8, dtype=bool)}
    found = figures(portal, list("abcdefgh"), routed, ours, resample_weights(8, 50))
    assert (found["judged"], found["judged_with_agency"]) == (8, 7)
    assert found["portal"]["agency"]["value"] == pytest.approx(4 / 7)
    assert list(found["promises"]) == ["0.9", "0.95"]
    at = found["promises"]["0.95"]
    assert at["coverage"]["value"] == pytest.approx(6 / 8)
    assert at["agency"]["gain"]["value"] == pytest.approx(1 / 5)
    assert at["topic"]["tsur"]["value"] == pytest.approx(4 / 6)  # every topic is known
    assert at["topic"]["portal"]["value"] == 1.0
    assert at["days_saved_per_1000"]["value"] == pytest.approx(125.0 * 17.0)
    assert at["days_saved_per_1000_same_topic"]["value"] == pytest.approx(125.0 * 3.0)
    goals = {goal.name: goal.met for goal in targets(found)}
    assert goals["share of all routed at 0.95 promised"]
    assert goals["agency right where TSUR routes at 0.95: gain on the portal's first routing"]
    assert not goals["precision at 0.95 promised"]
    text = markdown(found)
    assert "| 95% | 75.0 % (" in text
    assert "250.0 − 125.0 = 125.0 (" in text


def test_a_promise_that_routes_nothing_is_told_as_such(portal):
    nothing = {0.95: np.zeros(8, dtype=bool)}
    found = figures(portal, list("hgfedcba"), nothing, dict.fromkeys(HEADS, OURS), resample_weights(8, 20))
    assert found["promises"]["0.95"]["agency"] == {"tsur": None, "portal": None, "gain": None}
    assert "| 95% | 0.0 % (0.0 … 0.0) | — | — |" in markdown(found)
    assert not any(goal.met for goal in targets(found))


@pytest.fixture
def folder(tmp_path, sample) -> Path:
    """The portal's columns beside 160 complaints of the sample: 72 before the judged weeks, every fourth re-routed."""
    rows = sample.head(160).reset_index(drop=True)
    days = pd.date_range("2021-02-14 12:00", periods=160, freq="10min")
    moved = rows.index % 4 == 0
    answered = days + pd.to_timedelta(np.where(moved, 12, 5), unit="D")
    table = rows[["id", "text", "municipality", *HEADS]].assign(
        created_at=days.strftime("%Y-%m-%d %H:%M:%S"),
        answered_at=pd.Series(answered.strftime("%Y-%m-%d %H:%M:%S")).where(rows.index % 10 > 0),
        first_topic=rows["topic"],
        first_agency=rows["agency"].where(~moved, "Другой орган"),
        reroutings=moved.astype(int),
        agency=rows["agency"].where(rows.index % 10 > 0),
    )
    (tmp_path / "real" / "text").mkdir(parents=True)
    table.to_csv(tmp_path / "real" / "text" / "petersburg.csv", index=False)
    return tmp_path / "real"


def test_the_portals_history_is_read_and_cut_in_time(folder):
    portal = read_portal(folder / "text" / "petersburg.csv", JUDGED_FROM)
    assert (len(portal.past), len(portal.judged)) == (72, 88)
    assert portal.past["days"].isna().sum() == 8
    assert set(portal.past.loc[portal.past["reroutings"] == 1, "days"].dropna()) == {12.0}
    first = portal.judged
    assert not first["agency_right"][first["reroutings"] == 1].any()
    assert (~first["knows_agency"]).sum() == 8
    assert not (first["agency_right"] & ~first["knows_agency"]).any()


def test_a_history_without_its_columns_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"petersburg\.csv"):
        read_portal(tmp_path / "text" / "petersburg.csv", JUDGED_FROM)
    (tmp_path / "bare.csv").write_text("id,created_at\n1,2021-01-01\n", encoding="utf-8")
    with pytest.raises(ColumnsError, match="column 'answered_at' is missing"):
        read_portal(tmp_path / "bare.csv", JUDGED_FROM)


def test_the_script_reads_the_answers_that_the_quality_benchmark_kept(folder, tmp_path, at_home):
    home, out = tmp_path / "home", tmp_path / "out.json"
    at_home(home)
    (fold,) = folds_of(load_corpus(folder / "text" / "petersburg.csv"))
    truth = {head: np.maximum(fold.corpus.targets[head][fold.test], 0) for head in HEADS}
    likeliest = {head: np.tile(labels[:, None], (1, 3)) for head, labels in truth.items()}
    routed = {promise: np.arange(88) % 2 == 0 for promise in (0.9, 0.95, 0.98)}
    answers = Answers(truth, likeliest, routed=routed, sure={"topic": routed[0.9]}, commit="c0ffee")
    keep_answers(answers_path(PRODUCT, contenders()[PRODUCT].recipe, fold), fold, answers)
    command = [sys.executable, "-m", "benchmarks.routing_value", "--out", str(out)]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment(home, folder), capture_output=True, text=True, check=True
    )
    content = json.loads(out.read_text(encoding="utf-8"))
    assert content["promises"]["0.95"]["agency"]["tsur"]["value"] == 1.0
    assert content["waiting_days"]["difference"]["value"] == 7.0
    assert content["protocol"]["answers_of"] == "c0ffee"
    assert all(goal["met"] for goal in content["targets"])
    assert "targets met: 6 of 6" in done.stdout
    assert str(tmp_path) not in out.read_text(encoding="utf-8")


def test_a_contender_that_routes_nothing_is_refused(tmp_path):
    command = [sys.executable, "-m", "benchmarks.routing_value", "--contender", "tfidf_svm"]
    env = environment(tmp_path, tmp_path)
    done = subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "known are tsur, tsur_heads, student" in " ".join(done.stderr.replace("│", " ").split())
