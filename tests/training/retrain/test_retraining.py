"""`tsur retrain` on a tiny encoder: what is registered, judged, promoted, resumed, refused; and the way back."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data.errors import BundleError, InputError, NoChampionError, TsurError
from data.store.store import Store
from models.classifier.classifier import Classifier
from models.encoder.onnx_runtime import Encoders
from registry.client import CHALLENGER, Registry
from registry.names import classifier_name
from registry.taking_back import line_of_champions, roll_back, taken_back
from tests.conftest import tsur
from tests.data.store.rows import decision
from tests.serving.bundles import registry_in
from tests.training.kills import kill_at
from tests.training.runs import tracker_in
from training.classifier.splits import SPLITS, complaint_keys, text_keys
from training.retrain.gate_limits import GateLimits
from training.retrain.lineage import Lineage
from training.retrain.lock import alone
from training.retrain.promotion import gate_of, promote
from training.retrain.retraining import Retrained, Retraining, retrain
from training.retrain.suggest import suggest
from training.retrain.trial import REPORT
from training.retrain.versions import find_version
from tsur.retrain import tell_retrained
from tsur.samples import SAMPLE_REGION

NAME = classifier_name(SAMPLE_REGION)
LIMITS = GateLimits(least_rows=25, least_slice_rows=15, slower=10, tolerance=0.2, coverage_tolerance=1)
"""On few rows and a busy machine."""


@pytest.fixture
def home(classifier_home: Path, tmp_path: Path, at_home: Any) -> Path:
    """A copy for each test; the artifacts stay where MLflow's database says that they are."""
    made = tmp_path / "home"
    shutil.copytree(classifier_home, made, ignore=shutil.ignore_patterns("artifacts", "training"))
    at_home(made)
    return made


def asked(home: Path, dataset: str = "2", **changes: Any) -> Retraining:
    version = find_version(home / "datasets" / SAMPLE_REGION, dataset)
    return replace(Retraining(SAMPLE_REGION, version, None, LIMITS, {}), **changes)


def run(home: Path, request: Retraining, said: list[str] | None = None, registry: Registry | None = None) -> Retrained:
    tell = (lambda line: None) if said is None else said.append
    return retrain(request, home, tell, tracker=tracker_in(home), registry=registry or registry_in(home))


def test_a_challenger_is_registered_judged_reported_and_not_promoted_and_a_second_time_is_nothing_to_do(home, capsys):
    done, registry = run(home, asked(home)), registry_in(home)
    assert (done.champion, done.challenger, done.promoted, done.done_before) == (1, 2, None, False)
    assert done.passed, done.says
    assert registry.champion(NAME) == 1
    assert registry.champion(NAME, CHALLENGER) == 2
    text = done.report.read_text(encoding="utf-8")
    assert text.startswith("Passed on ")
    assert "| tested before |" in text
    assert "data:image/png;base64" in done.report.with_suffix(".html").read_text(encoding="utf-8")
    client = registry.models.client()
    (gate,) = client.search_runs([client.get_experiment_by_name(NAME).experiment_id], "params.challenger = '2'")
    assert {f"gate/{REPORT}", "gate/verdict.json"} <= {
        file.path for file in client.list_artifacts(gate.info.run_id, "gate")
    }
    assert gate_of(registry, NAME, 2)["champion"] == 1

    said: list[str] = []
    again = run(home, asked(home), said)
    assert again.done_before
    assert said == [f"version 2 was trained on {asked(home).dataset.name} before"]
    assert len(registry.models.versions(NAME)) == 2

    at_work = r"a retrain of region verkhnerechye \(process \d+, since .*\); wait until it is done"
    with alone(home / "retraining" / SAMPLE_REGION, "a test"), pytest.raises(InputError, match=at_work):
        run(home, asked(home))

    promoted = run(home, asked(home, promoted_by="tsur retrain (somebody)"))
    assert promoted.promoted.previous_version == 1
    assert registry.models.under_alias(NAME, CHALLENGER) is None
    assert run(home, asked(home)).says.startswith("version 2, the champion, was trained on")
    assert registry.promotions(NAME)[-1].evidence["gate"]["passed"]

    back = roll_back(registry, NAME, "it routes fewer", "an engineer")
    assert (back.version, back.previous_version, registry.champion(NAME)) == (1, 2, 1)
    assert taken_back(registry.promotions(NAME), 2).evidence["why"] == "it routes fewer"
    by_itself = run(home, asked(home, promoted_by="tsur retrain (timer)"))
    assert "took version 2 back (it routes fewer)" in by_itself.note
    tell_retrained(by_itself, "version 2")
    assert by_itself.note in capsys.readouterr().out
    assert registry.champion(NAME) == 1
    with pytest.raises(NoChampionError, match="nothing to go back to"):
        roll_back(registry, NAME, "further", "an engineer")
    assert promote(registry, NAME, 2, "it was the weather", "an engineer", False).version == 2
    assert taken_back(registry.promotions(NAME), 2) is None
    assert line_of_champions(registry.promotions(NAME)) == [1, 2]


def test_many_regions_are_retrained_though_one_of_them_has_nothing_to_be_retrained_on(home):
    limits = [f"{key}={value}" for key, value in LIMITS.model_dump(exclude_defaults=True).items()]
    options = [part for limit in limits for part in ("--set", limit)]
    done = tsur(home, "retrain", "regions", "atlantis", SAMPLE_REGION, *options, check=False)
    assert done.returncode == 2
    assert f"2 of 2: {SAMPLE_REGION}: " in done.stdout
    assert "version 2 against version 1, report: " in done.stdout
    assert "1 of 2 regions failed, the others are retrained: atlantis: " in done.stderr
    assert registry_in(home).champion(NAME) == 1, "nobody asked for a promotion"


def test_killed_at_each_step_it_ends_with_one_challenger_promoted_once(home):
    command = ["retrain", "--promote", "--no-catalogue", "--region", SAMPLE_REGION]
    command += [
        part for key, value in LIMITS.model_dump(exclude_defaults=True).items() for part in ("--set", f"{key}={value}")
    ]
    kill_at(home, "training/*/classifier-*/network", *command)
    kill_at(home, "training/*/classifier-*/bundle/MODEL_CARD.md", *command)
    kill_at(home, "retraining/*/*/verdict.json", *command)
    done = run(home, asked(home, promoted_by="tsur retrain (again)"))
    registry = registry_in(home)
    assert done.challenger == 2
    assert registry.champion(NAME) == 2
    assert [int(each.version) for each in registry.models.versions(NAME)] == [1, 2]
    assert [each.version for each in registry.promotions(NAME)] == [1, 2]
    assert not list((home / "training" / SAMPLE_REGION).glob("classifier-*"))


def test_a_registry_that_goes_away_before_the_promotion_leaves_the_champion_and_is_promoted_to_later(home):
    run(home, asked(home))
    database = home / "mlflow" / "mlflow.db"
    database.rename(database.with_suffix(".away"))
    for attempt in (
        lambda: run(home, asked(home, promoted_by="test")),
        lambda: promote(registry_in(home), NAME, 2, "", "test", False),
        lambda: roll_back(registry_in(home), NAME, "why", "test"),
    ):
        with pytest.raises(TsurError):
            attempt()
    database.unlink(missing_ok=True)
    database.with_suffix(".away").rename(database)
    done = run(home, asked(home, promoted_by="test"))
    assert done.promoted.version == 2
    assert [each.version for each in registry_in(home).promotions(NAME)] == [1, 2]


def test_what_the_gate_refuses_or_has_not_seen_is_promoted_only_over_its_head_with_a_reason(home):
    strict = GateLimits(least_rows=5000)
    done, registry = run(home, asked(home, limits=strict, promoted_by="test")), registry_in(home)
    assert not done.passed
    assert done.says.startswith("Refused, 1 of ")
    assert registry.champion(NAME) == 1
    assert registry.models.under_alias(NAME, CHALLENGER) is None
    with pytest.raises(InputError, match=r"the gate refused .* version 2: Refused, 1 of"):
        promote(registry, NAME, 2, "", "test", False)
    with pytest.raises(InputError, match="needs a reason"):
        promote(registry, NAME, 2, "", "test", True)
    with pytest.raises(InputError, match="version 1 is the champion already"):
        promote(registry, NAME, 1, "", "test", False)
    with pytest.raises(NoChampionError):
        promote(registry, NAME, None, "", "test", False)
    with pytest.raises(BundleError, match="no version 9"):
        promote(registry, NAME, 9, "", "test", False)
    kept = promote(registry, NAME, 2, "the portal has changed", "an engineer", True)
    assert kept.evidence["why"] == "the portal has changed"
    assert not kept.evidence["gate"]["passed"]
    with pytest.raises(InputError, match="the gate has not seen"):
        promote(registry, NAME, 1, "", "test", False)


def test_a_champion_that_was_taught_the_test_rows_is_not_compared_on_them(home):
    dataset = asked(home).dataset
    seen = dataset.rows.iloc[dataset.split.test]
    registry = registry_in(home)
    client, run_id = registry.models.client(), registry.models.version(NAME, 1).run_id
    splits = json.loads(registry.run_artifact(NAME, 1, SPLITS))
    client.log_dict(run_id, {**splits, "train": [*splits["train"], *complaint_keys(seen).tolist()]}, SPLITS)
    try:
        with pytest.raises(InputError, match=r"was taught \d+ of the \d+ rows .* `tsur train classifier --dataset 2`"):
            run(home, asked(home))
    finally:
        client.log_dict(run_id, splits, SPLITS)  # the artifacts are those of all tests here


def test_without_a_champion_the_first_one_is_named(home):
    with pytest.raises(NoChampionError, match="tsur train classifier --dataset VERSION"):
        run(home, asked(home), registry=registry_in(home / "elsewhere"))


def test_lineage_leads_from_a_decision_to_its_models_rows_and_from_a_row_to_the_models_it_taught(home):
    dataset = asked(home, "1").dataset
    taught = dataset.rows.iloc[dataset.split.train[0]]
    store = Store(f"sqlite:///{home}/store.db", SAMPLE_REGION)
    store.decisions.save([decision(id=taught["id"], model_version="1"), decision(id="new", model_version="9")])
    lineage = Lineage(SAMPLE_REGION, store, registry_in(home), home / "datasets" / SAMPLE_REGION)
    run_id = registry_in(home).models.version(NAME, 1).run_id
    text = "\n".join(lineage.of(taught["id"]))
    assert f"by {NAME} version 1, MLflow run {run_id}, commit " in text
    assert f"taught {len(dataset.split.train)} rows of dataset version {dataset.name}" in text
    assert (
        f"dataset version {dataset.name}, source {taught['source']}: teaches; sector «{taught['sector']}» (file)"
        in text
    )
    assert f"  taught {NAME} version 1" in text
    assert "version 9, which is gone" in "\n".join(lineage.of("new"))
    with pytest.raises(InputError, match="knows a complaint 'nobody'"):
        list(lineage.of("nobody"))


def test_what_would_teach_most_is_asked_once_and_what_is_labelled_not_at_all(home, sample):
    classifier = Classifier.load(registry_in(home).bundle(NAME, 1), Encoders(threads=1, folder=home / "encoders"))
    rows = sample.iloc[:40].reset_index(drop=True)
    twice = pd.concat([rows, rows.iloc[:10].assign(id="again")], ignore_index=True)
    known = set(text_keys(rows["text"].iloc[30:]).tolist())
    chosen = suggest(twice, classifier, 12, known)
    assert len(chosen) == 12
    assert chosen["margin"].is_monotonic_increasing
    assert chosen["id"].is_unique
    assert not set(chosen["id"]) & {*rows["id"].iloc[30:], "again"}
    assert chosen[["sector", "topic", "agency"]].isna().all(axis=None)
    everything = suggest(twice, classifier, 100, known)
    assert len(everything) == 30
    assert chosen["id"].tolist() == everything["id"].tolist()[:12]
