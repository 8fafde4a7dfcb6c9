"""How well each detector detects surges, curve beside curve at the same rate of false alarms.

In: `series/` in the folder of real data, and the simulated region. Out: tables, and
`results/surge_quality.json`. Three measurements: surges of known size and shape injected into real counts
(whose own, unlabelled surges count as false alarms for everybody); the surges of the simulated region, with
the lead time of expected ones; and New York's year-end bulk entry and its COVID-19 category. Our
constants were chosen on the earlier part of each real series (`TUNED`) with other seeds. Fits and figures are
kept in `TSUR_HOME`, so a run that was stopped goes on where it was.
"""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.results import RESULTS, Target, console, markdown_table, real_data, targets_line, write_results
from benchmarks.surge_quality.controls import bulk_and_covid, forewarned, region_figures, region_trial
from benchmarks.surge_quality.rivals import DETECTORS, Scored, Trial, with_learned_weight
from benchmarks.surge_quality.trials import SHAPES, Injected, at_rate, curve, false_alarms, found_at, inject
from data.counts.daily import complete
from data.counts.reading import CountColumns, read_counts
from data.errors import FileError
from models.forecasting.config import SurgeConfig
from models.forecasting.series import panel
from models.surges.thresholds import learned_thresholds

NAME = "surge_quality"
VERSION = 4
"""Part of the name of kept figures: raise it with every change to a detector or to what is measured."""
TUNED = {"chicago": "2012", "boston": "2015-04 to 2015-07", "nyc": "2016 to 2017"}
SETS = {
    "chicago": ("chicago_sanitation_daily.csv", "2013-01-01", "2014-12-31"),
    "boston": ("boston311_2015_daily.csv", "2015-08-01", "2015-12-31"),
    "nyc": ("nyc_council_daily.csv", "2018-01-01", "2019-12-31"),
}
"""File, first and last judged day."""
LEAST_A_DAY = 5.0
RATIOS = (1.5, 2.0, 3.0)
SEEDS = (11, 12, 13)
HEADLINE = ("step", 2.0)
RATE, RATES = 0.5, (0.1, 0.2, 0.5, 1.0)
DETECTED, DELAY = 0.85, 2.0
LIBRARIES = ("numpy", "pandas", "prophet", "scipy")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Job:
    """One detector on one set of counts."""

    place: str
    detector: str
    measure: Callable[[], dict[str, Any]]


@app.command()
def main(
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
    table: Annotated[Path | None, typer.Option(help="Write the tables here too (Markdown).")] = None,
    fresh: Annotated[bool, typer.Option(help="Measure anew what was kept; fits of rivals stay.")] = False,
) -> None:
    """Compare surge detectors on real and simulated counts; what is finished is not computed again."""
    from data.settings import settings

    folder = settings().home / "benchmarks" / NAME
    trials = {name: load_trial(name, folder) for name in SETS}
    region, truth = region_trial(folder)
    jobs = [
        Job(place, name, lambda trial=trial, name=name: injected_figures(trial, name))  # type: ignore[misc]
        for place, trial in trials.items()
        for name in DETECTORS
    ]
    jobs += [Job("region", name, lambda name=name: region_figures(region, truth, name)) for name in DETECTORS]  # type: ignore[misc]
    jobs += [
        Job("region", "expected", lambda: forewarned(truth)),
        Job("nyc", "controls", lambda: bulk_and_covid(real_data() / "series" / SETS["nyc"][0])),
    ]
    measured: dict[str, dict[str, Any]] = {}
    prints = {place: fingerprint(trial.clean) for place, trial in {**trials, "region": region}.items()}
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("surges", total=len(jobs))
        for job in jobs:
            progress.update(task, description=f"{job.place}, {job.detector}")
            path = folder / f"{job.place}-{prints[job.place]}" / f"{job.detector}-v{VERSION}.json"
            figures = kept(path, job.measure, fresh)
            measured.setdefault(job.place, {})[job.detector] = figures
            progress.console.print(f"{job.place}, {job.detector}: done")
            progress.advance(task)
    text = markdown(measured)
    console.print(text)
    if table is not None:
        table.write_text(text, encoding="utf-8")
    goals = targets(measured)
    protocol = {
        "least_a_day": LEAST_A_DAY,
        "seeds": SEEDS,
        "tuned_on": TUNED,
        "judged": {name: [first, last] for name, (_, first, last) in SETS.items()},
        "false_alarm": "a run of alarm days, joined over gaps of up to 7 days, counted anew every 28 days",
    }
    write_results(out, prints, LIBRARIES, {"protocol": protocol, "measured": measured}, goals)
    console.print(f"results → {out}\n{targets_line(goals)}")


def load_trial(name: str, folder: Path) -> Trial:
    """The counts of a real set, watched from its first judged day on.

    Raises:
        FileError: no such file.
    """
    file, first, last = SETS[name]
    path = real_data() / "series" / file
    if not path.is_file():
        raise FileError(f"TSUR_REAL_DATA holds no series/{file}")
    counts = panel(complete(read_counts(path, CountColumns(sector="category")))).loc[:last]
    start = int(counts.index.searchsorted(pd.Timestamp(first)))
    watched = np.flatnonzero(counts.iloc[start:].mean().to_numpy() >= LEAST_A_DAY)
    fits = folder / f"{name}-{fingerprint(counts)}"
    fits.mkdir(parents=True, exist_ok=True)
    return with_learned_weight(Trial(counts, counts, watched, start, fits))


def fingerprint(counts: pd.DataFrame) -> str:
    """SHA-256 (16 hex digits) of a panel of counts."""
    digest = hashlib.sha256(repr(list(counts.columns)).encode())
    digest.update(str(counts.index[0]).encode() + counts.to_numpy(dtype=np.float64).tobytes())
    return digest.hexdigest()[:16]


def kept(path: Path, measure: Callable[[], dict[str, Any]], fresh: bool) -> dict[str, Any]:
    """Figures that are kept in a file, or else measured and kept; infinite delays as null."""
    if fresh or not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(_finite(measure())), encoding="utf-8")
        partial.replace(path)
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return figures


def injected_figures(trial: Trial, name: str) -> dict[str, Any]:
    """The headline's curve of one detector, and what it finds of each shape and size at the headline's rate."""
    detector = DETECTORS[name][1]
    clean = detector(trial)
    runs = {}
    for shape in SHAPES:
        for ratio in RATIOS:
            made = [inject(trial.clean, trial.watched, trial.first, shape, ratio, seed) for seed in SEEDS]
            runs[shape, ratio] = [(detector(replace(trial, counts=one.counts)), one) for one in made]
    points = curve(clean, runs[HEADLINE])
    kept_point = at_rate(points, RATE)
    cells = {
        f"{shape} ×{ratio:g}": found_at(kept_point["threshold"], found) if kept_point else {}
        for (shape, ratio), found in runs.items()
    }
    own = {f"{rate:g}": learned_point(trial, rate, clean, runs[HEADLINE]) for rate in RATES} if name == "tsur" else {}
    return {
        "series": len(trial.watched),
        "surges": sum(len(one.sites) for _, one in runs[HEADLINE]),
        "learned": own,
        "at_rates": {f"{rate:g}": at_rate(points, rate) for rate in RATES},
        "at_weekly_rate": at_rate(points, RATE, "alarm_weeks"),
        "by_shape": cells,
        "curve": points[:: max(1, len(points) // 15)],
    }


def learned_point(trial: Trial, rate: float, clean: Scored, runs: list[tuple[Scored, Injected]]) -> dict[str, float]:
    """What our own threshold for a rate, learned before the judged days, gives on them."""
    past = trial.clean.iloc[: trial.first, trial.watched]
    threshold = learned_thresholds(past, SurgeConfig(false_alarms_per_month=rate), trial.calendar).alarm
    return {
        "threshold": threshold,
        "false_alarms": false_alarms(clean.alarms(threshold)),
        **found_at(threshold, runs),
    }


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def targets(measured: dict[str, dict[str, Any]]) -> list[Target]:
    """What should be reached: the headline on each set and pooled, above every rival, and the two controls."""
    goals: list[Target] = []
    rivals = [name for name in DETECTORS if name != "tsur"]
    for place in (*SETS, "pooled"):
        of = {name: _headline(measured, place, name) for name in DETECTORS}
        what = f"{place}: 2 times for 5 days at {RATE} false alarms a month"
        goals.append(Target.at_least(f"{what}, detected", of["tsur"][0], DETECTED))
        goals.append(Target.at_most(f"{what}, median delay", of["tsur"][1], DELAY))
        best = max(of[name][0] for name in rivals)
        goals.append(Target.above(f"{what}, detected, above the best rival", of["tsur"][0], best))
    controls = measured["nyc"]["controls"]
    goals.append(Target.at_most("nyc: surges of the bulk entry of 2019-12-23 and 26", controls["bulk_surges"], 0))
    goals.append(Target.at_least("nyc: surges of COVID-19 noticed in March 2020", controls["covid_surges"], 1))
    return goals


def _headline(measured: dict[str, dict[str, Any]], place: str, name: str) -> tuple[float, float]:
    """Detected share and median delay at the headline's rate; pooled: the mean over the sets."""
    if place == "pooled":
        each = [_headline(measured, one, name) for one in SETS]
        return float(np.mean([pod for pod, _ in each])), float(np.mean([late for _, late in each]))
    point = measured[place][name]["at_rates"][f"{RATE:g}"]
    delay = point.get("delay")
    return point.get("detected", 0.0), 99.0 if delay is None else delay


def markdown(measured: dict[str, dict[str, Any]]) -> str:
    """The tables: the headline, the shapes, the region, the controls."""
    parts = []
    for place in SETS:
        rows = []
        for name, (title, _) in DETECTORS.items():
            figures = measured[place][name]
            points = figures["at_rates"]
            cells = [_share(points[f"{rate:g}"].get("detected")) for rate in RATES]
            main = points[f"{RATE:g}"]
            weekly = figures["at_weekly_rate"].get("detected")
            rows.append([title, *cells, _number(main.get("delay")), _share(main.get("ppv")), _share(weekly)])
        header = [place, *[f"POD at {rate:g}" for rate in RATES], "median delay", "PPV", "POD, weekly count"]
        parts.append(f"{measured[place]['tsur']['surges']} surges of 2 times for 5 days, {place}:\n")
        parts.append(markdown_table(header, rows))
    rows = [
        [place, *[f"{_share(point['false_alarms'])}: {_share(point['detected'])}" for point in points.values()]]
        for place, points in ((place, measured[place]["tsur"]["learned"]) for place in SETS)
    ]
    parts.append("TSUR with the thresholds it learns from the days before, false alarms a month and POD:\n")
    parts.append(markdown_table(["allowed", *[f"{rate:g}" for rate in RATES]], rows))
    for place in SETS:
        cells = list(measured[place]["tsur"]["by_shape"])
        rows = [
            [title, *[_share(measured[place][name]["by_shape"].get(cell, {}).get("detected")) for cell in cells]]
            for name, (title, _) in DETECTORS.items()
        ]
        parts.append(f"POD at {RATE} false alarms a month, {place}:\n")
        parts.append(markdown_table([place, *cells], rows))
    region = measured["region"]
    rows = [
        [
            title,
            *[_share(region[name]["at_rates"][f"{rate:g}"].get("detected")) for rate in RATES],
            _number(region[name]["at_rates"][f"{RATE:g}"].get("delay")),
            _share(region[name]["at_rates"][f"{RATE:g}"].get("ppv")),
        ]
        for name, (title, _) in DETECTORS.items()
    ]
    parts.append(f"Simulated region, {region['tsur']['surges']} surges in {region['tsur']['series']} series:\n")
    header = ["region", *[f"POD at {rate:g}" for rate in RATES], "median delay", "PPV"]
    parts.append(markdown_table(header, rows))
    parts.append("Expected surges: " + json.dumps(region["expected"], ensure_ascii=False) + "\n")
    parts.append("Controls: " + json.dumps(measured["nyc"]["controls"], ensure_ascii=False) + "\n")
    return "\n".join(parts)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _number(value: float | None) -> str:
    return "never" if value is None else f"{value:g}"
