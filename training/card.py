"""The model card of a bundle, generated at each training, in Russian and English."""

from pathlib import Path

import pandas as pd

from models.bundle import CARD, read_parts
from models.labels import HEADS
from training.evaluate import Evaluation

TITLES = {"sector": "отрасль / sector", "topic": "тема / topic", "agency": "ведомство / agency"}


def write_card(bundle: Path, frame: pd.DataFrame, evaluation: Evaluation, lexical: Evaluation) -> None:
    """Write `MODEL_CARD.md`: data, figures beside TF-IDF + SVM, confidence, limits."""
    (bundle / CARD).write_text(card(bundle, frame, evaluation, lexical), encoding="utf-8")


def card(bundle: Path, frame: pd.DataFrame, evaluation: Evaluation, lexical: Evaluation) -> str:
    """The text of the card."""
    parts = read_parts(bundle)
    rows = "\n".join(
        f"| {TITLES[head]} | {len(parts.labels.names[head])} "
        f"| {evaluation.heads[head].accuracy:.3f} ({lexical.heads[head].accuracy:.3f}) "
        f"| {evaluation.heads[head].macro_f1:.3f} ({lexical.heads[head].macro_f1:.3f}) "
        f"| {evaluation.heads[head].top3:.3f} ({lexical.heads[head].top3:.3f}) "
        f"| {evaluation.calibration_error[head]:.3f} |"
        for head in HEADS
    )
    precision = "—" if evaluation.routed_precision is None else f"{evaluation.routed_precision:.1%}"
    first, last = frame["created_at"].min(), frame["created_at"].max()
    tested = evaluation.heads["sector"].rows
    return f"""# Классификатор обращений / Complaint classifier

Кодировщик / encoder: `{parts.config.encoder}`. Данные / data: {len(frame)} обращений / complaints,
{first:%Y-%m-%d} … {last:%Y-%m-%d}, отпечаток / fingerprint `{parts.config.data_fingerprint}`.

## Качество / Quality

На {tested} отложенных обращениях; в скобках TF-IDF + линейный SVM на тех же строках.
On {tested} held-out complaints; in brackets TF-IDF + linear SVM on the same rows.

| | меток / labels | accuracy | macro-F1 | top-3 | ECE |
|---|---|---|---|---|---|
{rows}

## Уверенность / Confidence

Направляются без оператора обращения с уверенностью по ведомству не ниже
{parts.calibration.threshold:.3f} (обещанная точность {parts.calibration.promised_precision:.0%}):
{evaluation.coverage or 0:.1%} отложенных, из них верно {precision}. Остальные решает оператор.

Routed without an operator: complaints whose agency confidence is at least
{parts.calibration.threshold:.3f} (promised precision {parts.calibration.promised_precision:.0%}):
{evaluation.coverage or 0:.1%} of the held-out rows, {precision} of them rightly.
An operator decides the rest.

## Ограничения / Limits

- Редкие метки (меньше порога строк) выходят как «Прочее» и всегда решаются оператором.
  Rare labels come out as «Прочее» and are always an operator's.
- Читаются первые {parts.config.max_tokens} токенов; об обрезке сообщает `truncated`.
  The first {parts.config.max_tokens} tokens are read; `truncated` says when a text was cut.
- Модель предлагает исполнителя; она не решает, обоснована ли жалоба, и не заменяет проверку
  срочных сообщений об угрозе жизни.
  The model proposes who should act; it does not judge whether a complaint is justified, and must
  not be the only reader of messages about danger to life.
"""
