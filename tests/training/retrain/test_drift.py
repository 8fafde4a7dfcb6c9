"""Drift of labels: seen where there is one, hardly ever where there is none."""

import numpy as np
import pandas as pd
import pytest

from training.retrain.drift import label_drift, share_changes


def rows(topics: list[str], first: int = 0, text: str | None = None) -> pd.DataFrame:
    ids = [str(first + place) for place in range(len(topics))]
    texts = [text or f"обращение {id_}" for id_ in ids]
    return pd.DataFrame(
        {"source": "pos", "id": ids, "text": texts, "sector": "Дороги", "topic": topics, "agency": None}
    )


def drawn(size: int, seed: int, shares: tuple[float, ...] = (0.6, 0.3, 0.08, 0.02), first: int = 0) -> pd.DataFrame:
    return rows(np.random.default_rng(seed).choice(list("абвг"), size, p=shares).tolist(), first)


def test_a_label_whose_share_doubled_is_told_with_both_shares():
    before, joined = drawn(800, 0), drawn(400, 1, (0.5, 0.32, 0.16, 0.02), first=800)
    (change,) = label_drift(before, pd.concat([before, joined])).changed
    assert (change.head, change.label) == ("topic", "в")
    assert change.before == pytest.approx(0.08, abs=0.02)
    assert change.joined == pytest.approx(0.16, abs=0.04)
    assert change.p < 0.01


def test_where_nothing_changed_at_most_one_version_in_a_hundred_is_told_of_a_change():
    alarms = sum(bool(share_changes(drawn(400, seed), drawn(200, 1000 + seed), 0.01)) for seed in range(60))
    assert alarms <= 3, "of 60 one is expected, at most"


def test_labels_appear_and_vanish_with_their_rows():
    drift = label_drift(rows(["а", "а", "б"]), rows(["а", "в", "в"]))
    assert drift.appeared == {"sector": {}, "topic": {"в": 2}, "agency": {}}
    assert drift.vanished == {"sector": {}, "topic": {"б": 1}, "agency": {}}


def test_a_flood_of_one_text_is_one_event():
    before = drawn(400, 0)
    flood = pd.concat([drawn(100, 1, first=400), rows(["г"] * 300, first=1000, text="Включите воду!")])
    assert not label_drift(before, pd.concat([before, flood])).changed


def test_nothing_joined_is_no_drift():
    before = drawn(50, 0)
    assert not label_drift(before, before).changed
