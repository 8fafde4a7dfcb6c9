"""Figures of rows held out: no row has a say in how it is judged."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data.catalogue.model import Agency, Catalogue, Route, Sector, Topic
from models.classifier.bundle import read_bundle
from models.classifier.calibration import Calibration
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS, learn_label_space
from models.classifier.out_of_vocabulary import fit_out_of_vocabulary
from models.classifier.topic_agency_pmi import count_topic_agency
from models.encoder.onnx_runtime import Encoders
from tests.serving.bundles import write_classifier
from training.classifier.calibrate import calibrate
from training.classifier.held_out_rows import HeldOut, UnseenRows, unseen_rows
from training.evaluate.held_out import evaluate_held_out, evaluate_lexical_held_out
from training.evaluate.predictions import Predictions

FREQUENT, ROWS_EACH, SINGLE, AGENCIES = 20, 15, 120, 6


@pytest.fixture(scope="module")
def taught() -> pd.DataFrame:
    """Twenty topics that go to an agency each, and many of one row that go anywhere."""
    rng = np.random.default_rng(0)
    frequent = [(f"Тема {n:03}", n % AGENCIES) for n in range(FREQUENT) for _ in range(ROWS_EACH)]
    single = [(f"Тема {FREQUENT + n:03}", int(rng.integers(AGENCIES))) for n in range(SINGLE)]
    rows = pd.DataFrame([*frequent, *single], columns=["topic", "agency"])
    rows["agency"] = [f"Орган {n}" for n in rows["agency"]]
    return rows.assign(
        sector=[f"Блок {topic[-1]}" for topic in rows["topic"]],
        text=[f"жалоба {topic.lower()}" for topic in rows["topic"]],
        municipality=None,
    )


@pytest.fixture(scope="module")
def uncalibrated(taught: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """Whatever was counted, was counted on all rows; any agency may answer for any topic."""
    agencies = [Agency(id=f"a{n}", name=f"Орган {n}") for n in range(AGENCIES)]
    routes = [Route(agency=agency.id) for agency in agencies]
    topics = taught.drop_duplicates("topic").groupby("sector")["topic"]
    sectors = [
        Sector(name=str(sector), topics=[Topic(name=name, deadline_hours=24, routes=routes) for name in names])
        for sector, names in topics
    ]
    labels = learn_label_space({head: taught[head].tolist() for head in HEADS})
    bundle = replace(
        read_bundle(write_classifier(tmp_path_factory.mktemp("held-out") / "bundle")),
        labels=labels,
        catalogue=Catalogue(region="Область", agencies=agencies, sectors=sectors),
        topic_agency_pmi=count_topic_agency(labels, labels.targets(taught)),
        out_of_vocabulary=fit_out_of_vocabulary(taught["text"].tolist(), taught["text"].tolist()),
    )
    return Classifier(bundle, Encoders(threads=1))


@pytest.fixture(scope="module")
def held_out(taught: pd.DataFrame, uncalibrated: Classifier) -> HeldOut:
    """Logits that know sector and topic and nothing of the agency."""
    labels = uncalibrated.bundle.labels
    rows, targets = np.arange(len(taught)), labels.targets(taught)
    logits = {head: np.zeros((len(rows), count)) for head, count in labels.counts.items()}
    for head in ("sector", "topic"):
        logits[head][rows, targets[head]] = 8.0
    return HeldOut(rows, rows % 5, logits)


@pytest.fixture(scope="module")
def classifier(taught: pd.DataFrame, uncalibrated: Classifier, held_out: HeldOut) -> Classifier:
    """Calibrated as training does."""
    unseen = unseen_rows(taught, uncalibrated.bundle.labels, uncalibrated.catalogue, held_out)
    calibration = calibrate(uncalibrated, unseen, 0.95)
    return Classifier(replace(uncalibrated.bundle, calibration=calibration), uncalibrated.encoders)


def test_a_row_has_no_vote_for_its_own_agency(taught: pd.DataFrame, classifier: Classifier, held_out: HeldOut):
    evaluation = evaluate_held_out(classifier, taught, held_out)
    right = evaluation.right("agency")
    of_frequent = right[: FREQUENT * ROWS_EACH]
    of_single = right[FREQUENT * ROWS_EACH :]
    assert evaluation.heads["topic"].accuracy > 0.95
    assert of_frequent.mean() > 0.95, "the others say who usually answers"
    assert of_single.mean() < 2 / AGENCIES, "and there are no others"


def test_a_row_is_judged_by_a_calibration_of_the_others(
    taught: pd.DataFrame, classifier: Classifier, held_out: HeldOut, monkeypatch: pytest.MonkeyPatch
):
    from training.evaluate import held_out as module

    calibrated, judged = [], []
    predictions_of = module.predictions_of

    def note_calibration(of: Classifier, unseen: Sequence[UnseenRows], *more: Any, **named: Any) -> Calibration:
        calibrated.append({row for rows in unseen for row in rows.frame.index})
        return calibrate(of, unseen, *more, **named)

    def note_judged(of: Classifier, logits: dict[str, Any], rows: pd.DataFrame) -> Predictions:
        judged.append(set(rows.index))
        return predictions_of(of, logits, rows)

    monkeypatch.setattr(module, "calibrate", note_calibration)
    monkeypatch.setattr(module, "predictions_of", note_judged)
    evaluate_held_out(classifier, taught, held_out)
    assert len(calibrated) == len(judged) > 1
    for others, here in zip(calibrated, judged, strict=True):
        assert not others & here
        assert others | here == set(range(len(taught)))
    assert set.union(*judged) == set(range(len(taught)))


def test_only_the_rows_held_out_are_judged_in_their_order(
    taught: pd.DataFrame, classifier: Classifier, held_out: HeldOut
):
    some = held_out.rows[held_out.rows % 3 == 0]
    part = HeldOut(some, held_out.folds[some], {head: logits[some] for head, logits in held_out.logits.items()})
    evaluation = evaluate_held_out(classifier, taught, part)
    targets = classifier.bundle.labels.targets(taught)
    for head in HEADS:
        np.testing.assert_array_equal(evaluation.targets[head], targets[head][some])
    np.testing.assert_array_equal(evaluation.predicted["topic"], targets["topic"][some])
    assert len(evaluation.decisions) == len(some)


def test_where_one_fold_was_held_out_neither_half_counts_for_the_other(
    taught: pd.DataFrame, classifier: Classifier, held_out: HeldOut
):
    """The newest weeks judge alone: who answers in them is counted in the weeks before."""
    newest = HeldOut(
        held_out.rows[-SINGLE:],
        np.zeros(SINGLE, dtype=np.int64),
        {head: logits[-SINGLE:] for head, logits in held_out.logits.items()},
    )
    (fold,) = unseen_rows(taught, classifier.bundle.labels, classifier.catalogue, newest)
    for half in fold.halves():
        assert half.pmi == fold.pmi
        assert set(half.seen) == set(range(FREQUENT * ROWS_EACH))
    assert sorted(np.concatenate([half.positions for half in fold.halves()])) == list(range(SINGLE))
    assert sum(sum(of_topic.values()) for of_topic in fold.pmi.rows.values()) == FREQUENT * ROWS_EACH
    assert len(evaluate_held_out(classifier, taught, newest).decisions) == SINGLE


def test_the_rival_is_fitted_without_the_fold_that_it_is_asked_of(
    taught: pd.DataFrame, classifier: Classifier, held_out: HeldOut
):
    evaluation = evaluate_lexical_held_out(classifier.bundle.labels, taught, held_out)
    right = evaluation.right("topic")
    assert right[: FREQUENT * ROWS_EACH].mean() > 0.95
    assert not right[FREQUENT * ROWS_EACH :].any(), "it never saw the only row of their topics"
