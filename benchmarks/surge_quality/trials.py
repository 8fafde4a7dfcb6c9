"""What the surge benchmark measures on: real counts with injected surges, and how alarms are counted.

In: counts, a shape and a size of surge, a seed; alarms. Out: counts with surges at known places, and figures:
false alarms per series and month, probability of detection, delay, share of true alarms.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.surge_quality.rivals import Scored
from models.surges.thresholds import MONTH, count_alarms

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

SHAPES = ("step", "ramp", "spike", "decay")
APART_DAYS = 42
THRESHOLDS = 120
RATES = (0.1, 0.2, 0.5, 1.0)
"""False alarms per series and month at which detectors are compared."""


def shape(name: str, ratio: float) -> Floats:
    """The extra of each day, in times of the expectation: 5-day step, 10-day ramp, 1-day spike, 10-day decay."""
    rise = {"step": np.ones(5), "ramp": (np.arange(10) + 1.0) / 10, "spike": np.ones(1), "decay": 0.8 ** np.arange(10)}
    return np.asarray((ratio - 1) * rise[name], dtype=np.float64)


def usual(counts: Floats) -> Floats:
    """What is usual on each day, known afterwards: the same weekday four weeks each way, without its extremes."""
    days = len(counts)
    around = np.full((9, *counts.shape), np.nan)
    for row, weeks in enumerate(range(-4, 5)):
        first, last = max(0, -7 * weeks), min(days, days - 7 * weeks)
        around[row, first:last] = counts[first + 7 * weeks : last + 7 * weeks]
    ordered = np.sort(around, axis=0)
    seen = np.isfinite(around).sum(axis=0)
    ordered[0] = np.nan
    ordered[np.maximum(seen - 1, 0), np.arange(days)[:, None], np.arange(counts.shape[1])[None, :]] = np.nan
    return np.asarray(np.nan_to_num(np.nanmean(ordered, axis=0)), dtype=np.float64)


@dataclass(frozen=True)
class Injected:
    """Counts with surges: `sites` are (day, position among the watched), counted from the first judged day."""

    counts: pd.DataFrame
    sites: Ints
    days: int


def inject(clean: pd.DataFrame, watched: Ints, first: int, name: str, ratio: float, seed: int) -> Injected:
    """Add Poisson extras at random days, some six weeks apart, to every watched series from day `first` on."""
    rng = np.random.default_rng(seed)
    values, extra = clean.to_numpy(dtype=np.float64).copy(), shape(name, ratio)
    expected = usual(values)
    sites = []
    for position, column in enumerate(watched):
        day = first + int(rng.integers(0, APART_DAYS))
        while day + len(extra) <= len(values):
            span = slice(day, day + len(extra))
            values[span, column] += rng.poisson(extra * expected[span, column])
            sites.append((day - first, position))
            day += APART_DAYS + int(rng.integers(-10, 11))
    counts = pd.DataFrame(values, index=clean.index, columns=clean.columns)
    return Injected(counts, np.array(sites, dtype=np.int64).reshape(-1, 2), len(extra))


def false_alarms(up: Bools) -> float:
    """Alarms per series and month, counted as `models.surges.thresholds` counts them."""
    return float(count_alarms(up.astype(np.float64), 0.5).sum() / (up.shape[1] * up.shape[0] / MONTH))


def alarm_weeks(up: Bools) -> float:
    """Weeks in alarm per series and month: the stricter count, in which an alarm that goes on counts every week."""
    weeks = 0
    for column in up.T:
        last = -7
        for day in np.flatnonzero(column):
            if day - last >= 7:
                weeks, last = weeks + 1, int(day)
    return float(weeks / (up.shape[1] * up.shape[0] / MONTH))


def delays(up: Bools, sites: Ints, days: int) -> Floats:
    """Days from the start of each injected surge to its first alarm; infinite where none came during it."""
    first_alarms = np.full(len(sites), np.inf)
    for site, (day, series) in enumerate(sites):
        raised = np.flatnonzero(up[day : day + days, series])
        if len(raised):
            first_alarms[site] = raised[0]
    return first_alarms


def true_share(up: Bools, sites: Ints, days: int) -> float:
    """Share of alarms (runs, joined within a week) that overlap an injected surge."""
    true = total = 0
    for series in range(up.shape[1]):
        marked = np.zeros(len(up), dtype=bool)
        for day, _ in sites[sites[:, 1] == series]:
            marked[day : day + days + 3] = True
        alarm_days = np.flatnonzero(up[:, series])
        if len(alarm_days):
            for run in np.split(alarm_days, np.flatnonzero(np.diff(alarm_days) > 7) + 1):
                total += 1
                true += bool(marked[run[0] : run[-1] + 1].any())
    return true / total if total else 0.0


def thresholds(scored: Scored) -> Floats:
    """Thresholds from strict to lax: quantiles of the scores of the clean counts."""
    scores = np.unique(scored.score[scored.score > 0])[::-1]
    picked = np.unique(np.geomspace(1, len(scores), THRESHOLDS).astype(np.int64) - 1)
    return np.concatenate([[scores[0] * (1 + 1e-9)], scores[picked]])


def curve(clean: Scored, runs: list[tuple[Scored, Injected]], most: float = 1.5) -> list[dict[str, float]]:
    """Points from strict to lax, up to `most` false alarms a month: threshold, rate and what it finds."""
    points: list[dict[str, float]] = []
    highest = 0.0
    for threshold in thresholds(clean):
        up = clean.alarms(float(threshold))
        highest = max(highest, false_alarms(up))
        if highest > most:
            break
        points.append(
            {
                "threshold": float(threshold),
                "false_alarms": highest,
                "alarm_weeks": alarm_weeks(up),
                **found_at(float(threshold), runs),
            }
        )
    return points


def found_at(threshold: float, runs: list[tuple[Scored, Injected]]) -> dict[str, float]:
    """Probability of detection, median delay (of all surges, missed ones never) and true share of alarms."""
    late: list[Floats] = []
    shares = []
    for scored, injected in runs:
        up = scored.alarms(threshold)
        late.append(delays(up, injected.sites, injected.days))
        shares.append(true_share(up, injected.sites, injected.days))
    all_late = np.concatenate(late)
    return {
        "detected": float(np.isfinite(all_late).mean()),
        "delay": float(np.median(all_late)),
        "delay_of_detected": float(np.median(all_late[np.isfinite(all_late)]))
        if np.isfinite(all_late).any()
        else np.inf,
        "ppv": float(np.mean(shares)),
    }


def at_rate(points: list[dict[str, float]], rate: float, key: str = "false_alarms") -> dict[str, Any]:
    """The laxest point of a curve that keeps a rate."""
    within_rate = [point for point in points if point[key] <= rate]
    return dict(within_rate[-1]) if within_rate else {}
