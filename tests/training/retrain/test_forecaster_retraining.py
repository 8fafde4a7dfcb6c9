"""`tsur retrain forecaster` on six series: what is registered, judged, promoted, resumed, refused; the way back."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data.errors import InputError, NoChampionError
from models.forecasting.bundle import Forecasts
from registry.client import CHALLENGER, Registry
from registry.names import forecaster_name
from tests.conftest import tsur
from tests.serving.bundles import registry_in
from tests.training.kills import kill_at
from tests.training.retrain.forecasts import CONFIG, last_days, older
from tests.training.runs import tracker_in
from training.retrain.forecaster_retraining import ForecasterRetraining, retrain_forecaster
from training.retrain.gate_limits import ForecastLimits
from training.retrain.lock import alone
from training.retrain.promotion import gate_of, promote
from training.retrain.recipe import forecaster_recipe_of
from training.retrain.trial import REPORT, Retrained
from tsur.samples import SAMPLE_REGION

NAME = forecaster_name(SAMPLE_REGION)


@pytest.fixture(scope="module")
def counts(small_counts: Path) -> pd.DataFrame:
    return last_days(small_counts)


@pytest.fixture
def home(forecaster_home: Path, tmp_path: Path, at_home: Any) -> Path:
    """A copy for each test; the artifacts stay where MLflow's database says that they are."""
    made = tmp_path / "home"
    shutil.copytree(forecaster_home, made, ignore=shutil.ignore_patterns("artifacts", "training"))
    at_home(made)
    return made


def asked(counts: pd.DataFrame, **changes: Any) -> ForecasterRetraining:
    return replace(ForecasterRetraining(SAMPLE_REGION, counts, ForecastLimits(), {}), **changes)


def run(
    home: Path, request: ForecasterRetraining, said: list[str] | None = None, registry: Registry | None = None
) -> Retrained:
    tell = (lambda line: None) if said is None else said.append
    return retrain_forecaster(request, home, tell, tracker=tracker_in(home), registry=registry or registry_in(home))


def test_a_challenger_is_registered_judged_reported_promoted_once_and_taken_back(home, counts):
    done, registry = run(home, asked(counts)), registry_in(home)
    assert (done.champion, done.challenger, done.promoted, done.done_before) == (1, 2, None, False)
    assert done.passed, done.says
    assert registry.champion(NAME) == 1
    assert registry.champion(NAME, CHALLENGER) == 2
    assert done.report.read_text(encoding="utf-8").startswith("Passed on 6 series: ")
    assert "data:image/png;base64" in done.report.with_suffix(".html").read_text(encoding="utf-8")
    assert gate_of(registry, NAME, 2)["champion"] == 1
    client = registry.models.client()
    (gate,) = client.search_runs([client.get_experiment_by_name(NAME).experiment_id], "params.challenger = '2'")
    assert f"gate/{REPORT}" in {file.path for file in client.list_artifacts(gate.info.run_id, "gate")}
    assert gate.data.metrics["gate.passed"] == 1

    said: list[str] = []
    assert run(home, asked(counts), said).done_before
    assert said == ["version 2 was trained on these counts before"]
    with alone(home / "retraining" / SAMPLE_REGION, "a test"), pytest.raises(InputError, match="wait until it is done"):
        run(home, asked(counts))

    promoted = run(home, asked(counts, promoted_by="tsur retrain forecaster (somebody)")).promoted
    assert (promoted.version, promoted.previous_version) == (2, 1)
    assert promoted.evidence["gate"]["passed"]
    assert registry.models.under_alias(NAME, CHALLENGER) is None
    assert run(home, asked(counts)).says.startswith("version 2, the champion, was trained on these counts")
    served = Forecasts.load(registry.champion_bundle(NAME)[0])
    assert served.origin == counts["date"].max().date()

    told = tsur(home, "rollback", "--model", "forecaster", "--why", "it snows", "--by", "an engineer").stdout
    assert f"champion: {NAME} version 1, in place of version 2" in told
    assert Forecasts.load(registry.champion_bundle(NAME)[0]).origin == older(counts)["date"].max().date()
    last = registry.promotions(NAME)[-1]
    assert (last.version, last.promoted_by, last.evidence["why"]) == (1, "an engineer", "it snows")
    by_itself = run(home, asked(counts, promoted_by="tsur retrain forecaster (timer)"))
    assert "an engineer took version 2 back (it snows)" in by_itself.note
    assert registry.champion(NAME) == 1


def test_a_forecaster_that_forecasts_worse_is_refused_with_the_reason(home, counts):
    done, registry = (
        run(home, asked(counts, changes={"forecasters": ["seasonal_naive"]}, promoted_by="test")),
        registry_in(home),
    )
    assert not done.passed
    assert done.says.startswith("Refused, ")
    assert "WAPE" in done.says
    assert done.report.read_text(encoding="utf-8").startswith(done.says)
    assert registry.champion(NAME) == 1
    with pytest.raises(InputError, match=r"the gate refused .* version 2: Refused, "):
        promote(registry, NAME, 2, "", "test", False)
    assert promote(registry, NAME, 2, "the others are too slow", "an engineer", True).previous_version == 1


def test_killed_in_the_rehearsal_it_ends_with_one_challenger_promoted_once(home, counts):
    command = ["retrain", "forecaster", str(home / "counts.csv"), "--municipality", "municipality", "--promote"]
    kill_at(home, "retraining/*/forecaster-rehearsal/backtest/*.parquet", *command)
    told = tsur(home, *command).stdout
    registry = registry_in(home)
    assert "version 2 was trained on these counts before" in told
    assert f"champion: {NAME} version 2" in told
    assert [int(each.version) for each in registry.models.versions(NAME)] == [1, 2]
    assert [each.version for each in registry.promotions(NAME)] == [1, 2]
    assert not list((home / "retraining" / SAMPLE_REGION).glob("forecaster-rehearsal"))


def test_the_recipe_is_the_champions(home):
    assert forecaster_recipe_of(registry_in(home), NAME, 1) == CONFIG


def test_counts_that_are_no_newer_and_a_region_without_a_champion_are_told_in_a_sentence(home, counts):
    with pytest.raises(InputError, match=r"10 days after those that the champion was chosen on .* 14 newer days"):
        run(home, asked(older(counts, 20)))
    with pytest.raises(NoChampionError, match="a first forecaster becomes champion by `tsur train forecaster COUNTS`"):
        run(home, asked(counts), registry=registry_in(home / "elsewhere"))
