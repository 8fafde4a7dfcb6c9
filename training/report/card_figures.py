"""The sections of a model card that hold measured figures: quality, labels, confidence and limits.

In: `MeasuredFacts`. Out: Markdown in Russian and English; figures on rows that the fits they are of had not seen.
"""

from typing import get_args

import numpy as np
import pandas as pd

from models.classifier.labels import HEADS
from models.classifier.routing import Reason
from training.evaluate.metrics import (
    area_under_risk,
    brier,
    confused_pairs,
    confusions,
    coverage_at_precision,
    label_report,
    risk_coverage,
)
from training.report.card_facts import TITLES, Facts, MeasuredFacts
from training.report.card_texts import HELD_OUT, KEPT_BACK, LIMITS
from training.report.markdown import markdown_table

BEST_AND_WORST = 10
"""Labels of each end: a page a head; all of them are in the report."""
LEAST_ROWS = 5
"""Below, one row more or less moves a label's recall by over 20 points."""
PAIRS = 5
"""Of labels taken for one another: a reader reads no more of each head."""


def quality(facts: MeasuredFacts) -> str:
    """Each head's figures, beside the rival's."""
    lines = []
    for head in HEADS:
        ours, rival = facts.evaluation.heads[head], facts.lexical.heads[head]
        line: dict[str, object] = {"": TITLES[head], "меток / labels": len(facts.bundle.labels.names[head])}
        line["обращений / rows"] = ours.rows
        for name in ("accuracy", "macro_f1", "weighted_f1", "top3"):
            line[name.replace("_f1", "-F1").replace("top3", "top-3")] = (
                f"{getattr(ours, name):.3f} ({getattr(rival, name):.3f})"
            )
        lines.append(line)
    whose = (KEPT_BACK if facts.kept_back else HELD_OUT).strip().format(rows=len(facts.evaluation.targets["sector"]))
    return f"{whose}\n\n{markdown_table(pd.DataFrame(lines))}"


def best_and_worst(facts: MeasuredFacts) -> str:
    """The labels that are told best, and worst."""
    text = (
        f"Метки, у которых среди отложенных не меньше {LEAST_ROWS} обращений, от лучших к худшим; все — в "
        f"`labels-HEAD.csv` отчёта.\n\nLabels with at least {LEAST_ROWS} held-out rows, best to worst; all of them "
        "are in the report's `labels-HEAD.csv`."
    )
    columns = {"label": "метка / label", "rows": "обращений / rows"}
    for head in HEADS:
        figures = label_report(
            facts.evaluation.labels.names[head], facts.evaluation.targets[head], facts.evaluation.predicted[head]
        )
        ranked = figures[figures["rows"] >= LEAST_ROWS].sort_values("f1", ascending=False, ignore_index=True)
        if len(ranked) > 2 * BEST_AND_WORST:
            ranked = pd.concat([ranked.head(BEST_AND_WORST), ranked.tail(BEST_AND_WORST)])
        table = markdown_table(ranked.rename(columns=columns)) if len(ranked) else "—"
        text += f"\n\n### {TITLES[head].capitalize()}\n\n{table}"
    return text


def confidence(facts: MeasuredFacts) -> str:
    """What is routed, how often rightly, and how honest the confidences are."""
    calibration, evaluation = facts.bundle.calibration, facts.evaluation
    promised, precision = calibration.promised_precision, evaluation.routed_precision
    rightly = "—" if precision is None else f"{precision:.1%}"
    reasons = ", ".join(f"`{reason}`" for reason in get_args(Reason))
    lines = []
    for head in HEADS:
        confident, correct = evaluation.answers(head)
        curve = risk_coverage(confident, correct)
        line = {
            "": TITLES[head],
            "температура / temperature": calibration.temperatures[head],
            "ECE": evaluation.calibration_error[head],
            "ECE без калибровки / uncalibrated": evaluation.uncalibrated_error.get(head),
            "Brier": brier(confident, correct),
            "площадь под риском / area under risk": area_under_risk(curve),
        }
        if head in facts.lexical.confidence:
            rival = risk_coverage(*facts.lexical.answers(head))
            line["TF-IDF + SVM"] = area_under_risk(rival)
        line[f"доля при / coverage at {promised:.0%}"] = coverage_at_precision(curve, promised)
        lines.append(line)
    return (
        f"Без оператора направляются обращения с уверенностью по исполнителю не ниже {calibration.threshold:.3f} "
        f"(обещанная точность {promised:.0%}): {evaluation.coverage or 0:.1%} отложенных, из них верно {rightly}. "
        f"Остальные решает оператор; причины: {reasons}.\n\n"
        "Routed without an operator: complaints whose agency confidence is at least "
        f"{calibration.threshold:.3f} (promised precision {promised:.0%}): {evaluation.coverage or 0:.1%} of the "
        f"held-out rows, {rightly} of them rightly. An operator decides the rest; the reasons: {reasons}.\n\n"
        + markdown_table(pd.DataFrame(lines))
    )


def limits(facts: MeasuredFacts) -> str:
    """Where it fails: long texts, and what it takes for what."""
    text = in_words(facts) + _longest(facts)
    text += "\n\n### Чаще всего путает / Most confused"
    for head in HEADS:
        matrix = confusions(
            facts.evaluation.labels.names[head], facts.evaluation.targets[head], facts.evaluation.predicted[head]
        )
        pairs = confused_pairs(matrix).head(PAIRS).drop(columns="share")
        pairs.columns = pd.Index([f"{TITLES[head]}: верно / true", "ответ / predicted", "обращений / rows"])
        text += "\n\n" + (markdown_table(pairs) if len(pairs) else f"{TITLES[head]}: —")
    return text


def in_words(facts: Facts) -> str:
    """What holds of every bundle, measured or not."""
    bundle = facts.bundle
    return LIMITS.strip().format(max_tokens=bundle.config.max_tokens, min_rows=bundle.labels.min_rows)


def _longest(facts: MeasuredFacts) -> str:
    if facts.rows is None:
        return ""
    characters = facts.rows["text"].str.len().to_numpy()
    long = characters >= np.quantile(characters, 0.9)
    if long.all():
        return ""
    labelled, right = facts.evaluation.labelled("agency"), facts.evaluation.right("agency")
    if not (labelled & long).any() or not (labelled & ~long).any():
        return ""
    least = int(characters[long].min())
    tenth, others = right[long & labelled].mean(), right[~long & labelled].mean()
    return (
        f"\n\nСамая длинная десятая часть текстов (от {least} символов): исполнитель верен в {tenth:.1%} против "
        f"{others:.1%} у остальных.\n\nThe longest tenth of the texts ({least} characters and more): the agency is "
        f"right in {tenth:.1%}, against {others:.1%} elsewhere."
    )
