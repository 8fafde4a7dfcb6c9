"""Drift: halves of one thing are alike, what has changed is told by its name."""

import json

import numpy as np
import pytest

from data.complaints.schema import LABELS
from data.errors import BundleError, InputError
from training.classifier.splits import SPLITS, complaint_keys
from training.retrain.complaint_drift import Readings, domain_classifier, drift, not_taught


def complaints(rows: int, seed: int, shift: float = 0.0, sure: float = 0.8, longer: float = 1.0) -> Readings:
    """Vectors of 20 numbers, six labels a head."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, 20))
    features[:, 0] += shift
    return Readings(
        features,
        {head: np.clip(rng.normal(sure, 0.1, rows), 0, 1) for head in LABELS},
        {head: rng.choice([f"{head} {n}" for n in range(6)], rows).astype(object) for head in LABELS},
        longer * rng.lognormal(5, 0.6, rows),
        rng.beta(2, 20, rows),
    )


def test_halves_of_the_same_alarm_as_seldom_as_is_stated():
    alarms = sum(drift(complaints(80, seed), complaints(80, 1000 + seed)).alarm for seed in range(20))
    assert alarms <= 4  # 1 is expected; more than 4 of 20 come once in four hundred times


def test_each_change_is_told_by_its_name():
    then = complaints(400, 1)
    changed = {
        "texts": complaints(400, 2, shift=0.6),
        "length": complaints(400, 2, longer=1.5),
        "confidence of topic": complaints(400, 2, sure=0.7),
    }
    for name, now in changed.items():
        report = drift(then, now)
        assert report.signals[0].alarm
        assert any(name in signal.name for signal in report.signals if signal.alarm), name
        assert report.first_line.startswith("Drift in ")
        assert f"| drift | {report.signals[0].name.split(' ')[0]}" in report.as_markdown()
    assert drift(then, changed["confidence of topic"]).accuracy["topic"][1] < 0.72


def test_labels_that_come_more_often_are_named():
    then, now = complaints(400, 1), complaints(400, 2)
    now.labels["sector"][:120] = "sector 3"
    (signal,) = [each for each in drift(then, now).signals if "labels given as sector" in each.name]
    assert signal.alarm
    assert "sector 3" in signal.name
    assert signal.now > signal.before + 0.15


def test_the_domain_classifier_judges_rows_that_it_has_not_seen():
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(60, 300))  # fitted rows of so many numbers would all be told apart
    assert domain_classifier(wide[:30], wide[30:]).now < 0.75


class Taught:
    """A registry whose version was taught some complaints; None: nobody knows which."""

    def __init__(self, keys: list[str] | None) -> None:
        self.keys = keys

    def run_artifact(self, name: str, version: int, path: str) -> str:
        if self.keys is None or path != SPLITS:
            raise BundleError("no such artifact")
        return json.dumps({"train": self.keys, "test": []})


def test_complaints_that_the_champion_was_taught_are_left_out(sample):
    frame = sample.head(40)
    keys = complaint_keys(frame).tolist()
    assert not_taught(frame, Taught(keys[:30]), "classifier", 1)["id"].tolist() == frame["id"].tolist()[30:]
    assert len(not_taught(frame, Taught(None), "classifier", 1)) == 40
    with pytest.raises(InputError, match="version 1 was taught all 40"):
        not_taught(frame, Taught(keys), "classifier", 1)
