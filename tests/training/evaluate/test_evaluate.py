"""An evaluation counts every row and every label: what the model does not know it has wrong."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.classifier.bundle import LABELS as LABELS_FILE
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS, OTHER, LabelSpace
from registry.client import Registry
from tests.serving.bundles import CLASSIFIER, REGION, registry_in, write_classifier
from training.classifier.splits import SPLITS, complaint_keys, text_keys
from training.evaluate.answers import write_answers
from training.evaluate.evaluate import (
    RareLabels,
    evaluate_champion,
    evaluate_classifier,
    evaluate_lexical,
    missing_labels,
)
from training.evaluate.label_space import label_counts, label_space, rare_rows
from training.evaluate.routed import RoutedFigures, routed_figures
from training.tracker import Tracker


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """Random, and sure enough of everything to route it."""
    return Classifier.load(write_classifier(tmp_path_factory.mktemp("evaluate") / "bundle"))


@pytest.fixture(scope="module")
def rows(sample: pd.DataFrame) -> pd.DataFrame:
    return sample.groupby("sector").head(6).reset_index(drop=True)


def test_every_true_label_has_an_index_behind_those_that_are_known():
    known = LabelSpace({"sector": ("ЖКХ", "Дороги"), "topic": ("Ямы",), "agency": ("Б", "А")})
    rows = pd.DataFrame({"sector": ["Дороги", "Спорт"], "topic": ["Снег", "Люки"], "agency": ["А", None]})
    space = label_space(rows, known)
    assert space.names == {
        "sector": ("ЖКХ", "Дороги", "Спорт"),
        "topic": ("Ямы", "Люки", "Снег"),
        "agency": ("Б", "А"),
    }
    assert {head: targets.tolist() for head, targets in space.targets(rows).items()} == {
        "sector": [1, 2],
        "topic": [2, 1],
        "agency": [1, -100],
    }


def test_a_label_is_rare_below_five_training_rows_and_where_nobody_counted_if_it_is_unknown():
    names, targets = ("Ямы", "Снег", "Люки"), np.array([0, 1, 2, -100])
    assert rare_rows(targets, names, {"Ямы": 5, "Снег": 4}, known=2).tolist() == [False, True, True, False]
    assert rare_rows(targets, names, None, known=2).tolist() == [False, False, True, False]
    assert label_counts(pd.DataFrame({head: ["а", "а", None] for head in HEADS}))["topic"] == {"а": 2}


def test_a_label_that_the_model_does_not_know_is_wrong_and_never_left_out(classifier, rows):
    as_read = evaluate_classifier(classifier, rows)
    foreign = rows.assign(topic=rows["topic"].where(rows.index % 3 > 0, "Тема, которой нет"))
    measured = evaluate_classifier(classifier, foreign)
    right = as_read.right("topic") & (rows.index % 3 > 0)
    assert measured.heads["topic"].rows == len(rows)
    assert measured.heads["topic"].accuracy == pytest.approx(right.mean())
    assert measured.heads["topic"].top3 < as_read.heads["topic"].top3
    assert measured.rare["topic"] == RareLabels((rows.index % 3 == 0).sum(), 0.0)
    assert measured.rare["sector"] == RareLabels(0, None)
    assert measured.heads["sector"] == as_read.heads["sector"]
    assert measured.labels.names["topic"][-1] == "Тема, которой нет"


def test_other_of_an_earlier_bundle_is_wrong_where_the_label_is_a_rare_one(rows, tmp_path):
    """The label that is said most often is renamed «Прочее», as if it had been too rare to learn."""
    bundle = write_classifier(tmp_path / "bundle")
    plain = evaluate_classifier(Classifier.load(bundle), rows)
    often = np.bincount(plain.predicted["topic"]).argmax()
    names = json.loads((bundle / LABELS_FILE).read_text(encoding="utf-8"))
    rare, names["topic"][often] = names["topic"][often], OTHER
    (bundle / LABELS_FILE).write_text(json.dumps(names), encoding="utf-8")
    said = plain.predicted["topic"] == often
    asked = rows.assign(topic=rows["topic"].where(~said, rare))
    measured = evaluate_classifier(Classifier.load(bundle), asked)
    given = [measured.labels.names["topic"][i] for i in measured.predicted["topic"][said]]
    assert set(given) == {OTHER}
    assert not measured.right("topic")[said].any()
    assert measured.heads["topic"].rows == len(rows)
    assert measured.rare["topic"].accuracy == 0.0


def test_each_head_is_measured_on_the_rows_that_have_its_label(classifier, rows):
    whole = evaluate_classifier(classifier, rows)
    some = rows.index % 2 == 0
    measured = evaluate_classifier(classifier, rows.assign(agency=rows["agency"].where(some, None)))
    assert measured.heads["agency"].rows == some.sum()
    assert measured.heads["agency"].accuracy == pytest.approx(whole.right("agency")[some].mean())
    assert measured.heads["topic"] == whole.heads["topic"]
    assert measured.coverage == whole.coverage  # a row routed is routed, whoever is asked later
    assert measured.routed_precision == pytest.approx(whole.right("agency")[whole.routed & some].mean())
    assert measured.routing.topic == whole.routing.topic


def test_a_column_without_a_label_is_left_without_figures(classifier, rows):
    measured = evaluate_classifier(classifier, rows.assign(agency=None))
    assert measured.heads["agency"].rows == 0
    assert np.isnan(measured.heads["agency"].accuracy)
    assert measured.routed_precision is None
    assert measured.heads["sector"].rows == len(rows)


def test_what_is_routed_counts_agency_topic_and_both_by_hand():
    def bools(marks: str) -> np.ndarray:
        return np.array([mark == "x" for mark in marks])

    figures = routed_figures(
        bools("xxxx.x"),
        right={"agency": bools("xx..x."), "topic": bools("x.x.xx")},
        labelled={"agency": bools("xxxxx."), "topic": bools("xxx.xx")},
        topic_sure=bools("xx.xx."),
    )
    assert figures == RoutedFigures(5, 5 / 6, agency=2 / 4, topic=3 / 4, both=1 / 3, sure=3 / 5, sure_topic=1 / 2)
    nothing = routed_figures(bools(".."), {h: bools("xx") for h in HEADS}, {h: bools("xx") for h in HEADS})
    assert nothing == RoutedFigures(rows=0, coverage=0.0, agency=None, topic=None, both=None)


def test_the_rival_is_taught_every_label_and_an_unknown_one_is_wrong(sample):
    few = sample.groupby("topic").head(3)
    train, test = few.iloc[::2], few.iloc[1::2].assign(agency="Никому не известный орган")
    measured = evaluate_lexical(train, test)
    assert set(train["topic"]) <= set(measured.labels.names["topic"])
    assert measured.heads["agency"].accuracy == 0.0
    assert measured.heads["topic"].rows == len(test)
    assert measured.rare["topic"].rows == len(test)  # three rows at most
    assert measured.rare["topic"].accuracy == pytest.approx(measured.heads["topic"].accuracy)
    assert measured.heads["sector"].accuracy > 0.3


def registered(home: Path, bundle: Path, learnt: list[str]) -> Registry:
    registry = registry_in(home)
    with Tracker(registry.uri, home / "mlflow" / "artifacts").run("evaluate", "train", {}) as run:
        run.log_dict({"train": learnt, "validation": [], "test": []}, SPLITS)
        version = registry.register(CLASSIFIER, bundle, run.id, {})
    registry.promote(CLASSIFIER, version, {}, "test")
    return registry


@pytest.mark.parametrize(("keys", "left"), [("complaint", 4), ("text", 2)], ids=["this release", "an earlier one"])
def test_a_complaint_that_was_learnt_is_left_out_and_a_new_one_of_the_same_words_is_not(
    rows, tmp_path, at_home, keys, left
):
    at_home(tmp_path)
    few = rows.head(4)
    learnt = complaint_keys(few.head(2)) if keys == "complaint" else text_keys(few["text"].head(2))
    registry = registered(tmp_path, write_classifier(tmp_path / "made" / "bundle"), learnt.tolist())
    again = few.head(2).assign(id=["new-1", "new-2"], text=few["text"].head(2).str.upper())
    nothing = few.tail(1).assign(id="bare", **dict.fromkeys(HEADS))
    measured = evaluate_champion(pd.concat([few, again, nothing]), REGION, registry)
    assert len(measured.rows) == left
    assert f"version 1 on {left} complaints; {6 - left} more are left out" in measured.note
    assert "1 rows are left out, because they have no label" in measured.note


def test_labels_that_rows_lack_are_counted():
    frame = pd.DataFrame({"sector": ["a", None, "a"], "topic": ["b", None, None], "agency": ["c", "c", "c"]})
    assert missing_labels(frame) == "; measured on the labels there are, missing: sector in 1, topic in 2"
    assert missing_labels(frame[:1]) == ""
    assert missing_labels(frame[:1], 3) == "; 3 rows are left out, because they have no label"


def test_what_another_promise_would_route_is_what_has_no_other_reason_for_review(rows, tmp_path):
    bundle = write_classifier(tmp_path / "bundle", threshold=1.01)
    calibration = json.loads((bundle / "calibration.json").read_text(encoding="utf-8"))
    strange = rows.assign(text=rows["text"].where(rows.index % 2 == 0, "pothole"))
    sure = np.median(evaluate_classifier(Classifier.load(bundle), strange).confidence["agency"])
    calibration["thresholds"] = {"0.9": 0.0, "0.98": float(sure)}
    (bundle / "calibration.json").write_text(json.dumps(calibration), encoding="utf-8")
    measured = evaluate_classifier(Classifier.load(bundle), strange)
    assert measured.coverage == 0
    assert measured.promises[0.9].tolist() == (rows.index % 2 == 0).tolist()
    routed = (rows.index % 2 == 0) & (measured.confidence["agency"] >= sure)
    assert measured.promises[0.98].tolist() == routed.tolist()
    assert measured.routing_at(0.98).coverage == pytest.approx(routed.mean())
    assert measured.routing_at(0.98).agency == pytest.approx(measured.right("agency")[routed].mean())


def test_answers_tell_of_each_row_what_was_true_what_was_said_and_whether_it_goes_out(classifier, rows, tmp_path):
    few = rows.head(20).assign(agency=rows["agency"].where(rows.index > 0, None))
    measured = evaluate_classifier(classifier, few)
    write_answers(measured, few, tmp_path / "made" / "answers.csv")
    table = pd.read_csv(tmp_path / "made" / "answers.csv", sep=";", dtype={"id": str}, keep_default_na=False)
    assert table["id"].tolist() == few["id"].tolist()
    assert table["agency"][0] == ""
    assert "text" not in table
    for head in HEADS:
        names = measured.labels.names[head]
        assert table[f"{head} given"].tolist() == [names[i] for i in measured.predicted[head]]
        assert table[f"{head} confidence"].to_numpy() == pytest.approx(measured.confidence[head])
        true = few[head].fillna("").to_numpy()
        named = (table[[f"{head} {place}" for place in (1, 2, 3)]].to_numpy() == true[:, None]).any(axis=1)
        assert named[true != ""].mean() == pytest.approx(measured.heads[head].top3)
    assert (table["decision"] == "route").tolist() == measured.routed.tolist()
    assert table["topic sure"].tolist() == [int(item.topic_sure) for item in measured.decisions]
