"""`tsur reproduce`: the same figures from the same record, and a sentence for each record that does not do."""

import shutil
from dataclasses import replace

import pandas as pd
import pytest

from data.errors import BundleError, InputError
from registry.names import classifier_name, forecaster_name
from tests.conftest import tsur
from tests.serving.bundles import registry_in
from tests.training.runs import tracker_in
from training.environment import differences, environment
from training.forecaster.train import no_bar
from training.reproduce.figures import Reproduction, compared
from training.reproduce.recorded import recorded_training
from training.reproduce.reproduce import reproduce_classifier, reproduce_forecaster
from training.retrain.challenger import dataset_of
from tsur.samples import SAMPLE_REGION

CLASSIFIER, FORECASTER = classifier_name(SAMPLE_REGION), forecaster_name(SAMPLE_REGION)


def silent(line):
    """Tells nobody."""


def test_a_classifier_comes_out_the_same_from_its_dataset_version_and_registers_nothing(classifier_home, tmp_path):
    registry = registry_in(classifier_home)
    recorded = recorded_training(registry, CLASSIFIER, "1")
    dataset = dataset_of(registry, CLASSIFIER, 1, classifier_home / "datasets" / SAMPLE_REGION)
    done = reproduce_classifier(recorded, dataset, registry, classifier_home, tmp_path, 0.0, silent)
    assert done.same, [figure for figure in done.figures if not figure.same]
    assert {"test.topic.accuracy", "lexical.agency.macro_f1"} <= {figure.name for figure in done.figures}
    assert done.says == f"Reproduced: all {len(done.figures)} figures are the same, exactly"
    assert not [sentence for sentence in done.differences if "processor" in sentence or "package" in sentence]
    assert len(registry.models.versions(CLASSIFIER)) == 1


def test_other_rows_or_another_split_are_told_before_anything_is_trained(classifier_home, sample, tmp_path):
    registry = registry_in(classifier_home)
    recorded = recorded_training(registry, CLASSIFIER, "1")
    dataset = dataset_of(registry, CLASSIFIER, 1, classifier_home / "datasets" / SAMPLE_REGION)
    for rows, sentence in (
        (sample.iloc[:200], rf"these rows have the fingerprint \w+, and run {recorded.run.id} was taught \w+"),
        (dataset.rows[list(sample)], "it was trained on a dataset version"),
    ):
        with pytest.raises(InputError, match=sentence):
            reproduce_classifier(recorded, rows, registry, classifier_home, tmp_path, 0.0, silent)


def test_a_forecaster_comes_out_the_same_by_the_command(forecaster_home):
    run_id = registry_in(forecaster_home).models.version(FORECASTER, 1).run_id
    columns = ["--municipality", "municipality"]
    done = tsur(forecaster_home, "reproduce", run_id, str(forecaster_home / "older.csv"), *columns)
    assert "Reproduced: all " in done.stdout
    assert "forecast.total" in done.stdout
    other = tsur(forecaster_home, "reproduce", "1", str(forecaster_home / "counts.csv"), *columns,
                 "--model", "forecaster", check=False)  # fmt: skip
    assert other.returncode == 2
    assert "these counts have the fingerprint" in other.stderr


def test_a_refresh_and_other_regressors_are_told(forecaster_home, tmp_path):
    registry = registry_in(forecaster_home)
    recorded = recorded_training(registry, FORECASTER, "1")
    counts = pd.read_csv(forecaster_home / "older.csv", parse_dates=["date"])

    def reproduced(record):
        reproduce_forecaster(record, counts, None, registry, tmp_path, 0.0, silent, no_bar)

    with pytest.raises(InputError, match="refreshed an earlier forecaster"):
        reproduced(replace(recorded, run=replace(recorded.run, figures={})))
    parameters = {**recorded.run.parameters, "regressors_fingerprint": "0a1b"}
    with pytest.raises(InputError, match="with the regressors of fingerprint 0a1b, and --regressors names none"):
        reproduced(replace(recorded, run=replace(recorded.run, parameters=parameters)))


def test_unknown_runs_and_records_that_lack_something_are_told_in_a_sentence(forecaster_home, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(forecaster_home, home, ignore=shutil.ignore_patterns("artifacts", "training"))
    registry, tracker = registry_in(home), tracker_in(home)
    with tracker.run(FORECASTER, "gate", {}) as gate, tracker.run(FORECASTER, "train", {}) as unfinished:
        pass
    with tracker.run("elsewhere", "train", {}) as elsewhere:
        pass
    trained = registry.models.version(FORECASTER, 1).source
    for said, sentence in (
        ("0123456789abcdef0123456789abcdef", "knows no run '0123456789abcdef0123456789abcdef'"),
        (unfinished.id, "registered no version"),
        (elsewhere.id, "belongs to 'elsewhere', which is neither a classifier nor a forecaster"),
    ):
        with pytest.raises(InputError, match=sentence):
            recorded_training(registry, FORECASTER, said)
    with pytest.raises(BundleError, match="holds no version 9"):
        recorded_training(registry, FORECASTER, "9")
    client = registry.models.client()
    client.create_model_version(FORECASTER, trained, run_id=gate.id)
    client.create_model_version(FORECASTER, trained, run_id=unfinished.id)
    with pytest.raises(InputError, match="is no training but a 'gate'"):
        recorded_training(registry, FORECASTER, gate.id)
    with pytest.raises(InputError, match="did not record 'data_fingerprint'"):
        recorded_training(registry, FORECASTER, unfinished.id)


def test_figures_are_the_same_exactly_or_within_a_tolerance():
    then, now = {"a": 0.5, "b": 0.25, "gone": 1.0, "nan": float("nan")}, {"a": 0.5, "b": 0.2505, "nan": float("nan")}
    exactly = Reproduction(compared(then, now | {"gone": 1.0, "new": 9.0}, 0.0), 0.0, ())
    assert exactly.says == "Not reproduced: 1 of 4 figures differ, exactly; by 0.0005 at most"
    assert Reproduction(compared(then, now | {"gone": 1.0}, 0.001), 0.001, ()).same
    assert [figure.name for figure in compared(then, now, 0.001) if not figure.same] == ["gone"]


def test_what_differs_in_the_environment_is_told_in_a_sentence_each():
    now = environment()
    assert {"python", "processor", "cores", "packages"} == set(now)
    assert now["packages"]["numpy"]
    assert list(differences(now, now)) == []
    then = now | {"processor": "an abacus", "packages": now["packages"] | {"numpy": "0.1", "gone": "1"}}
    assert list(differences(then, now)) == [
        f"the processor is {now['processor']}, it was an abacus",
        "package gone is absent, it was 1",
        f"package numpy is {now['packages']['numpy']}, it was 0.1",
    ]
