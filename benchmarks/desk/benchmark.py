"""What the operator's desk saves: keys for 50 complaints, beside a desk without proposals; and how quick its queue is.

In: the champion (`tsur train classifier --set holdout=0.2`), and those of the sample's complaints that it has not
learnt from and gives to an operator. Out: a table, and `results/desk.json`.
"""

import tempfile
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.desk.desks import Case, work_through
from benchmarks.desk.operator import Effort
from benchmarks.desk.queue_speed import measure
from benchmarks.results import RESULTS, Target, console, machine, markdown_table, targets_line, write_results
from data.catalogue.model import Triple
from data.errors import InputError
from data.regions.region import load_region
from models.classifier.classifier import Classifier
from models.classifier.labels import HEADS
from models.classifier.segments import classify_with_proposals, with_several
from registry.client import open_registry
from registry.names import classifier_name
from training.classifier.splits import fingerprint
from training.evaluate.evaluate import seen_by
from tsur.samples import sample_complaints

NAME = "desk"
MOST_KEYS = 0.4
"""Of those of a desk without proposals."""
MOST_MS = 300.0
LIBRARIES = ("playwright", "sqlalchemy", "onnxruntime")
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    complaints: Annotated[int, typer.Option(help="Complaints to decide")] = 50,
    stored: Annotated[int, typer.Option(help="Complaints in the store whose queue is timed")] = 100_000,
    seed: Annotated[int, typer.Option(help="Draws the complaints")] = 0,
    results: Annotated[Path, typer.Option(help="Where the figures go")] = RESULTS / f"{NAME}.json",
) -> None:
    """Count keys and choices at both desks, and time the queue."""
    cases, note = waiting_cases(complaints, seed)
    console.print(note)
    with tempfile.TemporaryDirectory() as folder:
        desks = {}
        for name, proposals in (("desk", True), ("without proposals", False)):
            (Path(folder) / name).mkdir()
            desks[name] = work_through(cases, Path(folder) / name, proposals)
        speed = measure(Path(folder), stored)
    efforts = {name: figures(efforts, right) for name, (efforts, right) in desks.items()}
    goals = targets(efforts, speed)
    console.print(table(efforts, speed))
    console.print(targets_line(goals))
    data = {"sample": fingerprint(sample_complaints())}
    write_results(results, data, LIBRARIES, {"note": note, "keys": efforts, "queue": speed}, goals)


def waiting_cases(count: int, seed: int) -> tuple[list[Case], str]:
    """Complaints that the champion has not learnt from and gives to an operator, and a sentence on them.

    Raises:
        InputError: there are fewer.
    """
    region = load_region().id
    registry, name = open_registry(region), classifier_name(region)
    folder, version = registry.champion_bundle(name)
    model = Classifier.load(folder)
    rows = sample_complaints()
    rows = rows[~seen_by(rows, registry, name, version) & rows[list(HEADS)].notna().all(axis=1)].reset_index(drop=True)
    texts = rows["text"].tolist()
    wholes, problems = classify_with_proposals(model, texts, model.catalogue.municipality_ids(rows["municipality"]))
    review = [with_several(*both).decision == "review" for both in zip(wholes, problems, strict=True)]
    waiting = rows[review].reset_index(drop=True)
    if len(waiting) < count:
        raise InputError(
            f"only {len(waiting)} complaints of the sample are new to the champion and for an operator: train it with "
            f"--set holdout=0.2, or ask for fewer with --complaints"
        )
    places = waiting["municipality"].fillna("").astype(str).tolist()
    labels = [Triple(*map(str, each)) for each in waiting[list(HEADS)].to_numpy()]
    every = list(map(Case, waiting["text"].astype(str), places, labels))
    cases = [every[place] for place in np.random.default_rng(seed).choice(len(every), count, replace=False)]
    note = (
        f"version {version}: {len(every)} of {len(rows)} new complaints are for an operator; here {count}, seed {seed}"
    )
    return cases, note


def figures(efforts: list[Effort], right: int) -> dict[str, Any]:
    """What an operator's complaints took together."""
    proposed = [effort.keys for effort in efforts if effort.proposed]
    return {
        "complaints": len(efforts),
        "keys": sum(effort.keys for effort in efforts),
        "choices": sum(effort.choices for effort in efforts),
        "confirmed": sum(effort.keys == 1 for effort in efforts),
        "searched": len(efforts) - len(proposed),
        "most_keys_among_proposals": max(proposed, default=0),
        "right": right,
    }


def targets(efforts: dict[str, dict[str, Any]], speed: dict[str, dict[str, float]]) -> list[Target]:
    """What should have been reached."""
    desk, rival = efforts["desk"], efforts["without proposals"]
    slowest = max(each["p95_ms"] for each in speed.values())
    return [
        Target.at_most("keys and choices of a desk without proposals", _effort(desk) / _effort(rival), MOST_KEYS),
        Target.at_most("keys of a correction among the proposals", desk["most_keys_among_proposals"], 3),
        Target.at_most("p95 of the queue's slowest question, ms", slowest, MOST_MS),
    ]


def _effort(figures: dict[str, Any]) -> int:
    return int(figures["keys"] + figures["choices"])


def table(efforts: dict[str, dict[str, Any]], speed: dict[str, dict[str, float]]) -> str:
    """Both tables, and the machine."""
    columns = list(next(iter(efforts.values())))
    keys = markdown_table(
        ["desk", *columns], [[name, *(str(each[c]) for c in columns)] for name, each in efforts.items()]
    )
    names = list(next(iter(speed.values())))
    times = markdown_table(
        ["question", *names], [[name, *(f"{each[c]:.1f}" for c in names)] for name, each in speed.items()]
    )
    return f"{keys}\n{times}\n{machine()['cpu']}"
