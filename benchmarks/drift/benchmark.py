"""Does `tsur drift` keep silent where nothing has changed, and speak where something has?

In: `text/kursk.csv`, `perm_unlabelled.csv`, `petersburg.csv` of the real data. Out: a table, and `results/drift.json`.
The champion is a head on the encoder's vectors (`benchmarks/vector_classifier.py`), the report is the product's. Halves
of Kursk, drawn again and again, are the same complaints: an alarm is false. Messages from Perm's social networks are
others. Petersburg, a week at a time after the champion was taught, says how near the accuracy that is estimated without
labels is to the true one.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from benchmarks.frozen_vectors import frozen_vectors
from benchmarks.learning.replay import BEGIN, complaints, known_on
from benchmarks.results import RESULTS, Target, console, markdown_table, real_data, targets_line, write_results
from benchmarks.vector_classifier import Floats, VectorClassifier, fit_on_vectors
from data.complaints.schema import LABELS
from models.classifier.out_of_vocabulary import OutOfVocabulary, fit_out_of_vocabulary, known_beginnings
from models.encoder.source import PACKAGED
from models.text.model_input import model_input
from training.classifier.splits import fingerprint
from training.retrain.complaint_drift import Readings, drift

NAME = "drift"
TAUGHT, HELD_OUT = 0.35, 0.15
"""Shares of Kursk that teach the champion, and that it holds out; halves are drawn of the others."""
PERM = 250
"""Messages from Perm in each draw."""
MOST_FALSE, NEAR = 0.05, 0.03
LIBRARIES = ("numpy", "onnxruntime", "pandas", "scikit-learn", "scipy", "torch")
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    splits: Annotated[int, typer.Option(min=1, help="Draws of halves, and of messages from Perm.")] = 100,
    each: Annotated[int, typer.Option(min=1, help="Every so-many-th complaint of Petersburg.")] = 1,
    encoder: Annotated[str, typer.Option(help="Whose vectors the heads read.")] = PACKAGED,
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
) -> None:
    """Count alarms, compare accuracies, print tables, write the results."""
    folder = real_data() / "text"
    kursk, perm = (pd.read_csv(folder / f"{name}.csv", dtype=str) for name in ("kursk", "perm_unlabelled"))
    kursk = kursk.assign(municipality=None)
    counted = alarms(kursk, perm["text"].dropna().tolist(), splits, encoder)
    console.print(alarms_table(counted))
    petersburg = complaints(folder / "petersburg.csv", each)
    weeks = accuracies(petersburg, encoder)
    console.print(weeks_table(weeks))
    goals = targets(counted, splits, weeks)
    data = {"kursk": fingerprint(kursk), "petersburg": fingerprint(petersburg)}
    write_results(out, data, LIBRARIES, {"splits": splits, "alarms": counted, "weeks": weeks}, goals)
    console.print(f"results → {out}\n{targets_line(goals)}")


def alarms(kursk: pd.DataFrame, perm: list[str], splits: int, encoder: str) -> dict[str, int]:
    """Of so many reports each, how many alarm, by what is held against what."""
    vectors = frozen_vectors([model_input(text, None) for text in [*kursk["text"], *perm]], encoder)
    order = np.random.default_rng(0).permutation(len(kursk))
    taught, held_out, rest = np.split(order, np.cumsum([round(TAUGHT * len(order)), round(HELD_OUT * len(order))]))
    read = _reader(kursk.iloc[taught].reset_index(drop=True), vectors[taught])
    texts = kursk["text"].to_numpy(dtype=object)
    all_taught, all_held_out, all_rest = (
        read(vectors[rows], texts[rows].tolist()) for rows in (taught, held_out, rest)
    )
    of_perm = read(vectors[len(kursk) :], perm)
    counted = dict.fromkeys(("halves", "held out", "taught", "perm"), 0)
    for split in range(splits):
        rng = np.random.default_rng(split)
        one, other = np.split(rng.permutation(len(rest)), [len(rest) // 2])
        now = all_rest.part(other)
        counted["halves"] += drift(all_rest.part(one), now).alarm
        counted["held out"] += drift(all_held_out, now).alarm
        counted["taught"] += drift(all_taught, now).alarm
        counted["perm"] += drift(now, of_perm.part(rng.permutation(len(perm))[:PERM])).alarm
    return counted


def _reader(frame: pd.DataFrame, vectors: Floats) -> "Reader":
    """A champion of rows, and the words that they know."""
    texts, cut = frame["text"].tolist(), len(frame) * 4 // 5
    words = fit_out_of_vocabulary(texts[:cut], texts[cut:]).model_copy(update={"beginnings": known_beginnings(texts)})
    return Reader(fit_on_vectors(frame, vectors), words)


class Reader:
    """A champion and its words: makes of complaints what `tsur drift` looks at."""

    def __init__(self, classifier: VectorClassifier, words: OutOfVocabulary) -> None:
        self.classifier, self._words = classifier, words

    def __call__(self, vectors: Floats, texts: Sequence[str]) -> Readings:
        """The readings of n texts and their vectors, shape (n, hidden)."""
        said = self.classifier.answers(vectors)
        return Readings(
            self.classifier.heads.features(vectors),
            dict(said.confidence),
            dict(said.predicted),
            np.array([len(text) for text in texts], dtype=np.float64),
            self._words.scores(texts),
        )


def accuracies(frame: pd.DataFrame, encoder: str) -> list[dict[str, Any]]:
    """Of each week after the champion was taught, and of each head: the estimated accuracy and the true one."""
    places = zip(frame["text"], frame["municipality"], strict=True)
    vectors = frozen_vectors([model_input(text, place) for text, place in places], encoder)
    then = known_on(frame, BEGIN)
    champion = fit_on_vectors(then, vectors[then["place"]])
    weeks = []
    for first in pd.date_range(BEGIN, frame["created_at"].max() - pd.Timedelta(days=7), freq="7D"):
        rows = frame[(frame["created_at"] >= first) & (frame["created_at"] < first + pd.Timedelta(days=7))]
        said = champion.answers(vectors[rows["place"]])
        for head in LABELS:
            known = rows[head].notna().to_numpy()
            right = said.predicted[head][known] == rows[head].to_numpy(dtype=object)[known]
            estimated, true = float(said.confidence[head][known].mean()), float(right.mean())
            weeks.append(
                {
                    "week": f"{first:%Y-%m-%d}",
                    "head": head,
                    "rows": int(known.sum()),
                    "estimated": estimated,
                    "true": true,
                }
            )
    return weeks


def targets(counted: dict[str, int], splits: int, weeks: list[dict[str, Any]]) -> list[Target]:
    """At most five of a hundred alarms are false, every true one is given, the estimate is near."""
    return [
        Target.at_most("false alarms, halves of Kursk", counted["halves"], MOST_FALSE * splits),
        Target.at_least("alarms, Perm against Kursk", counted["perm"], splits),
        *(
            Target.at_most(f"{head}: estimated less true accuracy, mean of weeks", gap, NEAR)
            for head, gap in gaps(weeks).items()
        ),
    ]


def gaps(weeks: list[dict[str, Any]]) -> dict[str, float]:
    """Of each head, how far the estimate is from the truth, in the mean of the weeks."""
    return {
        head: float(np.mean([abs(each["estimated"] - each["true"]) for each in weeks if each["head"] == head]))
        for head in LABELS
    }


def alarms_table(counted: dict[str, int]) -> str:
    """How many reports alarm."""
    titles = {
        "halves": "a half of Kursk against the other, the champion taught others",
        "held out": "rows that the champion held out against others",
        "taught": "rows that the champion was taught against others",
        "perm": "a half of Kursk against Perm",
    }
    return markdown_table(
        ["then against now", "alarms"], [[titles[name], str(count)] for name, count in counted.items()]
    )


def weeks_table(weeks: list[dict[str, Any]]) -> str:
    """A line a week."""
    frame = pd.DataFrame(weeks).pivot(index="week", columns="head", values=["estimated", "true"])
    lines = [
        [str(week), *(f"{row['estimated', head]:.3f} / {row['true', head]:.3f}" for head in LABELS)]
        for week, row in frame.iterrows()
    ]
    far = ["mean distance", *(f"{gap:.3f}" for gap in gaps(weeks).values())]
    return markdown_table(["week from", *(f"{head}, estimated / true" for head in LABELS)], [*lines, far])
