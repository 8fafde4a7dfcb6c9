"""How well each detector detects surges, curve beside curve at the same rate of false alarms.

In: `series/` in the folder of real data, and the simulated region. Out: tables, and
`results/surge_quality.json`. Three measurements: surges of known size and shape injected into real counts
(whose own, unlabelled surges count as false alarms for everybody); the surges of the simulated region; and New
York's year-end bulk entry and its COVID-19 category. Our constants were chosen on the earlier part of each real
series (`TUNED`) with other seeds. Fits and figures are kept in `TSUR_HOME`, so a run that was stopped goes on
where it was.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.results import RESULTS, console, real_data, targets_line, write_results
from benchmarks.surge_quality.controls import bulk_and_covid, region_figures, region_trial
from benchmarks.surge_quality.rivals import DETECTORS, Ints, Scored, Trial
from benchmarks.surge_quality.sets import LEAST_A_DAY, SETS, TUNED, fingerprint, load_trial
from benchmarks.surge_quality.tables import RATE, REGION, markdown, targets
from benchmarks.surge_quality.trials import RATES, SHAPES, Injected, at_rate, curve, false_alarms, found_at, inject
from data.errors import ConfigError
from models.forecasting.config import SurgeConfig
from models.surges.past import Past

NAME = "surge_quality"
VERSION = 5
"""Part of the name of kept figures: raise it with every change to a detector or to what is measured."""
PLACES = (*SETS, REGION)
RATIOS = (1.5, 2.0, 3.0)
SEEDS = (11, 12, 13)
HEADLINE = ("step", 2.0)
CHECK, ROUNDED = "ears_c1", 1e-4
"""With `--ours`, this cheap rival is measured anew too: where its figures are those of the committed results, as far as
these are rounded, counts and trials are the same, and the dear ones need not be."""
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
    sets: Annotated[
        str, typer.Option(help="What to measure on, comma-separated; without all of it no JSON is written.")
    ] = ",".join(PLACES),
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
    table: Annotated[Path | None, typer.Option(help="Write the tables here too (Markdown).")] = None,
    fresh: Annotated[bool, typer.Option(help="Measure anew what was kept; fits of rivals stay.")] = False,
    ours_only: Annotated[
        bool, typer.Option("--ours", help="Measure TSUR; rivals keep the figures of the committed results.")
    ] = False,
) -> None:
    """Compare surge detectors on real and simulated counts; what is finished is not computed again."""
    from data.settings import settings

    names = [name.strip() for name in sets.split(",")]
    if unknown := [name for name in names if name not in PLACES]:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(PLACES)}")
    folder = settings().home / "benchmarks" / NAME
    jobs, prints = prepare(names, folder)
    if ours_only:
        kept = figures_of_rivals(names)
        jobs = [job for job in jobs if job.detector not in kept[job.place] or job.detector == CHECK]
    measured = measure(jobs, prints, folder, fresh)
    if ours_only:
        measured = {name: with_rivals(name, figures, kept[name]) for name, figures in measured.items()}
    text = markdown(measured)
    console.print(text)
    if table is not None:
        table.write_text(text, encoding="utf-8")
    if set(names) != set(PLACES):
        console.print(f"only {', '.join(names)}: no JSON written")
        return
    goals = targets(measured)
    write_results(out, prints, LIBRARIES, {"protocol": protocol(), "measured": measured}, goals)
    console.print(f"results → {out}\n{targets_line(goals)}")


def prepare(names: list[str], folder: Path) -> tuple[list[Job], dict[str, str]]:
    """What is to be measured on each of these sets, and the fingerprints of their counts."""
    jobs: list[Job] = []
    prints = {}
    for name in names:
        if name == REGION:
            trial, truth = region_trial(folder)
            jobs += [Job(name, one, partial(region_figures, trial, truth, one)) for one in DETECTORS]
        else:
            trial = load_trial(name, folder)
            jobs += [Job(name, one, partial(injected_figures, trial, one)) for one in DETECTORS]
        if name == "nyc":
            jobs.append(Job(name, "controls", partial(bulk_and_covid, real_data() / "series" / SETS[name][0])))
        prints[name] = fingerprint(trial.clean)
    return jobs, prints


def measure(jobs: list[Job], prints: dict[str, str], folder: Path, fresh: bool) -> dict[str, dict[str, Any]]:
    """The figures of all jobs, by set and detector."""
    measured: dict[str, dict[str, Any]] = {}
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("surges", total=len(jobs))
        for job in jobs:
            progress.update(task, description=f"{job.place}, {job.detector}")
            path = folder / f"{job.place}-{prints[job.place]}" / f"{job.detector}-v{VERSION}.json"
            measured.setdefault(job.place, {})[job.detector] = measured_once(path, job.measure, fresh)
            progress.console.print(f"{job.place}, {job.detector}: done")
            progress.advance(task)
    return measured


def figures_of_rivals(names: list[str]) -> dict[str, dict[str, Any]]:
    """The rivals' figures in the committed results, by set and detector."""
    results = json.loads((RESULTS / f"{NAME}.json").read_text(encoding="utf-8"))["measured"]
    return {name: {k: v for k, v in results[name].items() if k not in ("tsur", "controls")} for name in names}


def with_rivals(name: str, measured: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    """Figures measured anew beside the rivals' that were kept.

    Raises:
        ConfigError: the rival that was measured anew as a check has other figures: counts or trials have changed.
    """
    new = {rate: point.get("detected") for rate, point in measured[CHECK]["at_rates"].items()}
    old = {rate: point.get("detected") for rate, point in kept[CHECK]["at_rates"].items()}
    if any(abs((new[rate] or 0) - (old[rate] or 0)) > ROUNDED for rate in old):
        raise ConfigError(f"{NAME}.json: {CHECK} now has other figures on {name}: measure all again, without --ours")
    both = {**kept, **measured}
    return {one: both[one] for one in (*DETECTORS, "controls") if one in both}


def protocol() -> dict[str, Any]:
    """How it was measured, for the JSON."""
    return {
        "least_a_day": LEAST_A_DAY,
        "seeds": SEEDS,
        "tuned_on": TUNED,
        "judged": {name: [first, last] for name, (_, first, last) in SETS.items()},
        "false_alarm": "a run of alarm days, joined over gaps of up to 7 days, counted anew every 28 days",
    }


def measured_once(path: Path, measure: Callable[[], dict[str, Any]], fresh: bool) -> dict[str, Any]:
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
    at_headline = at_rate(points, RATE)
    cells = {
        f"{shape} ×{ratio:g}": found_at(at_headline["threshold"], of_cell) if at_headline else {}
        for (shape, ratio), of_cell in runs.items()
    }
    own = {}
    if name == "tsur" and trial.past is not None:
        points_of = partial(learned_point, trial.past, watched=trial.watched, clean=clean, runs=runs[HEADLINE])
        own = {f"{rate:g}": points_of(rate=rate) for rate in RATES}
    return {
        "series": len(trial.watched),
        "surges": sum(len(one.sites) for _, one in runs[HEADLINE]),
        "learned": own,
        "at_rates": {f"{rate:g}": at_rate(points, rate) for rate in RATES},
        "at_weekly_rate": at_rate(points, RATE, "alarm_weeks"),
        "by_shape": cells,
        "curve": points[:: max(1, len(points) // 15)],
    }


def learned_point(
    past: Past, rate: float, watched: Ints, clean: Scored, runs: list[tuple[Scored, Injected]]
) -> dict[str, float]:
    """What our own threshold for a rate, learned before the judged days, gives on them."""
    threshold = past.thresholds(SurgeConfig(false_alarms_per_month=rate), watched).alarm
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
