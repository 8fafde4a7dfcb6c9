"""How a classifier grows with its labels: which ones teach most, how a new region begins, what retraining is worth.

In: `text/kursk.csv`, `ryazan.csv`, `petersburg.csv` of the real data. Out: tables, and `results/learning.json`. All
models are heads alone on frozen features (`benchmarks/fast_heads.py`): hundreds are fitted in minutes, and what is
compared is what they were taught.
"""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from benchmarks.adaptation.few_shot import ROWS_A_TOPIC
from benchmarks.fast_heads import frozen_features
from benchmarks.learning import cold_start, replay
from benchmarks.learning.label_efficiency import ENOUGH, FIRST, STEP, WAYS, curves, rows_for
from benchmarks.results import RESULTS, Target, console, markdown_table, real_data, targets_line, write_results
from data.config import load_config
from data.settings import settings
from training.classifier.splits import fingerprint
from training.retrain.gate_limits import GateLimits

NAME = "learning"
REGIONS = "kursk,ryazan"
LIBRARIES = ("numpy", "onnxruntime", "pandas", "scikit-learn", "scipy")
FEWER_ROWS = 0.6
"""Of the rows that random choice needs, chosen ones should be enough."""
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    regions: Annotated[str, typer.Option(help="Of label efficiency and cold start, comma-separated.")] = REGIONS,
    seeds: Annotated[int, typer.Option(min=1, help="Draws of the rows.")] = 5,
    replayed: Annotated[bool, typer.Option("--replay/--no-replay", help="Petersburg retrain by retrain.")] = True,
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
) -> None:
    """Measure all three, print tables, write the results."""
    measured: dict[str, Any] = {"regions": {}}
    data, goals = {}, []
    for region in filter(None, regions.split(",")):
        frame = pd.read_csv(real_data() / "text" / f"{region}.csv", dtype=str).dropna(subset=["topic"])
        frame = frame.assign(municipality=None).astype(object).reset_index(drop=True)
        measured["regions"][region] = of_region(frame, seeds)
        data[region] = fingerprint(frame)
        console.print(region_tables(region, measured["regions"][region]))
        goals += region_targets(region, measured["regions"][region])
    if replayed:
        frame = replay.complaints(real_data() / "text" / "petersburg.csv")
        limits = load_config(settings().configs / "gate.yaml", GateLimits)
        retrains, last = replay.replay(frame, replay.features_of(frame), limits)
        measured["replay"] = {"retrains": [each.as_json() for each in retrains], "last_against_first": vars(last)}
        data["petersburg"] = fingerprint(frame)
        console.print(replay_table(retrains))
        console.print(f"the last champion against the first on the last two weeks: {last} points")
        goals += replay_targets(retrains, last)
    write_results(out, data, LIBRARIES, measured, goals)
    console.print(f"results → {out}\n{targets_line(goals)}")


def of_region(frame: pd.DataFrame, seeds: int) -> dict[str, Any]:
    """Label efficiency and cold start of one region."""
    topics = frame["topic"].to_numpy(dtype=object)
    features = frozen_features([*frame["text"], *np.unique(topics)])
    drawn = [curves(features[: len(topics)], topics, seed) for seed in range(seeds)]
    needed = {name: [rows_for(of_ways[name], ENOUGH * whole) for of_ways, whole in drawn] for name in WAYS}
    return {
        "rows": len(frame),
        "macro_f1": {name: np.mean([of_ways[name] for of_ways, _ in drawn], axis=0).tolist() for name in WAYS},
        "of_all_rows": float(np.mean([whole for _, whole in drawn])),
        "rows_needed": {name: float(np.mean(rows)) for name, rows in needed.items()},
        "cold_start": cold_start.figures(frame, features, seeds),
    }


def region_targets(region: str, figures: dict[str, Any]) -> list[Target]:
    """Fewer labels by margin, and above TF-IDF from the first row on."""
    needed, cold = figures["rows_needed"], figures["cold_start"]
    share = needed["by margin"] / needed["at random"]
    goals = [Target.at_most(f"{region}: rows chosen by margin, of those that random choice needs", share, FEWER_ROWS)]
    for rows in ROWS_A_TOPIC:
        gain = cold["gain"][str(rows)]["difference"]
        least = 0.05 if str(rows) == cold["most"] else 0.0
        goals.append(Target.at_least(f"{region}: above TF-IDF at {rows} rows a topic", gain, least))
    return goals


def replay_targets(retrains: list[replay.Retrain], last: Any) -> list[Target]:
    """Never significantly worse, and better in the end."""
    promoted = [each for each in retrains if each.passed]
    return [
        Target.at_least("Petersburg: retrains", len(retrains), 5),
        Target.at_most("Petersburg: champions significantly worse than those that they replaced",
                       sum(each.difference.is_worse for each in promoted), 0),
        Target.above("Petersburg: the last champion against the first, lower end of the interval", last.low, 0.0),
    ]  # fmt: skip


def region_tables(region: str, figures: dict[str, Any]) -> str:
    """Macro-F1 by labelled rows, and cold start."""
    rounds = range(0, len(figures["macro_f1"]["at random"]), 3)
    header = ["macro-F1 of topics", *(str(FIRST + STEP * n) for n in rounds), f"rows for {ENOUGH:.0%}"]
    lines = [
        [name, *(f"{curve[n]:.3f}" for n in rounds), f"{figures['rows_needed'][name]:.0f}"]
        for name, curve in figures["macro_f1"].items()
    ]
    cold = figures["cold_start"]
    cold_lines = [[way, *(f"{by[str(rows)]:.3f}" for rows in ROWS_A_TOPIC)] for way, by in cold["accuracy"].items()]
    cold_header = ["topic accuracy", *(f"{rows} rows a topic" for rows in ROWS_A_TOPIC)]
    return f"{region}\n\n{markdown_table(header, lines)}\n{markdown_table(cold_header, cold_lines)}"


def replay_table(retrains: list[replay.Retrain]) -> str:
    """A line a retrain."""
    header = ["retrained on", "rows", "the gate", "old champion, next two weeks", "new one", "difference"]
    lines = [
        [
            each.day,
            str(each.rows),
            "passes" if each.passed else "refuses",
            f"{each.champion:.3f}",
            f"{each.challenger:.3f}",
            str(each.difference),
        ]
        for each in retrains
    ]
    return markdown_table(header, lines)
