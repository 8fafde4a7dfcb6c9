"""The model card of a bundle, generated at each training, in Russian and English.

In: the bundle, all labelled rows, the evaluation and the lexical rival's on the same rows. Out:
`MODEL_CARD.md` with the front matter of a Hugging Face card. Labels and figures only: no complaint
is quoted.
"""

import json
import shlex
from pathlib import Path

import pandas as pd
import yaml

from models.classifier.bundle import CARD, read_bundle
from models.classifier.labels import HEADS, OTHER
from models.encoder.source import PACKAGED
from training.arguments import ClassifierTraining
from training.classifier.splits import MIN_ROWS
from training.evaluate.evaluate import Evaluation
from training.report.card_facts import TITLES, Facts, MeasuredFacts
from training.report.card_figures import best_and_worst, confidence, in_words, limits, quality
from training.report.card_texts import (
    HEADINGS,
    INTRODUCTION,
    LABELLING,
    LICENCES,
    METHOD,
    NOT_MEASURED,
    OUT_OF_SCOPE,
    PERSONAL_DATA,
    PURPOSE,
)
from training.report.markdown import cell, markdown_table

RARE_MARK = "°"
"""Behind a rare label; an asterisk would be Markdown."""


def write_card(
    bundle: Path,
    frame: pd.DataFrame,
    evaluation: Evaluation,
    lexical: Evaluation,
    rows: pd.DataFrame | None = None,
    arguments: ClassifierTraining | None = None,
    kept_back: bool = False,
) -> None:
    """Write `MODEL_CARD.md`: what it is for and not for, data, training, figures, limits.

    With `rows` (those of the evaluation) it says how the longest texts fare; with `arguments`, the
    whole recipe. `kept_back`: the bundle itself was measured, on rows that no fit saw; else fits without the rows were.
    """
    facts = MeasuredFacts(
        bundle=read_bundle(bundle),
        frame=frame,
        arguments=arguments,
        evaluation=evaluation,
        lexical=lexical,
        rows=rows,
        kept_back=kept_back,
    )
    (bundle / CARD).write_text(card(facts), encoding="utf-8")


def write_first_card(bundle: Path, frame: pd.DataFrame, arguments: ClassifierTraining) -> None:
    """Write the `MODEL_CARD.md` of a region that begins: without figures, for nothing could be measured."""
    facts = Facts(bundle=read_bundle(bundle), frame=frame, arguments=arguments)
    (bundle / CARD).write_text(card(facts), encoding="utf-8")


def card(facts: Facts) -> str:
    """The text of the card."""
    if isinstance(facts, MeasuredFacts):
        figures = {
            "quality": quality(facts),
            "labels_quality": best_and_worst(facts),
            "confidence": confidence(facts),
            "limits": limits(facts),
        }
    else:
        figures = {"quality": NOT_MEASURED.format(least=MIN_ROWS), "limits": in_words(facts)}
    bodies = {
        "purpose": PURPOSE,
        "out_of_scope": OUT_OF_SCOPE,
        "data": _data(facts),
        "personal_data": PERSONAL_DATA,
        "training": _training(facts),
        **figures,
        "labels": _labels(facts),
        "reproduce": _reproduce(facts),
        "licences": LICENCES,
    }
    sections = [f"## {HEADINGS[name]}\n\n{body.strip()}" for name, body in bodies.items()]
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
        for head, figures in (facts.evaluation.heads.items() if isinstance(facts, MeasuredFacts) else ())
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
    judging = {}
    if isinstance(facts, MeasuredFacts):
        how = "из них отложено / of them kept back" if facts.kept_back else "отложено по очереди / held out in turn"
        judging = {how: len(facts.evaluation.targets["sector"])}
    entries: dict[str, object] = {
        "обращений с метками / labelled complaints": len(frame),
        **judging,
        **(_of_complaints(frame) if len(frame) else {}),
        "рубрикатор региона / catalogue of the region": catalogue.region
        or "составлен по данным / drafted from the data",
        "муниципалитетов / municipalities": len(catalogue.municipalities),
        "отпечаток / fingerprint": f"{facts.bundle.config.data_fingerprint}",
    }
    table = pd.DataFrame({"": list(entries), "значение / value": [str(value) for value in entries.values()]})
    return f"{markdown_table(table)}\n\n{LABELLING.strip()}"


def _of_complaints(frame: pd.DataFrame) -> dict[str, object]:
    dates, sources = frame["created_at"], frame["source"].value_counts()
    return {
        "период / period": f"{dates.min():%Y-%m-%d} … {dates.max():%Y-%m-%d}",
        "источники / sources": ", ".join(f"{cell(name)} ({rows})" for name, rows in sources.items()),
        "с муниципалитетом / with a municipality": f"{frame['municipality'].notna().mean():.0%}",
        "символов в обращении, медиана / characters, median": int(frame["text"].str.len().median()),
    }


def _training(facts: Facts) -> str:
    config = facts.bundle.config.model_dump(exclude={"agreement"}, exclude_none=True) | {"encoder": facts.encoder}
    config |= {f"agreement.{head}": f"{share:.3f}" for head, share in facts.bundle.config.agreement.items()}
    recipe = config if facts.arguments is None else facts.arguments.model_dump(mode="json") | config
    table = pd.DataFrame({"параметр / argument": list(recipe), "значение / value": [str(v) for v in recipe.values()]})
    return f"{METHOD.strip()}\n\n{markdown_table(table)}"


def _labels(facts: Facts) -> str:
    """Every label that can come out, with its rows and a mark if it is rare; and those of the rows that cannot."""
    space = facts.bundle.labels
    text = (
        f"В скобках — размеченных обращений; {RARE_MARK} — обучали меньше {space.min_rows}: предлагается, решает "
        "всегда оператор.\n\n"
        f"In brackets: labelled complaints; {RARE_MARK}: fewer than {space.min_rows} taught it, so it is proposed and "
        "always an operator's."
    )
    for head in HEADS:
        rows = facts.frame[head].value_counts()
        learned = [name for name in space.names[head] if name != OTHER]
        marks = {name: RARE_MARK if name in space.rare[head] else "" for name in learned}
        listed = "; ".join(f"{cell(name)} ({rows.get(name, 0)}){marks[name]}" for name in learned)
        text += f"\n\n### {TITLES[head].capitalize()}: {len(learned)}\n\n{listed}."
        unknown = rows[~rows.index.isin(learned)]
        if len(unknown):
            names = "; ".join(f"{cell(name)} ({count})" for name, count in unknown.items())
            text += f"\n\nМодель их не знает / not known to the model ({len(unknown)}): {names}."
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
    kept_back = isinstance(facts, MeasuredFacts) and facts.kept_back
    catalogue = "--catalogue catalogue.yaml" if facts.bundle.catalogue.region else "--no-catalogue"
    return (
        f"```sh\ntsur train classifier complaints.jsonl {catalogue}{said}\n"
        f"tsur evaluate {'complaints' if kept_back else 'new'}.jsonl --report report\n```\n\n"
        f"Те же данные имеют отпечаток / the same data have the fingerprint `{config.data_fingerprint}`. "
        "Рубрикатор лежит рядом / the catalogue is beside this card: `catalogue.yaml`."
    )
