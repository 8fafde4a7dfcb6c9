"""The report: what its files are, that they can be read, and that no personal data is in them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS
from registry.connection import connected
from tests.serving.bundles import write_classifier
from training.evaluate.evaluate import Evaluation, evaluate_classifier
from training.evaluate.metrics import head_metrics
from training.report.markdown import as_html, cell, markdown_table
from training.report.report import log_report, write_report
from training.tracker import Tracker

PHONE, MAIL, NAME = "8 (910) 555-12-34", "petrova@example.ru", "Петрова Анна Сергеевна"
MARKUP = "a|b <script>alert(1)</script> ![x](http://example.org/x.png)"


@pytest.fixture(scope="module")
def classifier(tmp_path_factory) -> Classifier:
    """A random network that routes all that may be routed: errors in plenty."""
    return Classifier.load(write_classifier(tmp_path_factory.mktemp("report") / "bundle"))


@pytest.fixture(scope="module")
def rows(sample) -> pd.DataFrame:
    """Complaints of the sample, each with somebody's phone, address and name, and with markup."""
    kept = sample.groupby("sector").head(8).reset_index(drop=True)
    return kept.assign(text=[f"{MARKUP} {text} Звоните {PHONE}, {MAIL}, {NAME}." for text in kept["text"]])


@pytest.fixture(scope="module")
def evaluation(classifier, rows) -> Evaluation:
    return evaluate_classifier(classifier, rows)


def majority(evaluation: Evaluation, label_counts: dict[str, int]) -> Evaluation:
    """The rival that always says the most frequent label, as sure as that label is frequent."""
    heads, predicted, confidence = {}, {}, {}
    for head, targets in evaluation.targets.items():
        shares = np.bincount(targets, minlength=label_counts[head]) / len(targets)
        heads[head] = head_metrics(targets, np.tile(shares, (len(targets), 1)))
        predicted[head] = np.full(len(targets), shares.argmax())
        confidence[head] = np.full(len(targets), shares.max())
    return Evaluation(evaluation.labels, heads, evaluation.targets, predicted, confidence)


@pytest.fixture(scope="module")
def report(classifier, rows, evaluation, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "report"
    counts = {head: len(classifier.bundle.labels.names[head]) for head in HEADS}
    write_report(evaluation, classifier, rows, folder, majority(evaluation, counts))
    return folder


def test_report_is_one_folder_with_a_page_to_read_tables_and_plots(report):
    per_head = ["labels-{}.csv", "confusion-{}.csv", "confusion-{}.png", "confused-pairs-{}.csv"]
    per_head += ["reliability-{}.csv", "reliability-{}.png"]
    expected = {name.format(head) for name in per_head for head in HEADS}
    expected |= {f"routing-by-{key}.csv" for key in ("sector", "municipality", "source", "characters")}
    expected |= {"report.md", "report.html", "summary.csv", "risk-coverage.csv", "risk-coverage.png"}
    expected |= {"review-reasons.csv", "misread.csv", "unsure-right.csv", "routed-wrongly.csv"}
    assert {path.name for path in report.iterdir()} == expected


def test_page_has_every_section_and_names_every_file(report):
    text = (report / "report.md").read_text(encoding="utf-8")
    headings = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert headings == [
        "Summary", "Routing", "Risk and coverage", "Reliability", "Labels", "Complaints to read", "Files",
    ]  # fmt: skip
    for path in report.iterdir():
        assert path.stem == "report" or f"({path.name})" in text
    for head in HEADS:
        assert f"### Worst labels: {head}" in text
        assert f"### Most confused: {head}" in text


def test_html_needs_no_other_file_and_runs_no_foreign_code(report):
    page = (report / "report.html").read_text(encoding="utf-8")
    assert page.count('src="data:image/png;base64,') == page.count("<img ") == 7
    assert "<table>" in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("secret", [PHONE, MAIL, "Петрова", "555-12-34"])
def test_no_file_of_the_report_holds_personal_data(report, secret):
    for path in report.iterdir():
        if path.suffix != ".png":
            assert secret not in path.read_text(encoding="utf-8"), path.name


def test_rival_stands_beside_the_model(report):
    summary = pd.read_csv(report / "summary.csv", sep=";")
    assert set(zip(summary["head"], summary["by"], strict=True)) == {
        (head, by) for head in HEADS for by in ("model", "TF-IDF + SVM")
    }
    assert set(pd.read_csv(report / "risk-coverage.csv", sep=";")["by"]) == {"model", "TF-IDF + SVM"}


def test_routing_figures_add_up_to_those_of_the_evaluation(report, evaluation, rows):
    for key in ("sector", "municipality", "source", "characters"):
        table = pd.read_csv(report / f"routing-by-{key}.csv", sep=";")
        assert table["rows"].sum() == len(rows)
        assert (table["coverage"] * table["rows"]).sum() / len(rows) == pytest.approx(evaluation.coverage)
        routed = table["coverage"] * table["rows"]
        assert (table["routed precision"] * routed).sum() / routed.sum() == pytest.approx(evaluation.routed_precision)


def test_samples_are_the_surest_errors_the_least_sure_right_ones_and_the_routed_wrongly(report):
    misread = pd.read_csv(report / "misread.csv", sep=";")
    assert (misread["topic"] != misread["predicted topic"]).all()
    assert misread["confidence"].is_monotonic_decreasing
    unsure = pd.read_csv(report / "unsure-right.csv", sep=";")
    assert (unsure["agency"] == unsure["predicted agency"]).all()
    assert unsure["confidence"].is_monotonic_increasing
    wrong = pd.read_csv(report / "routed-wrongly.csv", sep=";")
    assert len(wrong)
    assert (wrong["agency"] != wrong["predicted agency"]).all()


def test_one_row_without_municipality_from_a_model_that_routes_nothing_is_reported_too(rows, tmp_path):
    careful = Classifier.load(write_classifier(tmp_path / "bundle", threshold=1.01))
    few = rows.head(1).assign(municipality=None)
    write_report(evaluate_classifier(careful, few), careful, few, tmp_path / "report")
    assert list(pd.read_csv(tmp_path / "report" / "routing-by-municipality.csv", sep=";")["municipality"]) == [
        "not given"
    ]
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "### Routed to the wrong agency\n\nNone." in text
    assert set(pd.read_csv(tmp_path / "report" / "summary.csv", sep=";")["by"]) == {"model"}


def test_run_keeps_the_whole_report_and_the_figures_of_confidence(classifier, rows, tmp_path):
    few, uri = rows.head(20), f"sqlite:///{tmp_path}/mlflow.db"
    with Tracker(uri, tmp_path / "artifacts").run("report", "report", {}) as run:
        log_report(run, evaluate_classifier(classifier, few), classifier, few)
    client = connected(uri)
    names = {item.path for item in client.list_artifacts(run.id, "report")}
    assert {"report/report.md", "report/report.html", "report/misread.csv"} <= names
    assert {f"report/reliability-{head}.png" for head in HEADS} <= names
    logged = client.get_run(run.id).data.metrics
    for head in HEADS:
        assert {f"test.{head}.{name}" for name in ("calibration_error", "area_under_risk", "brier")} <= set(logged)
    assert "test.coverage" in logged


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.5, "0.500"),
        (float("nan"), "—"),
        (None, "—"),
        ("", "—"),
        (7, "7"),
        ("a|b", "a\\|b"),
        ("две\nстроки", "две строки"),
        ("<b>", "\\<b>"),
        ("low_confidence", "low_confidence"),
        ("_так_", "\\_так\\_"),
        ("[x](http://example.org)", "[x]\\(http://example.org)"),
    ],
)
def test_whatever_a_cell_holds_stays_one_cell_and_no_markup(value, shown):
    assert cell(value) == shown


def test_html_shows_a_cell_as_it_was_written(tmp_path):
    odd = "a|b *c* <i> & [d](e) `f` _g_ \\h"
    page = as_html("# t\n\n" + markdown_table(pd.DataFrame({"text": [odd]})), tmp_path)
    assert "<td>a|b *c* &lt;i&gt; &amp; [d](e) `f` _g_ \\h</td>" in page
