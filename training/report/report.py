"""What an engineer reads about a classifier: one folder with `report.md`, tables, plots and masked samples.

In: an `Evaluation`, the classifier and the rows it was measured on; the lexical rival's evaluation
where there is one. Out: `report.md` to read from top to bottom, `report.html` (the same, images
inside), and a CSV or PNG for everything shown. No text of a complaint is written unmasked.
"""

import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.complaints.masking import mask
from data.tables.csv_writer import write_csv
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS, RARE_ROWS
from models.classifier.routing import Classification
from training.evaluate.evaluate import Evaluation
from training.evaluate.metrics import (
    area_under_risk,
    brier,
    confused_pairs,
    confusions,
    coverage_at_precision,
    label_report,
    reliability,
    risk_coverage,
    slice_figures,
    worst_labels,
)
from training.report.markdown import as_html, markdown_table
from training.report.plots import plot_confusions, plot_reliability, plot_risk_coverage
from training.report.samples import SAMPLES, masked_sample, misread, shown
from training.tracker import TrackedRun

SHOWN = 15
"""Rows of a table in the text; the CSV beside it has all of them."""
PRECISIONS = (0.8, 0.9, 0.95, 0.99)
"""At which coverage is told, beside the promised one."""
MODEL, RIVAL = "model", "TF-IDF + SVM"


@dataclass(frozen=True)
class Measured:
    """All that the sections of the report look at."""

    evaluation: Evaluation
    lexical: Evaluation | None
    classifier: Classifier
    rows: pd.DataFrame
    folder: Path

    @cached_property
    def right(self) -> dict[str, npt.NDArray[np.floating]]:
        """1 where a head is right, 0 where it is wrong, NaN where the row has no such label; shape (n,)."""
        return {head: self.evaluation.marks(head) for head in HEADS}

    @cached_property
    def decisions(self) -> list[Classification]:
        """What the service says of each row; of rows held out in turn, what fits without them made it say."""
        if self.evaluation.decisions:
            return list(self.evaluation.decisions)
        places = self.classifier.catalogue.municipality_ids(self.rows["municipality"])
        return self.classifier.classify(self.rows["text"].tolist(), places)

    @cached_property
    def routed(self) -> npt.NDArray[np.bool_]:
        """Which rows would go out without an operator, shape (n,)."""
        return np.array([item.decision == "route" for item in self.decisions], dtype=bool)

    def names(self, head: str) -> Sequence[str]:
        """The labels of a head: those the model knows, then those only the rows have."""
        return self.evaluation.labels.names[head]

    def save(self, table: pd.DataFrame, name: str) -> pd.DataFrame:
        """Write a table beside the report and hand it back."""
        write_csv(table, self.folder / name)
        return table


def log_report(
    run: TrackedRun,
    evaluation: Evaluation,
    classifier: Classifier,
    rows: pd.DataFrame,
    lexical: Evaluation | None = None,
) -> None:
    """Log the report's files under `report/` of a run, and the figures of confidence and routing."""
    with tempfile.TemporaryDirectory() as folder:
        write_report(evaluation, classifier, rows, Path(folder), lexical)
        run.log_folder(Path(folder), "report")
    figures = {f"test.{head}.calibration_error": value for head, value in evaluation.calibration_error.items()}
    before = evaluation.uncalibrated_error.items()
    figures |= {f"test.{head}.calibration_error_uncalibrated": value for head, value in before}
    for head in HEADS:
        confidence, correct = evaluation.answers(head)
        figures[f"test.{head}.area_under_risk"] = area_under_risk(risk_coverage(confidence, correct))
        figures[f"test.{head}.brier"] = brier(confidence, correct)
    if evaluation.coverage is not None:
        figures["test.coverage"] = evaluation.coverage
    if evaluation.routed_precision is not None:
        figures["test.routed_precision"] = evaluation.routed_precision
    run.log_metrics(figures)


def write_report(
    evaluation: Evaluation,
    classifier: Classifier,
    rows: pd.DataFrame,
    folder: Path,
    lexical: Evaluation | None = None,
) -> None:
    """Write the report into `folder`; `rows` are those of the evaluation, in its order."""
    folder.mkdir(parents=True, exist_ok=True)
    measured = Measured(evaluation, lexical, classifier, rows.reset_index(drop=True), folder)
    sections = [_summary, _routing, _risk, _reliability, _labels, _samples]
    text = "\n\n".join([_head(measured), *(section(measured) for section in sections), _files(folder)]) + "\n"
    (folder / "report.md").write_text(text, encoding="utf-8")
    (folder / "report.html").write_text(as_html(text, folder), encoding="utf-8")


def _head(measured: Measured) -> str:
    parts = measured.classifier.bundle
    text = (
        f"# Complaint classifier on {len(measured.rows)} complaints\n\n"
        f"Encoder `{parts.config.encoder}`, trained on data `{parts.config.data_fingerprint}`, "
        f"catalogue of {parts.catalogue.region or 'no named region'}. "
        "Every figure is of the bundle as it is served: labels decoded jointly, confidences calibrated."
    )
    known = parts.labels.counts
    unknown = sum(int((measured.evaluation.targets[head] >= known[head]).sum()) for head in HEADS)
    if unknown:
        text += f"\n\n{unknown} labels of these rows are unknown to the model: its answers there count as wrong."
    return text


def _summary(measured: Measured) -> str:
    lines = []
    for head in HEADS:
        for name, evaluation in ((MODEL, measured.evaluation), (RIVAL, measured.lexical)):
            if evaluation is None:
                continue
            figures = evaluation.heads[head]
            line = {
                "head": head,
                "by": name,
                "labels": len(evaluation.labels.names[head]),
                "rows": figures.rows,
                "accuracy": figures.accuracy,
                "macro-F1": figures.macro_f1,
                "weighted F1": figures.weighted_f1,
                "top-3": figures.top3,
            }
            if head in evaluation.rare:
                line |= {"rare rows": evaluation.rare[head].rows, "accuracy there": evaluation.rare[head].accuracy}
            if head in evaluation.confidence:
                confidence, correct = evaluation.answers(head)
                line["ECE"] = evaluation.calibration_error.get(head)
                line["ECE uncalibrated"] = evaluation.uncalibrated_error.get(head)
                line["Brier"] = brier(confidence, correct)
                line["area under risk"] = area_under_risk(risk_coverage(confidence, correct))
            lines.append(line)
    table = measured.save(pd.DataFrame(lines), "summary.csv")
    return (
        "## Summary\n\n" + markdown_table(table) + "\n\nECE: mean distance between confidence and accuracy. "
        "Area under risk: mean error over all coverages, the surest rows first. Both: lower is better. "
        f"Rare: the label had fewer than {RARE_ROWS} training rows, as far as the model tells."
    )


def _routing(measured: Measured) -> str:
    calibration, evaluation = measured.classifier.bundle.calibration, measured.evaluation
    precision = evaluation.routed_precision
    deadlines = evaluation.routing.with_topics if evaluation.routing else ""
    text = (
        f"## Routing\n\nThreshold {calibration.threshold:.3f} on the agency's confidence, for a promised precision of "
        f"{calibration.promised_precision:.0%}. Without an operator go {evaluation.coverage or 0:.1%} of the rows"
        + ("." if precision is None else f"; the agency is right in {precision:.1%} of them{deadlines}.")
    )
    reasons = Counter(reason for item in measured.decisions for reason in item.reasons)
    cut = sum(item.truncated for item in measured.decisions)
    table = pd.DataFrame(
        {"reason for review": list(reasons), "rows": list(reasons.values())}, columns=["reason for review", "rows"]
    ).sort_values("rows", ascending=False)
    measured.save(table, "review-reasons.csv")
    text += f"\n\nWhy an operator decides (a row may have several reasons):\n\n{markdown_table(table)}"
    tokens = measured.classifier.bundle.config.max_tokens
    text += f"\n\nLong texts are read in windows of {tokens} tokens; of {cut} the end was beyond the last window."
    for keys in _slices(measured.rows):
        figures = slice_figures(keys, measured.right, measured.routed)
        measured.save(figures, f"routing-by-{str(keys.name).replace(' ', '-')}.csv")
        text += f"\n\n### By {keys.name}\n\n{markdown_table(figures.head(2 * SHOWN))}"
        if len(figures) > 2 * SHOWN:
            text += f"\n\n{len(figures) - 2 * SHOWN} smaller ones are in the CSV."
    return text


def _slices(rows: pd.DataFrame) -> list[pd.Series]:
    """What the rows are sliced by: sector, municipality, source, and tenths of text length."""
    places = {name: mask(name) for name in rows["municipality"].dropna().unique()}
    characters = rows["text"].str.len()
    tenths = pd.qcut(characters, 10, duplicates="drop")
    ends = characters.groupby(tenths, observed=True).agg(["min", "max"])
    length = tenths.cat.rename_categories({tenth: f"{low}–{high}" for tenth, low, high in ends.itertuples()})
    return [
        rows["sector"],
        pd.Series([places.get(name, "not given") for name in rows["municipality"]], name="municipality"),
        rows["source"],
        length.rename("characters"),
    ]


def _risk(measured: Measured) -> str:
    curves: dict[str, dict[str, pd.DataFrame]] = {}
    for head in HEADS:
        curves[head] = {}
        for name, evaluation in ((MODEL, measured.evaluation), (RIVAL, measured.lexical)):
            if evaluation is not None and head in evaluation.confidence:
                curves[head][name] = risk_coverage(*evaluation.answers(head))
    every = [curve.assign(head=head, by=name) for head in HEADS for name, curve in curves[head].items()]
    measured.save(pd.concat(every), "risk-coverage.csv")
    promised, evaluation = measured.classifier.bundle.calibration.promised_precision, measured.evaluation
    precision = evaluation.routed_precision
    routed = (evaluation.coverage or 0.0, precision) if precision is not None else None
    plot_risk_coverage(curves, promised, routed, measured.folder / "risk-coverage.png")
    levels = sorted({*PRECISIONS, promised})
    table = [
        {"head": head, "by": name} | {f"at {level:.0%}": coverage_at_precision(curve, level) for level in levels}
        for head in HEADS
        for name, curve in curves[head].items()
    ]
    return (
        "## Risk and coverage\n\n![risk and coverage](risk-coverage.png)\n\nThe share of rows that could be answered "
        "at a precision, were the threshold chosen on these very rows (confidence alone, no other rule for review):\n\n"
        + markdown_table(pd.DataFrame(table))
    )


def _reliability(measured: Measured) -> str:
    text = "## Reliability\n\nOf the answers given with a confidence of 70 %, 70 % should be right: on the diagonal."
    for head in HEADS:
        bins = reliability(*measured.evaluation.answers(head))
        measured.save(bins, f"reliability-{head}.csv")
        error = measured.evaluation.calibration_error[head]
        plot_reliability(bins, head, error, measured.folder / f"reliability-{head}.png")
        text += f"\n![reliability of {head}](reliability-{head}.png)"
    return text.replace("\n!", "\n\n!", 1)


def _labels(measured: Measured) -> str:
    text = "## Labels"
    for head in HEADS:
        targets, predicted = measured.evaluation.targets[head], measured.evaluation.predicted[head]
        report = measured.save(label_report(measured.names(head), targets, predicted), f"labels-{head}.csv")
        matrix = confusions(measured.names(head), targets, predicted)
        write_csv(matrix, measured.folder / f"confusion-{head}.csv", index=True)
        plot_confusions(matrix, head, measured.folder / f"confusion-{head}.png")
        pairs = measured.save(confused_pairs(matrix), f"confused-pairs-{head}.csv")
        text += (
            f"\n\n### Worst labels: {head}\n\n{markdown_table(worst_labels(report, pairs))}"
            f"\n\n### Most confused: {head}\n\n{markdown_table(pairs.head(SHOWN))}"
            f"\n\n![confusions of {head}](confusion-{head}.png)"
        )
    return text


def _samples(measured: Measured) -> str:
    """Three tables of masked complaints: what to read to understand the errors."""
    evaluation, right = measured.evaluation, measured.right["agency"]
    sure = np.argsort(-evaluation.confidence["agency"], kind="stable")
    chosen = {
        "unsure-right": [row for row in sure[::-1] if right[row] == 1],
        "routed-wrongly": [row for row in sure if measured.routed[row] and right[row] == 0],
    }
    titles = {
        "misread": "Surest errors: topic",
        "unsure-right": "Right, but least sure: agency",
        "routed-wrongly": "Routed to the wrong agency",
    }
    tables = {"misread": misread(evaluation, measured.rows)}
    for name, picked in chosen.items():
        positions = np.array(picked[:SAMPLES], dtype=np.int64)
        tables[name] = masked_sample(evaluation, measured.rows, positions, "agency")
    text = "## Complaints to read\n\nMasked, cut to their first characters; `→` what the model says where it differs."
    for name, table in tables.items():
        measured.save(table, f"{name}.csv")
        text += f"\n\n### {titles[name]}\n\n" + (markdown_table(shown(table)) if len(table) else "None.")
    return text


def _files(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir() if path.suffix in (".csv", ".png"))
    return "## Files\n\n" + "\n".join(f"- [{name}]({name})" for name in names)
