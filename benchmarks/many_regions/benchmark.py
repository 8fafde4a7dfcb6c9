"""Twenty regions on one worker beside one; a challenger beside none; keys, audit and idempotency beside none.

In: the champion that is registered, or a bundle; twenty regions serve it, each with heads and n-grams of its own on the
one encoder that they share. Out: memory, latencies and `results/many_regions.json`. What is compared is asked in turns,
by services that run side by side, so that whatever else the machine does meets all of them alike.
"""

import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.many_regions.services import Service, region_names, service
from benchmarks.results import RESULTS, Target, console, markdown_table, targets_line, write_results
from data.settings import settings
from models.encoder.artifact import ENCODERS
from training.classifier.splits import fingerprint
from tsur.samples import sample_complaints

NAME = "many_regions"
WARM = 10
"""Requests of each that are not counted."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    bundle: Annotated[
        Path | None, typer.Option(help="A bundle with its encoder beside it; default: the champion.")
    ] = None,
    regions: Annotated[int, typer.Option(min=2, help="Regions on one worker.")] = 20,
    requests: Annotated[int, typer.Option(min=WARM + 10, help="Requests of each that is compared.")] = 400,
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
) -> None:
    """Measure what many regions, a challenger, and keys, audit and idempotency cost."""
    complaints = sample_complaints()
    texts = list(complaints["text"].sample(requests, random_state=0, replace=requests > len(complaints)))
    work = settings().home / "benchmarks" / NAME
    figures = measure(bundle or _champion(work / "champion"), texts, regions, work)
    targets = targets_of(figures, regions)
    console.print(table(figures), end="")
    console.print(targets_line(targets))
    data = {"sample": fingerprint(complaints)}
    write_results(out, data, ["bentoml", "onnxruntime"], {"regions": regions, "requests": requests, **figures}, targets)


def measure(bundle: Path, texts: list[str], regions: int, work: Path) -> dict[str, dict[str, float]]:
    """Memory in MB and latencies in ms of every service; each is asked every text once, in turns with the others."""
    with ExitStack() as stack:
        one = stack.enter_context(service(bundle, work / "one", 1))
        many = stack.enter_context(service(bundle, work / "many", regions))
        shadowed = stack.enter_context(service(bundle, work / "shadowed", 1, challenger=True))
        guarded = stack.enter_context(service(bundle, work / "guarded", 1, with_key=True))
        names = region_names(regions)
        for name in names:
            many.wait_for(name)
        seconds: dict[str, list[float]] = {name: [] for name in ("one", "many", "shadowed", "guarded")}
        for number, text in enumerate(texts):
            seconds["one"].append(one.ask(text))
            seconds["many"].append(many.ask(text, names[number % regions]))
            seconds["shadowed"].append(shadowed.ask(text))
            seconds["guarded"].append(guarded.ask(text, name=f"request-{number}"))
        running = {"one": one, "many": many, "shadowed": shadowed, "guarded": guarded}
        return {name: _figures(each, seconds[name][WARM:]) for name, each in running.items()}


def _figures(running: Service, seconds: list[float]) -> dict[str, float]:
    p50, p99 = 1000 * np.quantile(seconds, [0.5, 0.99])
    return {"p50_ms": float(p50), "p99_ms": float(p99), "memory_mb": running.memory_mb}


def targets_of(figures: dict[str, dict[str, float]], regions: int) -> list[Target]:
    """What should have been reached."""
    one, many = figures["one"], figures["many"]
    allowed = 1.5 * one["memory_mb"] + 30 * regions
    share = figures["shadowed"]["p99_ms"] / one["p99_ms"] - 1
    return [
        Target.at_most("memory of many regions, MB", many["memory_mb"], allowed),
        Target.at_most("p50 of many regions beside one", many["p50_ms"] / one["p50_ms"], 1.2),
        Target.at_most("share of the shadow in p99", share, 0.1),
    ]


def table(figures: dict[str, dict[str, float]]) -> str:
    """All figures as a table."""
    titles = {
        "one": "one region",
        "many": "many regions on one worker",
        "shadowed": "one, with a challenger in the shadow",
        "guarded": "one, with a key and an `Idempotency-Key`",
    }
    rows = [
        [titles[name], f"{each['p50_ms']:.1f}", f"{each['p99_ms']:.1f}", f"{each['memory_mb']:.0f}"]
        for name, each in figures.items()
    ]
    return markdown_table(["", "p50, ms", "p99, ms", "memory, MB"], rows)


def _champion(folder: Path) -> Path:
    """A copy of the champion with its encoder beside it."""
    from data.regions.region import load_region
    from registry.client import open_registry
    from registry.names import classifier_name

    region = load_region().id
    registry = open_registry(region)
    bundle = registry.champion_bundle(classifier_name(region))[0]
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(registry.encoders, folder / ENCODERS)
    return shutil.copytree(bundle, folder / "bundle")
