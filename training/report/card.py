"""The model card of a bundle, generated at each training, in Russian and English.

In: the bundle, all labelled rows, the evaluation and the lexical rival's on the test rows. Out:
`MODEL_CARD.md` with the front matter of a Hugging Face card. Labels and figures only: no complaint
is quoted.
"""

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import yaml

from models.classifier.bundle import CARD, ClassifierBundle, read_bundle
from models.classifier.labels import HEADS, OTHER
from models.classifier.routing import Reason
from models.encoder.source import PACKAGED
from training.arguments import ClassifierTraining
from training.evaluate.evaluate import Evaluation
from training.evaluate.metrics import (
    area_under_risk,
    brier,
    confused_pairs,
    confusions,
    coverage_at_precision,
    label_report,
    risk_coverage,
)
from training.report.card_texts import (
    HEADINGS,
    INTRODUCTION,
    LABELLING,
    LICENCES,
    LIMITS,
    METHOD,
    OUT_OF_SCOPE,
    PERSONAL_DATA,
    PURPOSE,
)
from training.report.markdown import cell, markdown_table

TITLES = {"sector": "группа тем / sector", "topic": "тема / topic", "agency": "исполнитель / agency"}
BEST_AND_WORST = 10
LEAST_ROWS = 5
PAIRS = 5


@dataclass(frozen=True)
class Facts:
    """All that the sections of the card tell of; `rows` are those of the evaluation, in its order."""

    bundle: ClassifierBundle
    frame: pd.DataFrame
    evaluation: Evaluation
    lexical: Evaluation
    rows: pd.DataFrame | None
    arguments: ClassifierTraining | None

    @property
    def encoder(self) -> str:
        """The encoder's name; of a local folder only the last part, for paths are nobody's business."""
        name = self.bundle.config.encoder
        return Path(name).name if Path(name).is_absolute() else name


def write_card(
    bundle: Path,
    frame: pd.DataFrame,
    evaluation: Evaluation,
    lexical: Evaluation,
    rows: pd.DataFrame | None = None,
    arguments: ClassifierTraining | None = None,
) -> None:
    """Write `MODEL_CARD.md`: what it is for and not for, data, training, figures, limits.

    With `rows` (those of the evaluation) it says how the longest texts fare; with `arguments`, the
    whole recipe.
    """
    (bundle / CARD).write_text(card(bundle, frame, evaluation, lexical, rows, arguments), encoding="utf-8")


def card(
    bundle: Path,
    frame: pd.DataFrame,
    evaluation: Evaluation,
    lexical: Evaluation,
    rows: pd.DataFrame | None = None,
    arguments: ClassifierTraining | None = None,
) -> str:
    """The text of the card."""
    facts = Facts(read_bundle(bundle), frame, evaluation, lexical, rows, arguments)
    bodies: dict[str, Callable[[Facts], str]] = {
        "purpose": lambda _: PURPOSE,
        "out_of_scope": lambda _: OUT_OF_SCOPE,
        "data": _data,
        "personal_data": lambda _: PERSONAL_DATA,
        "training": _training,
        "quality": _quality,
        "labels_quality": _best_and_worst,
        "confidence": _confidence,
        "limits": _limits,
        "labels": _labels,
        "reproduce": _reproduce,
        "licences": lambda _: LICENCES,
    }
    sections = [f"## {HEADINGS[name]}\n\n{body(facts).strip()}" for name, body in bodies.items()]
    return "\n\n".join([_front_matter(facts), INTRODUCTION.strip(), *sections]) + "\n"


def _front_matter(facts: Facts) -> str:
    """What the Hugging Face hub and other tools read: https://huggingface.co/docs/hub/model-cards."""
    results = [
        {
            "task": {"type": "text-classification", "name": head},
            "dataset": {"type": "private", "name": f"complaints {facts.bundle.config.data_fingerprint}"},
            "metrics": [
                {"type": "accuracy", "value": round(figures.accuracy, 4)},
                {"type": "f1", "name": "macro-F1", "value": round(figures.macro_f1, 4)},
                {"type": "accuracy", "name": "top-3 accuracy", "value": round(figures.top3, 4)},
            ],
        }
        for head, figures in facts.evaluation.heads.items()
    ]
    packaged = facts.bundle.config.encoder == PACKAGED
    content = {
        "language": ["ru"],
        "license": "other",
        "license_name": "decided-by-the-owner-of-the-training-data",
        "library_name": "onnx",
        "pipeline_tag": "text-classification",
        "base_model": "intfloat/multilingual-e5-small" if packaged else facts.encoder,
        "tags": ["complaints", "routing", "government", "russian"],
        "metrics": ["accuracy", "f1"],
        "model-index": [{"name": "complaint-classifier", "results": results}],
    }
    return f"---\n{yaml.safe_dump(content, allow_unicode=True, sort_keys=False)}---"


def _data(facts: Facts) -> str:
    frame, catalogue = facts.frame, facts.bundle.catalogue
    dates = frame["created_at"]
    placed = frame["municipality"].notna().mean()
    sources = ", ".join(f"{cell(name)} ({rows})" for name, rows in frame["source"].value_counts().items())
    told = {
        "обращений с метками / labelled complaints": len(frame),
        "из них отложено для проверки / of them held out": len(facts.evaluation.targets["sector"]),
        "период / period": f"{dates.min():%Y-%m-%d} … {dates.max():%Y-%m-%d}",
        "источники / sources": sources,
        "с муниципалитетом / with a municipality": f"{placed:.0%}",
        "символов в обращении, медиана / characters, median": int(frame["text"].str.len().median()),
        "рубрикатор региона / catalogue of the region": catalogue.region
        or "составлен по данным / drafted from the data",
        "муниципалитетов / municipalities": len(catalogue.municipalities),
        "отпечаток / fingerprint": f"{facts.bundle.config.data_fingerprint}",
    }
    table = pd.DataFrame({"": list(told), "значение / value": [str(value) for value in told.values()]})
    return f"{markdown_table(table)}\n\n{LABELLING.strip()}"


def _training(facts: Facts) -> str:
    config = facts.bundle.config.model_dump(exclude={"agreement"}) | {"encoder": facts.encoder}
    config |= {f"agreement.{head}": f"{share:.3f}" for head, share in facts.bundle.config.agreement.items()}
    recipe = config if facts.arguments is None else facts.arguments.model_dump(mode="json") | config
    table = pd.DataFrame({"параметр / argument": list(recipe), "значение / value": [str(v) for v in recipe.values()]})
    return f"{METHOD.strip()}\n\n{markdown_table(table)}"


def _quality(facts: Facts) -> str:
    lines = []
    for head in HEADS:
        ours, rival = facts.evaluation.heads[head], facts.lexical.heads[head]
        line: dict[str, object] = {"": TITLES[head], "меток / labels": len(facts.bundle.labels.names[head])}
        for name in ("accuracy", "macro_f1", "weighted_f1", "top3"):
            line[name.replace("_f1", "-F1").replace("top3", "top-3")] = (
                f"{getattr(ours, name):.3f} ({getattr(rival, name):.3f})"
            )
        lines.append(line)
    rows = facts.evaluation.heads["sector"].rows
    return (
        f"На {rows} отложенных обращениях; в скобках TF-IDF + линейный SVM на тех же строках.\n\n"
        f"On {rows} held-out complaints; in brackets TF-IDF + linear SVM on the same rows.\n\n"
        + markdown_table(pd.DataFrame(lines))
    )


def _best_and_worst(facts: Facts) -> str:
    text = (
        f"Метки, у которых среди отложенных не меньше {LEAST_ROWS} обращений, от лучших к худшим; все — в "
        f"`labels-HEAD.csv` отчёта.\n\nLabels with at least {LEAST_ROWS} held-out rows, best to worst; all of them "
        "are in the report's `labels-HEAD.csv`."
    )
    columns = {"label": "метка / label", "rows": "обращений / rows"}
    for head in HEADS:
        figures = label_report(
            facts.bundle.labels.names[head], facts.evaluation.targets[head], facts.evaluation.predicted[head]
        )
        ranked = figures[figures["rows"] >= LEAST_ROWS].sort_values("f1", ascending=False, ignore_index=True)
        if len(ranked) > 2 * BEST_AND_WORST:
            ranked = pd.concat([ranked.head(BEST_AND_WORST), ranked.tail(BEST_AND_WORST)])
        table = markdown_table(ranked.rename(columns=columns)) if len(ranked) else "—"
        text += f"\n\n### {TITLES[head].capitalize()}\n\n{table}"
    return text


def _confidence(facts: Facts) -> str:
    calibration, evaluation = facts.bundle.calibration, facts.evaluation
    promised, precision = calibration.promised_precision, evaluation.routed_precision
    rightly = "—" if precision is None else f"{precision:.1%}"
    reasons = ", ".join(f"`{reason}`" for reason in get_args(Reason))
    lines = []
    for head in HEADS:
        correct = evaluation.predicted[head] == evaluation.targets[head]
        curve = risk_coverage(evaluation.confidence[head], correct)
        line = {
            "": TITLES[head],
            "температура / temperature": calibration.temperatures[head],
            "ECE": evaluation.calibration_error[head],
            "ECE без калибровки / uncalibrated": evaluation.uncalibrated_error.get(head),
            "Brier": brier(evaluation.confidence[head], correct),
            "площадь под риском / area under risk": area_under_risk(curve),
        }
        if head in facts.lexical.confidence:
            guessed = facts.lexical.predicted[head] == facts.lexical.targets[head]
            rival = risk_coverage(facts.lexical.confidence[head], guessed)
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


def _limits(facts: Facts) -> str:
    text = LIMITS.strip().format(max_tokens=facts.bundle.config.max_tokens)
    text += _longest(facts)
    text += "\n\n### Чаще всего путает / Most confused"
    for head in HEADS:
        matrix = confusions(
            facts.bundle.labels.names[head], facts.evaluation.targets[head], facts.evaluation.predicted[head]
        )
        pairs = confused_pairs(matrix).head(PAIRS).drop(columns="share")
        pairs.columns = pd.Index([f"{TITLES[head]}: верно / true", "ответ / predicted", "обращений / rows"])
        text += "\n\n" + (markdown_table(pairs) if len(pairs) else f"{TITLES[head]}: —")
    return text


def _longest(facts: Facts) -> str:
    if facts.rows is None:
        return ""
    characters = facts.rows["text"].str.len().to_numpy()
    long = characters >= np.quantile(characters, 0.9)
    if long.all():
        return ""
    right = facts.evaluation.predicted["agency"] == facts.evaluation.targets["agency"]
    least, tenth, others = int(characters[long].min()), right[long].mean(), right[~long].mean()
    return (
        f"\n\nСамая длинная десятая часть текстов (от {least} символов): исполнитель верен в {tenth:.1%} против "
        f"{others:.1%} у остальных.\n\nThe longest tenth of the texts ({least} characters and more): the agency is "
        f"right in {tenth:.1%}, against {others:.1%} elsewhere."
    )


def _labels(facts: Facts) -> str:
    """Every label that can come out, with its rows; and those too rare to come out."""
    text = f"В скобках — размеченных обращений. In brackets: labelled complaints. «{OTHER}»: rare ones together."
    for head in HEADS:
        rows = facts.frame[head].value_counts()
        known = [name for name in facts.bundle.labels.names[head] if name != OTHER]
        rare = rows[~rows.index.isin(known)]
        listed = "; ".join(f"{cell(name)} ({rows.get(name, 0)})" for name in known)
        text += f"\n\n### {TITLES[head].capitalize()}: {len(known)}\n\n{listed}."
        if len(rare):
            names = "; ".join(f"{cell(name)} ({count})" for name, count in rare.items())
            text += (
                f"\n\nСлишком редкие, чтобы выучить, выходят как «{OTHER}» / too rare to learn, come out as «{OTHER}» "
                f"({len(rare)}): {names}."
            )
    return text


def _reproduce(facts: Facts) -> str:
    config = facts.bundle.config
    settled: dict[str, object] = {
        "encoder": facts.encoder, "text_prefix": config.text_prefix, "max_tokens": config.max_tokens,
    }  # fmt: skip
    if facts.arguments is not None:
        default = ClassifierTraining().model_dump(mode="json")
        chosen = facts.arguments.model_dump(mode="json") | {"encoder": facts.encoder}
        settled = {name: value for name, value in chosen.items() if value != default[name]}
    sets = [shlex.quote(f"{name}={json.dumps(value, ensure_ascii=False)}") for name, value in settled.items()]
    said = "".join(f" \\\n  --set {one}" for one in sets)
    catalogue = "--catalogue catalogue.yaml" if facts.bundle.catalogue.region else "--no-catalogue"
    return (
        f"```sh\ntsur train classifier complaints.jsonl {catalogue}{said}\n"
        "tsur evaluate complaints.jsonl --report report\n```\n\n"
        f"Те же данные имеют отпечаток / the same data have the fingerprint `{config.data_fingerprint}`. "
        "Рубрикатор лежит рядом / the catalogue is beside this card: `catalogue.yaml`."
    )
