"""The model card: its shape in both languages, its front matter, and that it quotes nobody."""

import json
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from data.settings import CHECKOUT
from models.classifier.bundle import CARD, LABELS, read_bundle
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS
from tests.serving.bundles import write_classifier
from training.arguments import ClassifierTraining
from training.evaluate.evaluate import Evaluation, evaluate_classifier
from training.evaluate.routed import RoutedFigures
from training.report.card import card, write_card, write_first_card
from training.report.card_facts import MeasuredFacts
from training.report.card_texts import HEADINGS

ARGUMENTS = ClassifierTraining(encoder="/srv/encoders/small", epochs=4, text_prefix="q: ")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """A bundle whose encoder came from a folder of this machine."""
    folder = write_classifier(tmp_path_factory.mktemp("card") / "bundle")
    config = folder / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("random", ARGUMENTS.encoder), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def frame(sample) -> pd.DataFrame:
    return sample.head(600)


@pytest.fixture(scope="module")
def rows(frame) -> pd.DataFrame:
    return frame.iloc[::2].reset_index(drop=True)


@pytest.fixture(scope="module")
def evaluation(bundle, rows) -> Evaluation:
    """Of a random network, set right in six rows of ten, so that labels differ in quality."""
    measured = evaluate_classifier(Classifier.load(bundle), rows)
    lucky = np.random.default_rng(0).random(len(rows)) < 0.6
    predicted = {head: np.where(lucky, measured.targets[head], measured.predicted[head]) for head in HEADS}
    return replace(measured, predicted=predicted)


@pytest.fixture(scope="module")
def text(bundle, frame, evaluation, rows) -> str:
    return card_of(bundle, frame, evaluation, evaluation, rows=rows, arguments=ARGUMENTS)


def card_of(
    bundle: Path, frame: pd.DataFrame, evaluation: Evaluation, lexical: Evaluation, kept_back: bool = False,
    rows: pd.DataFrame | None = None, arguments: ClassifierTraining | None = None,
) -> str:  # fmt: skip
    return card(
        MeasuredFacts(
            bundle=read_bundle(bundle), frame=frame, arguments=arguments,
            evaluation=evaluation, lexical=lexical, rows=rows, kept_back=kept_back,
        )
    )  # fmt: skip


def section(text: str, name: str) -> str:
    return text.split(f"## {HEADINGS[name]}\n")[1].split("\n## ")[0]


def test_every_section_stands_in_its_order_under_a_heading_in_both_languages(text):
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == list(HEADINGS.values())
    for heading in HEADINGS.values():
        russian, english = heading.split(" / ")
        assert re.search("[А-Яа-я]", russian)
        assert re.fullmatch(r"[A-Za-z :-]+", english)


@pytest.mark.parametrize("name", ["purpose", "out_of_scope", "data", "personal_data", "training", "limits", "licences"])
def test_prose_is_in_both_languages(text, name):
    assert len(re.findall("[А-Яа-яЁё]", section(text, name))) > 100
    assert len(re.findall("[A-Za-z]", section(text, name))) > 100


@pytest.mark.parametrize("placeholder", ["TODO", "More Information Needed", "{", "}", "None", "nan", "XXX"])
def test_card_has_no_placeholders(text, placeholder):
    assert not re.search(rf"(?<!\w){placeholder}(?!\w)", text)


def test_front_matter_is_what_the_hugging_face_hub_reads(text, evaluation):
    from huggingface_hub import ModelCard

    read = ModelCard(text).data
    assert read.language == ["ru"]
    assert read.license
    assert read.pipeline_tag == "text-classification"
    values = {(r.task_name, r.metric_name or r.metric_type): r.metric_value for r in read.eval_results}
    for head in HEADS:
        assert values[head, "macro-F1"] == pytest.approx(evaluation.heads[head].macro_f1, abs=1e-4)
    assert yaml.safe_load(text.split("---")[1])["metrics"] == ["accuracy", "f1"]


def test_card_forbids_what_the_model_must_not_do(text):
    forbidden = section(text, "out_of_scope")
    for words in ("обоснована ли жалоба", "угрозе жизни", "профилирования граждан", "оценки работы чиновников"):
        assert words in forbidden
    for words in ("justified", "danger to life", "profiling citizens", "rating officials"):
        assert words in forbidden


def test_every_label_that_can_come_out_is_named_with_its_rows(text, bundle, frame):
    labels = section(text, "labels")
    for head, names in read_bundle(bundle).labels.names.items():
        rows = frame[head].value_counts()
        for name in names:
            assert f"{name} ({rows.get(name, 0)})" in labels


def test_labels_that_only_rows_kept_back_have_are_listed_as_unknown(bundle, frame, evaluation):
    strange = frame.copy()
    strange.loc[:1, "topic"] = "Следы на снегу"
    labels = section(card_of(bundle, strange, evaluation, evaluation), "labels")
    assert "not known to the model (1): Следы на снегу (2)." in labels


def test_rare_labels_are_marked_as_an_operators(bundle, frame, evaluation, tmp_path):
    rare_bundle = shutil.copytree(bundle, tmp_path / "bundle")
    labels = json.loads((rare_bundle / LABELS).read_text(encoding="utf-8"))
    rare, usual = labels["topic"][:2]
    labels["rows"] = {head: [2 if name == rare else 3 for name in labels[head]] for head in HEADS}
    labels["min_rows"] = 3
    (rare_bundle / LABELS).write_text(json.dumps(labels), encoding="utf-8")
    text = card_of(rare_bundle, frame, evaluation, evaluation)
    rows = frame["topic"].value_counts()
    assert f"{rare} ({rows.get(rare, 0)})°;" in section(text, "labels")
    assert f"{usual} ({rows.get(usual, 0)});" in section(text, "labels")
    assert "fewer than 3 complaints" in " ".join(section(text, "limits").split())


def test_it_says_whether_the_figures_are_of_the_bundle_or_of_fits_without_the_rows(bundle, frame, evaluation, text):
    own = section(card_of(bundle, frame, evaluation, evaluation, kept_back=True), "quality")
    in_turn = section(text, "quality")
    assert "этой самой модели" in own
    assert "this very model" in own
    assert "fitted on all complaints" in " ".join(in_turn.split())
    assert "обучена на всех обращениях" in in_turn
    assert "this very model" not in in_turn


def test_data_are_described_by_rows_period_sources_region_and_fingerprint(text, frame, bundle):
    data = section(text, "data")
    assert f"| {len(frame)} |" in data
    assert f"{frame['created_at'].min():%Y-%m-%d} … {frame['created_at'].max():%Y-%m-%d}" in data
    for source in frame["source"].unique():
        assert source in data
    parts = read_bundle(bundle)
    assert parts.catalogue.region in data
    assert parts.config.data_fingerprint in data


def test_figures_stand_beside_the_rival(bundle, frame, evaluation):
    worse = {head: replace(figures, accuracy=0.123) for head, figures in evaluation.heads.items()}
    quality = section(card_of(bundle, frame, evaluation, replace(evaluation, heads=worse)), "quality")
    for head in HEADS:
        assert f"{evaluation.heads[head].accuracy:.3f} (0.123)" in quality


def test_at_most_ten_best_and_ten_worst_labels_a_head_best_first(text):
    for table in section(text, "labels_quality").split("### ")[1:]:
        f1 = [float(value) for value in re.findall(r"^\|(?: [^|]+ \|){3} (\d\.\d{3}) \|", table, re.MULTILINE)]
        assert 5 < len(f1) <= 20
        assert f1 == sorted(f1, reverse=True)
        assert f1[0] > f1[-1]


def test_no_complaint_is_quoted_and_no_path_of_this_machine_is_told(text, frame):
    for complaint in frame["text"]:
        assert complaint[:40] not in text
    assert "/srv" not in text
    assert str(CHECKOUT) not in text


def test_command_to_reproduce_sets_what_differs_from_the_defaults(text):
    command = section(text, "reproduce").split("```sh\n")[1].split("```")[0].replace("\\\n", " ")
    words = shlex.split(command.splitlines()[0])
    sets = [words[at + 1].split("=", 1) for at, word in enumerate(words) if word == "--set"]
    assert words[:3] == ["tsur", "train", "classifier"]
    assert {name: yaml.safe_load(value) for name, value in sets} == {
        "encoder": "small", "epochs": 4, "text_prefix": "q: ",
    }  # fmt: skip


def test_card_is_whole_without_arguments_rows_routing_or_the_rivals_confidence(bundle, frame, evaluation):
    bare = replace(evaluation, confidence={}, calibration_error={}, routing=None)
    careful = replace(evaluation, routing=RoutedFigures(0, 0.0, None, None, None))
    write_card(bundle, frame.assign(municipality=None), careful, bare)
    written = (bundle / CARD).read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", written, re.MULTILINE) == list(HEADINGS.values())
    assert not re.search(r"\bnan\b", written)


def test_longest_texts_are_judged_apart_where_the_rows_are_given(text, rows):
    long = rows["text"].str.len() >= np.quantile(rows["text"].str.len(), 0.9)
    assert f"от {rows['text'].str.len()[long].min()} символов" in section(text, "limits")


def test_a_region_that_begins_has_a_card_that_says_that_nothing_was_measured(bundle, frame):
    write_first_card(bundle, frame.head(0), ARGUMENTS)
    written = (bundle / CARD).read_text(encoding="utf-8")
    assert "fewer than 50 labelled complaints" in section(written, "quality")
    assert "| 0 |" in section(written, "data")
    assert not re.search(r"\bnan\b|NaT", written)
