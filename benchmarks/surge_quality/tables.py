"""Tables and targets of the surge benchmark.

In: the figures that `benchmark.py` has measured, by set and detector. Out: Markdown of the sets that were measured,
and the list of targets, which needs all of them.
"""

import json
from typing import Any

import numpy as np

from benchmarks.results import Target, markdown_table
from benchmarks.surge_quality.rivals import DETECTORS
from benchmarks.surge_quality.sets import SETS
from benchmarks.surge_quality.trials import RATES

REGION = "region"
"""The simulated one, among the sets."""
RATE = 0.5
"""False alarms per series and month of the headline: one in two months."""
DETECTED = {"chicago": 0.90, "boston": 0.75, "nyc": 0.83, "pooled": 0.85}
"""Share of surges of twice the usual for five days."""
DELAY = 2.0
"""Their median delay in days."""
SPIKES, SPIKE = 0.45, "spike ×3"
"""Share of single days of three times the usual."""
STRICT = ("0.1", "0.2")
"""Rates at which no rival should find more."""
REGION_DETECTED = 0.914
"""Of the simulated region's surges: what the plain CUSUM finds."""
HELD = 0.3
"""By so much, as a share, may the false alarms that came differ from those allowed."""
Figures = dict[str, Any]


def targets(measured: dict[str, dict[str, Any]]) -> list[Target]:
    """What should be reached: the headline on each set and pooled, above every rival, and the two controls."""
    goals: list[Target] = []
    rivals = [name for name in DETECTORS if name != "tsur"]
    for place in (*SETS, "pooled"):
        of = {name: _headline(measured, place, name) for name in DETECTORS}
        what = f"{place}: 2 times for 5 days at {RATE} false alarms a month"
        goals.append(Target.at_least(f"{what}, detected", of["tsur"][0], DETECTED[place]))
        goals.append(Target.at_most(f"{what}, median delay", of["tsur"][1], DELAY))
        best = max(of[name][0] for name in rivals)
        goals.append(Target.above(f"{what}, detected, above the best rival", of["tsur"][0], best))
    for place in SETS:
        goals += _goals_beside_the_headline(place, measured[place])
    region = measured[REGION]["tsur"]["at_rates"][f"{RATE:g}"].get("detected", 0.0)
    goals.append(Target.at_least(f"{REGION}: detected at {RATE} a month", region, REGION_DETECTED))
    controls = measured["nyc"]["controls"]
    goals.append(Target.at_most("nyc: surges of the bulk entry of 2019-12-23 and 26", controls["bulk_surges"], 0))
    goals.append(Target.at_least("nyc: surges of COVID-19 noticed in March 2020", controls["covid_surges"], 1))
    return goals


def _goals_beside_the_headline(place: str, of_set: Figures) -> list[Target]:
    """Spikes of one day, strict rates, and rates that hold, on one set."""
    ours = of_set["tsur"]
    spikes = ours["by_shape"][SPIKE].get("detected", 0.0)
    goals = [Target.at_least(f"{place}: {SPIKE} for one day at {RATE} a month, detected", spikes, SPIKES)]
    for rate in STRICT:
        own, *others = (of_set[name]["at_rates"][rate].get("detected", 0.0) for name in DETECTORS)
        goals.append(Target.at_least(f"{place}: detected at {rate} a month, beside the best rival", own, max(others)))
    for rate, point in ours["learned"].items():
        off = abs(point["false_alarms"] / float(rate) - 1)
        goals.append(Target.at_most(f"{place}: false alarms where {rate} are allowed, off by", off, HELD))
    return goals


def _headline(measured: dict[str, dict[str, Any]], place: str, name: str) -> tuple[float, float]:
    """Detected share and median delay at the headline's rate; pooled: the mean over the sets."""
    if place == "pooled":
        each = [_headline(measured, one, name) for one in SETS]
        return float(np.mean([pod for pod, _ in each])), float(np.mean([late for _, late in each]))
    point = measured[place][name]["at_rates"][f"{RATE:g}"]
    delay = point.get("delay")
    return point.get("detected", 0.0), 99.0 if delay is None else delay


def markdown(measured: dict[str, Figures]) -> str:
    """The tables: the headline, the shapes, the region, the controls."""
    sets = [name for name in SETS if name in measured]
    parts = [_headline_table(name, measured[name]) for name in sets]
    if sets:
        parts.append(_learned_table({name: measured[name] for name in sets}))
    parts += [_shapes_table(name, measured[name]) for name in sets]
    if REGION in measured:
        parts.append(_region_table(measured[REGION]))
    if "nyc" in measured:
        parts.append("Controls: " + json.dumps(measured["nyc"]["controls"], ensure_ascii=False) + "\n")
    return "\n".join(parts)


def _headline_table(name: str, of_set: Figures) -> str:
    rows = []
    for detector, (title, _) in DETECTORS.items():
        figures = of_set[detector]
        weekly = figures["at_weekly_rate"].get("detected")
        rows.append([title, *_at_rates(figures), _share(weekly)])
    header = [name, *[f"POD at {rate:g}" for rate in RATES], "median delay", "PPV", "POD, weekly count"]
    return f"{of_set['tsur']['surges']} surges of 2 times for 5 days, {name}:\n\n{markdown_table(header, rows)}"


def _learned_table(of_sets: dict[str, Figures]) -> str:
    rows = []
    for name, of_set in of_sets.items():
        points = of_set["tsur"]["learned"].values()
        rows.append([name, *[f"{_share(point['false_alarms'])}: {_share(point['detected'])}" for point in points]])
    title = "TSUR with the thresholds it learns from the days before, false alarms a month and POD:\n"
    return f"{title}\n{markdown_table(['allowed', *[f'{rate:g}' for rate in RATES]], rows)}"


def _shapes_table(name: str, of_set: Figures) -> str:
    cells = list(of_set["tsur"]["by_shape"])
    rows = [
        [title, *[_share(of_set[detector]["by_shape"].get(cell, {}).get("detected")) for cell in cells]]
        for detector, (title, _) in DETECTORS.items()
    ]
    return f"POD at {RATE} false alarms a month, {name}:\n\n{markdown_table([name, *cells], rows)}"


def _region_table(region: Figures) -> str:
    rows = [[title, *_at_rates(region[detector])] for detector, (title, _) in DETECTORS.items()]
    header = ["region", *[f"POD at {rate:g}" for rate in RATES], "median delay", "PPV"]
    table = markdown_table(header, rows)
    title = f"Simulated region, {region['tsur']['surges']} surges in {region['tsur']['series']} series:\n"
    return f"{title}\n{table}"


def _at_rates(figures: Figures) -> list[str]:
    """POD at each rate, then median delay and PPV at the headline's."""
    points = figures["at_rates"]
    main = points[f"{RATE:g}"]
    shares = [_share(points[f"{rate:g}"].get("detected")) for rate in RATES]
    return [*shares, _number(main.get("delay")), _share(main.get("ppv"))]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _number(value: float | None) -> str:
    return "never" if value is None else f"{value:g}"
