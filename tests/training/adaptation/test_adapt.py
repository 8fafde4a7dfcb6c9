"""`tsur adapt`: what is registered, what a kill does not change, who can use it, what is refused."""

import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from data.complaints.files import read_complaints, write_complaints
from data.errors import EncoderError
from data.settings import settings
from models.encoder.artifact import content_hash
from registry.client import CHALLENGER, open_registry
from registry.encoder_names import pinned
from registry.encoders import ENCODER
from registry.names import classifier_name
from tests.conftest import tsur
from tests.training.kills import kill_at
from tests.training.runs import client, run_of
from training.classifier.encoder_rows import rows_of_encoder, rows_of_run
from tsur.samples import SAMPLE_REGION

ROWS, WIDTH, LAYERS = 300, 32, 3
CHAMPION = f"registry:{ENCODER}@champion"


def quick(home: Path) -> list[str]:
    keys = {"encoder": home / "tiny", "frozen_layers": 1, "epochs": 3, "max_tokens": 32, "batch_size": 16}
    keys |= {"learning_rate": 0.003, "head_learning_rate": 0.02, "held_out_share": 0.2}
    return [part for key, value in keys.items() for part in ("--set", f"{key}={value}")]


def command(home: Path) -> list[str]:
    return ["adapt", str(home / "north.jsonl"), str(home / "south.jsonl"), *quick(home)]


@pytest.fixture(scope="module")
def two_regions(tmp_path_factory, sample, small_encoder) -> Path:
    """A home with a random encoder of three layers, and the sample's two halves: the south lacks half its topics."""
    from transformers import AutoTokenizer, BertConfig, BertModel, set_seed

    home = tmp_path_factory.mktemp("regions")
    tokenizer = AutoTokenizer.from_pretrained(small_encoder)
    set_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=2,
        intermediate_size=64, pad_token_id=1, max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config, add_pooling_layer=False).save_pretrained(home / "tiny")
    tokenizer.save_pretrained(home / "tiny")
    north, south = (sample.iloc[half : 2 * ROWS : 2].reset_index(drop=True) for half in (0, 1))
    write_complaints(north, home / "north.jsonl")
    write_complaints(south.assign(topic=south["topic"].where(south.index % 2 == 0, None)), home / "south.jsonl")
    return home


@pytest.fixture(scope="module")
def adapted(two_regions: Path) -> Path:
    """The home after an adaptation that was killed once its first epoch was kept, and started again."""
    kill_at(two_regions, "training/encoder-*/checkpoints/checkpoint-*/trainer_state.json", *command(two_regions))
    resumed = tsur(two_regions, *command(two_regions))
    (two_regions / "adapted.out").write_text(resumed.stdout, encoding="utf-8")
    return two_regions


@pytest.fixture
def registry(adapted, at_home):
    at_home(adapted)
    return open_registry(SAMPLE_REGION)


def test_a_killed_adaptation_goes_on_and_ends_with_the_same_encoder(adapted, registry, tmp_path):
    from training.adaptation.adapt import adapt
    from training.arguments import EncoderAdaptation
    from training.tracker import Tracker
    from tsur.options import overridden

    assert "continuing after epoch" in (adapted / "adapted.out").read_text(encoding="utf-8")
    complaints = {name: read_complaints(adapted / f"{name}.jsonl") for name in ("north", "south")}
    arguments = overridden(EncoderAdaptation(), quick(adapted)[1::2], "--set")
    tracker = Tracker(settings().mlflow_uri, settings().artifacts)
    told: list[str] = []
    whole = adapt(complaints, arguments, tmp_path, told.append, tracker=tracker, registry=registry)
    assert not [line for line in told if "continuing" in line]
    assert whole.version == 1  # the same content is the same version
    assert (adapted / "encoders" / whole.folder.name).is_dir()
    assert content_hash(whole.folder) == whole.folder.name
    assert not list(adapted.glob("training/encoder-*"))


def test_it_has_learnt_from_both_regions_and_is_promoted_on_its_figures(registry, adapted):
    run = run_of(ENCODER)
    history = client().get_metric_history(run.info.run_id, "loss")
    losses = [point.value for point in sorted(history, key=lambda point: point.step)]
    assert losses[-1] < 0.9 * losses[0]
    for region in ("north", "south"):
        assert 0 < run.data.metrics[f"held_out.{region}.sector.accuracy"] <= 1
        assert f"validation.{region}.topic.accuracy" in run.data.metrics
        assert region in (adapted / "adapted.out").read_text(encoding="utf-8")
    assert run.data.params["frozen_layers"] == "1"
    assert int(run.data.params["north.rows"]) + int(run.data.params["north.held_out"]) == ROWS


def test_the_layers_that_are_not_frozen_have_changed(registry, adapted):
    from safetensors.torch import load_file

    before = load_file(adapted / "tiny" / "model.safetensors")
    folder = adapted / "encoders" / pinned(CHAMPION, registry).rpartition(":")[2]
    after = load_file(folder / "model.safetensors")
    assert before.keys() == after.keys()
    changed = {name for name in after if not before[name].equal(after[name])}
    assert changed
    assert {name.split(".")[2] for name in changed} == {"1", "2"}


@pytest.fixture(scope="module")
def on_adapted(adapted) -> str:
    """What training a classifier of the north on the adapted encoder says."""
    columns = ["--set", f"encoder={CHAMPION}", "--set", "ngrams=false", "--set", "max_tokens=32"]
    columns += ["--set", "frozen_layers=1", "--set", "courtesy_augmentation=false"]
    return tsur(adapted, "train", "classifier", str(adapted / "north.jsonl"), *columns).stdout


def test_regions_read_with_one_encoder_that_is_registered_once(registry, on_adapted):
    from models.classifier.bundle import read_bundle

    assert len(registry.models.versions(ENCODER)) == 1
    bundle = read_bundle(registry.champion_bundle(classifier_name(SAMPLE_REGION))[0])
    assert f"sha256:{bundle.config.encoder_hash}" in bundle.config.encoder


def test_complaints_that_taught_the_encoder_do_not_judge_a_classifier_on_it(registry, on_adapted):
    name = classifier_name(SAMPLE_REGION)
    assert "taught the labels of 240 complaints; choices, calibration and figures go by the other 60" in on_adapted
    assert "measuring on 60 rows held out in turn" in on_adapted
    known = rows_of_encoder(pinned(CHAMPION, registry), registry)
    assert len(known) == 2 * 240
    assert rows_of_run(name, registry.champion(name), registry) == known


def test_its_student_knows_them_too(registry, adapted, on_adapted, sample):
    both = pd.concat([read_complaints(adapted / "north.jsonl"), sample.iloc[2 * ROWS : 2 * ROWS + 150]])
    write_complaints(both, adapted / "both.jsonl")
    quick = ["--layers", "1", "--set", "epochs=1", "--set", "max_tokens=32"]
    tsur(adapted, "distill", str(adapted / "both.jsonl"), *quick)
    (student,) = adapted.glob("students/*/*")
    known = rows_of_encoder(pinned(CHAMPION, registry), registry)
    assert rows_of_encoder(str(student), registry) == known
    challenger = registry.champion(classifier_name(SAMPLE_REGION), CHALLENGER)
    assert rows_of_run(classifier_name(SAMPLE_REGION), challenger, registry) == known


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (f"registry:{ENCODER}@7", "the registry holds no version 7 of complaint-encoder"),
        (f"registry:{ENCODER}@best", "holds no complaint-encoder under the alias 'best': run `tsur adapt`"),
        (f"registry:{ENCODER}", "write registry:complaint-encoder@champion, or its version"),
        ("registry:complaint-decoder@1", "write registry:complaint-encoder@champion, or its version"),
        (f"registry:{ENCODER}@sha256:{'0' * 64}", "is gone"),
    ],
)
def test_an_encoder_that_is_not_there_is_refused_in_a_sentence(registry, adapted, monkeypatch, capsys, name, sentence):
    rows = str(adapted / "north.jsonl")
    assert sentence in refusal(monkeypatch, capsys, "train", "classifier", rows, "--set", f"encoder={name}")


def test_an_encoder_whose_files_are_gone_is_told_and_comes_back_from_the_registry(registry, adapted, tmp_path):
    name = pinned(CHAMPION, registry)
    folder = adapted / "encoders" / name.rpartition(":")[2]
    shutil.rmtree(folder)
    assert pinned(f"registry:{ENCODER}@1", registry) == name
    assert folder.is_dir()
    (files,) = settings().artifacts.glob(f"**/{run_of(ENCODER).info.run_id}/artifacts/encoder")
    shutil.rmtree(folder)
    files.rename(tmp_path / "elsewhere")
    try:
        with pytest.raises(EncoderError, match=r"encoder 'registry:complaint-encoder@champion' is gone .*tsur adapt"):
            pinned(CHAMPION, registry)
    finally:
        (tmp_path / "elsewhere").rename(files)
    pinned(CHAMPION, registry)


def test_what_cannot_be_adapted_on_is_refused_in_a_sentence(registry, adapted, monkeypatch, capsys, tmp_path):
    north = str(adapted / "north.jsonl")
    assert "two files are called 'north'" in refusal(monkeypatch, capsys, "adapt", north, north)
    absent = refusal(monkeypatch, capsys, "adapt", north, str(tmp_path / "absent.jsonl"))
    assert "error (bad_file)" in absent
    assert "absent.jsonl" in absent
    (tmp_path / "wrong.jsonl").write_text('{"message": "нет света"}\n', encoding="utf-8")
    assert "wrong.jsonl: line 1" in refusal(monkeypatch, capsys, "adapt", str(tmp_path / "wrong.jsonl"))
    assert "frozen_layers 9" in refusal(monkeypatch, capsys, *command(adapted), "--set", "frozen_layers=9")
    assert "unknown key 'epoch'" in refusal(monkeypatch, capsys, "adapt", north, "--set", "epoch=1")


def refusal(monkeypatch, capsys, *arguments: str) -> str:
    from tsur.cli import main

    monkeypatch.setattr(sys, "argv", ["tsur", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    return str(capsys.readouterr().err)
