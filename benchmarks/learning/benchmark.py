"""How a classifier grows with its labels: which ones teach most, how a new region begins, what retraining is worth.

In: `text/petersburg.csv`, `kursk.csv`, `ryazan.csv` of the real data. Out: tables, and `results/learning.json`. Each
text is read once by the encoder as it comes; what is compared are heads on these vectors (`vector_classifier.py`), and
for a cold start what training fits without fine-tuning. A part that was measured is kept in the home and not measured
again.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from benchmarks.classifier_quality.corpus import recipe_hash
from benchmarks.frozen_vectors import frozen_vectors
from benchmarks.kept import kept
from benchmarks.learning import cold_start, label_efficiency, replay
from benchmarks.learning.report import cold_table, efficiency_table, replay_table, targets
from benchmarks.results import RESULTS, console, real_data, targets_line, write_results
from data.config import load_config
from data.settings import settings
from models.encoder.source import PACKAGED
from models.text.model_input import model_input
from training.classifier.splits import fingerprint
from training.retrain.gate_limits import GateLimits

NAME = "learning"
SUBSET = 6000
"""Complaints of Petersburg that label efficiency is measured on, drawn at random."""
COLD_SUBSET = 2000
"""Complaints of Petersburg for the cold start, drawn: as many as Kursk has."""
EFFICIENCY, COLD = ("petersburg", "kursk", "ryazan"), "kursk,ryazan"
LIBRARIES = ("numpy", "onnxruntime", "pandas", "scikit-learn", "scipy", "torch")
CODE = 3
"""Goes up when what was measured before is not what would be measured now."""
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
Parts = dict[str, Callable[[], dict[str, Any]]]


@app.command()
def main(
    parts: Annotated[str, typer.Option(help="What to measure, comma-separated.")] = "replay,labels,cold",
    seeds: Annotated[int, typer.Option(min=1, help="Draws of the rows for label efficiency.")] = 5,
    draws: Annotated[int, typer.Option(min=1, help="Draws of the rows for cold start.")] = 3,
    regions: Annotated[str, typer.Option(help="Of cold start, comma-separated.")] = COLD,
    each: Annotated[int, typer.Option(min=1, help="Replay every so-many-th complaint.")] = 1,
    encoder: Annotated[str, typer.Option(help="Whose vectors the heads read.")] = PACKAGED,
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
) -> None:
    """Measure, print tables, write the results."""
    known: dict[str, Parts] = {
        "replay": {"petersburg": partial(_replay, each, encoder)},
        "labels": {name: partial(_efficiency, name, seeds, encoder) for name in EFFICIENCY},
        "cold": {name: partial(_cold_start, name, draws, encoder) for name in regions.split(",")},
    }
    settled = {"replay": each, "labels": seeds, "cold": draws}
    measured = {part: _measured(part, known[part], settled[part], encoder) for part in parts.split(",")}
    for part, table in (("replay", replay_table), ("labels", efficiency_table), ("cold", cold_table)):
        for name, figures in measured.get(part, {}).items():
            console.print(f"{name}\n\n{table(figures)}")
    goals = targets(measured)
    data = {f"{part}, {name}": figures.pop("data") for part in measured for name, figures in measured[part].items()}
    write_results(out, data, LIBRARIES, measured, goals)
    console.print(f"results → {out}\n{targets_line(goals)}")


def _measured(part: str, of_corpora: Parts, setting: int, encoder: str) -> dict[str, dict[str, Any]]:
    """A part's figures by corpus; those that were measured before by the same recipe are read."""
    recipe = {"part": part, "setting": setting, "encoder": encoder, "code": CODE}
    work = settings().home / "benchmarks" / NAME / recipe_hash(recipe)
    return {name: kept(work / f"{part}-{name}.json", measure) for name, measure in of_corpora.items()}


def _corpus(name: str) -> pd.DataFrame:
    """Complaints with a topic; the columns that a corpus lacks are empty."""
    frame = pd.read_csv(real_data() / "text" / f"{name}.csv", dtype=str).dropna(subset=["topic"])
    frame = frame.reset_index(drop=True).astype(object)
    return frame.where(frame.notna(), None).assign(**{c: None for c in ("municipality",) if c not in frame})


def _drawn(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """So many complaints, drawn; all, where there are no more."""
    return frame.iloc[np.sort(np.random.default_rng(0).permutation(len(frame))[:rows])].reset_index(drop=True)


def _inputs(frame: pd.DataFrame) -> list[str]:
    return [model_input(text, place) for text, place in zip(frame["text"], frame["municipality"], strict=True)]


def _replay(each: int, encoder: str) -> dict[str, Any]:
    frame = replay.complaints(real_data() / "text" / "petersburg.csv", each)
    limits = load_config(settings().configs / "gate.yaml", GateLimits)
    replayed = replay.replay(frame, frozen_vectors(_inputs(frame), encoder), limits)
    return replayed.as_json() | {"each": each, "data": fingerprint(frame)}


def _efficiency(name: str, seeds: int, encoder: str) -> dict[str, Any]:
    frame = _corpus(name)
    frame = _drawn(frame, SUBSET)
    vectors = frozen_vectors(_inputs(frame), encoder)
    figures = label_efficiency.figures(vectors, frame["topic"].to_numpy(dtype=object), seeds)
    return figures | {"data": fingerprint(frame)}


def _cold_start(name: str, draws: int, encoder: str) -> dict[str, Any]:
    frame, descriptions = _corpus(name), None
    if name == "petersburg":
        frame = _drawn(frame, COLD_SUBSET)
        topics = pd.read_csv(real_data() / "text" / "petersburg_topics.csv", dtype=str)
        descriptions = dict(zip(topics["topic"], topics["description"].fillna(""), strict=True))
    region = cold_start.region(frame, partial(frozen_vectors, encoder=encoder), descriptions)
    return cold_start.figures(region, draws) | {"data": fingerprint(frame)}
