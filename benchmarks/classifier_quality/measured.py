"""Figures of every contender on a corpus: all test rows of its folds together, every row and every label counted.

In: folds and the answers that are kept. Out: what stands in the JSON under `corpora`: of the corpus its data, rows and
labels; of each contender its figures by head, the difference to the head's rival paired by row, and what it routes.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.classifier_quality import figures as quality
from benchmarks.classifier_quality.answers import Answers, answers_path, kept_answers, pooled
from benchmarks.classifier_quality.contenders import RIVAL, Contender
from benchmarks.classifier_quality.corpus import Bools, Fold, recipe_hash
from benchmarks.results import resample_weights
from models.classifier.labels import HEADS
from training.evaluate.metrics import expected_calibration_error, slice_figures

RESAMPLES = 2000
PROMISE = 0.95
"""Whose coverage is shown by sector: what the command promises by default."""
Estimates = dict[str, dict[str, quality.Estimate]]


class Judged:
    """The test rows of some folds: true labels, and which of them are rare.

    Attributes:
        rows: positions in the corpus, shape (n,).
        targets: of each head, true labels, -100 where there is none.
        rare: of each head, whose label has fewer than five training rows.
        weights: bootstrap weights, shape (resamples, n).
    """

    def __init__(self, folds: Sequence[Fold], resamples: int = RESAMPLES) -> None:
        self.corpus = folds[0].corpus
        self.rows = np.concatenate([fold.test for fold in folds])
        self.targets = {head: self.corpus.targets[head][self.rows] for head in HEADS}
        self.rare = {head: np.concatenate([fold.rare(head) for fold in folds]) for head in HEADS}
        self.weights = resample_weights(len(self.rows), resamples)

    def labelled(self, head: str) -> Bools:
        """Which rows have the head's label."""
        labelled: Bools = self.targets[head] >= 0
        return labelled

    def right(self, answers: Answers, head: str) -> Bools:
        """Which rows were answered rightly; one without a label was not."""
        right: Bools = answers.given[head] == self.targets[head]
        return right


def corpus_figures(folds: Sequence[Fold], contenders: Mapping[str, Contender]) -> dict[str, Any]:
    """Figures of every contender whose answers to all these folds are kept."""
    judged, corpus = Judged(folds), folds[0].corpus
    said = {}
    for name, contender in contenders.items():
        kept = [kept_answers(answers_path(name, contender.recipe, fold), fold) for fold in folds]
        if corpus.name in contender.corpora and all(answers is not None for answers in kept):
            said[name] = pooled([answers for answers in kept if answers is not None])
    estimates = {name: _estimates(judged, answers) for name, answers in said.items()}
    return {
        "data": corpus.fingerprint,
        "rows": len(corpus.frame),
        "judged": len(judged.rows),
        "heads": {head: _head(judged, head) for head in HEADS},
        "contenders": {
            name: {
                "title": contenders[name].title,
                "recipe": recipe_hash(contenders[name].recipe),
                "commit": answers.commit,
                "seconds": answers.seconds,
                "heads": {head: _head_figures(judged, answers, head, name, estimates) for head in HEADS},
                "routing": _routing(judged, answers),
                "by_sector": _by_sector(judged, answers),
            }
            for name, answers in said.items()
        },
    }


def _head(judged: Judged, head: str) -> dict[str, int]:
    return {
        "labels": len(judged.corpus.labels.names[head]),
        "rows": int(judged.labelled(head).sum()),
        "rare_rows": int(judged.rare[head].sum()),
    }


def _estimates(judged: Judged, answers: Answers) -> Estimates:
    out = {}
    for head in HEADS:
        labelled = judged.labelled(head)
        out[head] = quality.estimates(
            judged.targets[head][labelled],
            answers.given[head][labelled],
            answers.likeliest[head][labelled],
            len(judged.corpus.labels.names[head]),
            judged.weights[:, labelled],
        )
    return out


def _head_figures(
    judged: Judged, answers: Answers, head: str, name: str, estimates: Mapping[str, Estimates]
) -> dict[str, Any]:
    ours, labelled, right = estimates[name][head], judged.labelled(head), judged.right(answers, head)
    figures: dict[str, Any] = {key: estimate.as_dict() for key, estimate in ours.items()}
    figures["rare"] = as_dict(quality.share(judged.rare[head], right, judged.weights))
    if head in answers.confidence:
        figures["ece"] = expected_calibration_error(answers.confidence[head][labelled], right[labelled])
    rival = RIVAL[judged.corpus.name][head]
    if rival in estimates and name != rival:
        figures["difference"] = {"rival": rival} | {
            key: quality.difference(ours[key], estimates[rival][head][key]).as_dict() for key in quality.FIGURES
        }
    return figures


def _routing(judged: Judged, answers: Answers) -> dict[str, Any]:
    """Promise → coverage and precision."""
    right = {head: judged.right(answers, head) for head in HEADS}
    labelled = {head: judged.labelled(head) for head in HEADS}
    out = {}
    for promise, routed in sorted(answers.routed.items()):
        measured = quality.routed_estimates(routed, answers.sure["topic"], right, labelled, judged.weights)
        out[f"{promise:g}"] = {key: as_dict(estimate) for key, estimate in measured.items()}
    return out


def _by_sector(judged: Judged, answers: Answers) -> list[dict[str, Any]]:
    """Rows, coverage and precision of each true sector at the usual promise; nothing where nothing is promised."""
    if PROMISE not in answers.routed:
        return []
    names = judged.corpus.frame["sector"].iloc[judged.rows]
    right = np.where(judged.labelled("agency"), judged.right(answers, "agency"), np.nan)
    figures = slice_figures(names, {"agency": right}, answers.routed[PROMISE])
    return [
        {"sector": sector, "rows": rows, "coverage": covered, "agency": None if pd.isna(precision) else precision}
        for sector, rows, covered, precision in figures[["sector", "rows", "coverage", "routed precision"]].itertuples(
            index=False
        )
    ]


def with_earlier(
    measured: dict[str, Any], path: Path, protocol: Mapping[str, Any], contenders: Mapping[str, Contender]
) -> dict[str, Any]:
    """What was measured now, and of an earlier JSON what was not: other corpora, and contenders of the same recipe.

    Figures of another protocol or of other rows are not taken; each contender says at which commit it was computed.
    """
    earlier: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if earlier.get("protocol") != dict(protocol):
        return measured
    every = dict(measured)
    for corpus, figures in earlier["corpora"].items():
        now = every.setdefault(corpus, figures | {"contenders": {}})
        if now["data"] != figures["data"]:
            continue
        for name, block in figures["contenders"].items():
            if name in contenders and block["recipe"] == recipe_hash(contenders[name].recipe):
                now["contenders"].setdefault(name, block)
        now["contenders"] = {name: now["contenders"][name] for name in contenders if name in now["contenders"]}
    return every


def as_dict(estimate: quality.Estimate | None) -> dict[str, float] | None:
    """For the JSON."""
    return None if estimate is None else estimate.as_dict()
