"""The benchmark of the gate: batches are what their names say, and a trial asks the product's gate."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.frozen_vectors import frozen_vectors
from benchmarks.gate_quality.batches import HONEST, POISONED, SPAM, Variant
from benchmarks.gate_quality.benchmark import parts, said, table, targets, trial
from data.complaints.schema import LABELS
from models.text.model_input import model_input
from training.retrain.gate import Verdict
from training.retrain.gate_limits import Check, GateLimits
from training.retrain.paired_bootstrap import Compared

ROWS = 700


def of(name: str) -> Variant:
    return next(each for each in (*POISONED, *HONEST) if each.name == name)


def batch(name: str, sample: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """What was taught and what joined, before and after a variant's change."""
    rng = np.random.default_rng(0)
    base, joined = parts(of(name), sample.assign(place=np.arange(len(sample))), rng)
    return base, joined, *of(name).change(base, joined, rng)


def test_there_are_twenty_of_each_kind_by_different_names():
    assert [each.poisoned for each in POISONED] == [True] * 20
    assert [each.poisoned for each in HONEST] == [False] * 20
    assert len({each.name for each in (*POISONED, *HONEST)}) == 40


@pytest.mark.parametrize("variant", POISONED, ids=lambda each: each.name)
def test_a_poisoned_batch_has_wrong_labels_or_copies(sample, variant):
    _, _, now_base, now_joined = batch(variant.name, sample)
    now = pd.concat([now_base, now_joined])
    wrong = (now[LABELS].to_numpy() != sample[LABELS].to_numpy()[now["place"]]).any(axis=1).sum()
    assert wrong + now["text"].duplicated().sum() > 20


def test_an_honest_batch_has_the_true_labels(sample):
    for variant in HONEST:
        _, _, now_base, now_joined = batch(variant.name, sample)
        now = pd.concat([now_base, now_joined])
        assert (now[LABELS].to_numpy() == sample[LABELS].to_numpy()[now["place"]]).all()


def test_a_topic_that_was_not_known_is_known_now(sample):
    base, _, _, now_joined = batch("a topic that was not known, draw 1", sample)
    assert set(now_joined["topic"]) - set(base["topic"])


def test_spam_comes_as_complaints(sample):
    base, _, _, now_joined = batch("spam taught as complaints", sample)
    assert (base["topic"] == SPAM).any()
    assert not (now_joined["topic"] == SPAM).any()


@pytest.fixture(scope="module")
def few(sample, small_encoder, tmp_path_factory):
    """Some of the sample's rows, and their vectors by a small encoder."""
    from data.settings import settings

    rows = sample.sample(ROWS, random_state=0).reset_index(drop=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TSUR_HOME", str(tmp_path_factory.mktemp("home")))
        settings.cache_clear()
        vectors = frozen_vectors([model_input(text, None) for text in rows["text"]], str(small_encoder))
    settings.cache_clear()
    return rows.assign(place=np.arange(ROWS)), vectors


def test_the_gate_refuses_a_flood_and_says_why(few):
    rows, vectors = few
    limits = GateLimits(least_rows=100)
    judged = trial(of("a flood of 150 copies"), np.random.default_rng(0), rows, vectors, limits)
    assert judged["refused"]
    assert "copies" in judged["failed"]
    assert not any(text[:40] in judged["says"] for text in rows["text"])


def test_targets_ask_for_all_poisoned_and_eighteen_honest():
    overall = Compared(300, 0.01, -0.01, 0.03, 0.9)
    refused, passed = (Verdict((Check("copies", each, "many"),), overall) for each in (False, True))
    trials = [said(each, 1, refused) for each in POISONED] + [said(each, 1, passed) for each in HONEST[:18]]
    assert [goal.met for goal in targets(trials)] == [True, True]
    assert [goal.met for goal in targets(trials[1:-1])] == [False, False]
    assert table(trials[:1]).splitlines()[-1].endswith("| refuses it | copies |")
