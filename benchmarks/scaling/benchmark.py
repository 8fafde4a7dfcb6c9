"""What a second worker is worth, beside the local engine in one run, and what a country needs by these rates.

In: the sample region's champion (`tsur train classifier` makes it) and the sample's texts, each made another one.
Out: a table, and `results/scaling.json`. Arms run in turn, round after round, each in a process of its own: a
neighbour's load falls on all of them, and what is judged are ratios within a round.
"""

import json
import statistics
import subprocess
import sys
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Annotated, Any

import typer

from batch.classify import ROWS_PER_CHUNK
from benchmarks.classifier_speed.rows import write_export
from benchmarks.results import RESULTS, Target, console, markdown_table, targets_line, write_results
from benchmarks.scaling.country import REGIONS, ROWS, Need, Rates, cores_at_driver, simulated
from data.settings import CHECKOUT, settings
from registry.client import open_registry
from registry.names import classifier_name
from tsur.samples import SAMPLE_REGION, sample_complaints

NAME = "scaling"
ARMS = (("local", 1), ("local", 2), ("ray", 1), ("ray", 2))
CORES = (2, 16, 64, 256, 1024)
EFFICIENCY, GROWTH_MIB = 0.85, 64.0
"""Asked of two workers, and what the driver's memory may grow by over a million rows: less than one byte in fifty."""
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    rows: Annotated[int, typer.Option(help="Rows an arm.", min=4 * ROWS_PER_CHUNK)] = 40_000,
    driver_rows: Annotated[int, typer.Option(help="Rows through the driver alone.")] = 1_000_000,
    series: Annotated[int, typer.Option(help="Simulated series.", min=50)] = 400,
    rounds: Annotated[int, typer.Option(help="Each arm so often.")] = 3,
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
) -> None:
    """Measure all arms, and simulate a country."""
    folder = settings().home.resolve() / "benchmarks" / NAME
    folder.mkdir(parents=True, exist_ok=True)
    bundle, encoders = _champion()
    texts = sample_complaints()["text"].tolist()
    export = write_export(folder / f"rows-{rows}.csv", texts, rows, repeated=0.0)
    many = write_export(folder / f"rows-{driver_rows}.csv", texts, driver_rows, repeated=0.0)
    measured: dict[str, list[dict[str, Any]]] = {f"{arm} {cores}": [] for arm, cores in ARMS}
    outputs = set()
    for number in range(rounds):
        for arm, cores in ARMS:
            decisions = folder / f"{arm}-{cores}.csv"
            figures = _measured(arm, cores, bundle, encoders, export, decisions)
            measured[f"{arm} {cores}"].append(figures)
            outputs.add(decisions.read_bytes())
            console.print(f"round {number + 1}: {arm} {cores}: {figures['rows_per_second']:.0f} rows a second")
    alone = _measured("driver", 2, many, folder / "driver.csv")
    of_series = _measured("series", series)
    _report(measured, alone, of_series, len(outputs) == 1, rows, out)


def _champion() -> tuple[Path, Path]:
    registry = open_registry(SAMPLE_REGION)
    return registry.champion_bundle(classifier_name(SAMPLE_REGION))[0].resolve(), registry.encoders.resolve()


def _measured(arm: str, count: int, *paths: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.scaling.measure", arm, str(count), *map(str, paths)]
    done = subprocess.run(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _report(
    measured: dict[str, list[dict[str, Any]]],
    alone: dict[str, Any],
    of_series: dict[str, Any],
    equal: bool,
    rows: int,
    out: Path,
) -> None:
    """Print the tables and write the JSON."""
    rates = {arm: [each["rows_per_second"] for each in runs] for arm, runs in measured.items()}
    efficiency = statistics.median(two / (2 * one) for one, two in zip(rates["ray 1"], rates["ray 2"], strict=True))
    ratio = statistics.median(ray / here for ray, here in zip(rates["ray 2"], rates["local 2"], strict=True))
    growth = alone["late_mib"] - alone["early_mib"]
    country = _rates(measured["ray 1"], alone, of_series)
    needs = [simulated(country, cores) for cores in CORES]
    _print_measured(rates, efficiency, ratio)
    console.print(
        f"driver alone: {alone['rows_per_second']:.0f} rows a second; {alone['rows']} rows: {growth:+.0f} MiB"
    )
    console.print(f"series: Ray {of_series['ray_seconds']:.0f} s, local {of_series['local_seconds']:.0f} s")
    _print_country(needs, cores_at_driver(country))
    goals = [
        Target.at_least("two workers by twice one", efficiency, EFFICIENCY),
        Target.at_most("MiB that the driver grows by over all rows", growth, GROWTH_MIB),
        Target.at_least("all engines wrote the same bytes", float(equal), 1.0),
        Target.at_least("all series have the same numbers", float(of_series["equal"]), 1.0),
    ]
    figures = {
        "rows": rows,
        "rows_per_second": rates,
        "ray_2_by_local_2": ratio,
        "driver": alone,
        "series": of_series,
        "rates": asdict(country) | {"chunk_seconds": statistics.mean(country.chunk_seconds)},
        "cores_at_driver": cores_at_driver(country),
        "country": [asdict(need) for need in needs],
    }
    write_results(out, {"texts": "the sample's, each made another one"}, ("ray", "onnxruntime"), figures, goals)
    console.print(f"results → {out}\n{targets_line(goals)}")


def _print_measured(rates: dict[str, list[float]], efficiency: float, ratio: float) -> None:
    header = ["engine and cores", "rows a second", "range"]
    rows = [[arm, f"{statistics.median(x):.0f}", f"{min(x):.0f}-{max(x):.0f}"] for arm, x in rates.items()]
    console.print(markdown_table(header, rows))
    console.print(f"two workers by twice one: {efficiency:.2f}; by the local engine on two cores: {ratio:.2f}")


def _print_country(needs: list[Need], driver_cores: float) -> None:
    header = ["cores", "hours", "efficiency", "chunks twice", "series, minutes", "memory, GiB"]
    formats = ("{:.0f}", "{:.2f}", "{:.2f}", "{:.0f}", "{:.1f}", "{:.0f}")
    rows = [[form.format(cell) for form, cell in zip(formats, astuple(need), strict=True)] for need in needs]
    console.print(
        f"{ROWS} complaints, and a day's series of {REGIONS} regions; one driver feeds {driver_cores:.0f} cores"
    )
    console.print(markdown_table(header, rows))


def _rates(one_worker: list[dict[str, Any]], alone: dict[str, Any], of_series: dict[str, Any]) -> Rates:
    return Rates(
        chunk_seconds=tuple(seconds for run in one_worker for seconds in run["chunk_seconds"]),
        rows_per_chunk=ROWS_PER_CHUNK,
        driver_rows=alone["rows_per_second"],
        series_seconds=2 * of_series["ray_seconds"] / of_series["series"],
        worker_mib=max(run["worker_mib"] for run in one_worker),
        output_bytes=one_worker[0]["output_bytes"],
    )
