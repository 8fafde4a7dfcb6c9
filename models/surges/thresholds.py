"""Thresholds: how much evidence is an alarm, given the false alarms that a series may give a month.

In: scores, or the past of a panel. Out: one threshold for all series, and how much a single day weighs. An alarm is a
run of days over the threshold; runs less than a week apart are one, and one that goes on counts anew every four weeks.
The decision worth knowing: both are learned from the panel's own past, where they would have kept the allowed rate;
the fewer alarms that past allows, the nearer they stay to what keeps the rate on simulated counts. True
surges of the past count as false, so the rate is a little too careful.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.forecasting.config import SurgeConfig
from models.forecasting.series import NAMES
from models.surges.baseline import rolling_baseline
from models.surges.evidence import Evidence, surge_evidence

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MONTH = 365.25 / 12
JOINED_DAYS, ANEW_DAYS = 7, 28
"""Runs of alarms so many days apart at most are one; one that goes on counts again after so many."""
TEACHING_DAYS = 60
"""The first two months of a past only teach its baseline: until then it errs more than later."""
PAST_DAYS = 180
"""A shorter past says too little about rates."""
REFERENCE_RATE, DAY_SHARE = 0.5, 0.2
"""Where `REFERENCE_RATE` false alarms are allowed a month, a fifth of them is given to single days, the rest to
accumulated evidence. At stricter rates single days get less by themselves, as they count by their logarithm."""
SMALLEST_WEIGHT, LARGEST_WEIGHT = 0.05, 1.5
"""A single day never counts for nothing, nor for much more than accumulated evidence."""
PRIOR_ALARMS = 5.0
"""A past in which so many alarms are allowed says as much about the threshold as the simulation."""
MOST_MOVED = 2.0
"""The past raises or lowers the simulated threshold so many times at most: a year of disasters must not blind."""
THRESHOLDS_TRIED = 200
"""Evenly spread over the logarithms of ranks: finer steps change no rate by a hundredth."""
TRIED_AT_ONCE = 20
"""Thresholds whose alarms are counted in one pass over the days."""


def count_alarms(score: Floats, threshold: float) -> Ints:
    """How many alarms each series of `score` (days × series) gives."""
    return np.asarray(_count_alarms_at(score, np.array([threshold]))[0])


def _count_alarms_at(score: Floats, thresholds: Floats) -> Ints:
    """How many alarms each series of `score` (days × series) gives at each threshold: thresholds × series."""
    days, series = score.shape
    shape = len(thresholds), series
    alarms = np.zeros(shape, dtype=np.int64)
    last_over, begun = (np.full(shape, -days - ANEW_DAYS) for _ in range(2))
    for day in np.flatnonzero((score >= thresholds.min()).any(axis=1)):
        over = score[day] >= thresholds[:, None]
        new = over & ((day - last_over > JOINED_DAYS) | (day - begun >= ANEW_DAYS))
        alarms += new
        begun[new] = day
        last_over[over] = day
    return alarms


def _alarm_rates(score: Floats, thresholds: Floats) -> Floats:
    """Alarms per series and month at each threshold."""
    days, series = score.shape
    return np.asarray(_count_alarms_at(score, thresholds).sum(axis=1) / (series * days / MONTH))


def threshold_for(score: Floats, rate: float) -> float:
    """The lowest threshold from which upwards there are at most `rate` alarms per series and month."""
    values = np.unique(score[score > 0])[::-1]
    if not len(values):
        return 0.0
    ranks = np.unique(np.geomspace(1, len(values), THRESHOLDS_TRIED).astype(np.int64) - 1)
    lowest = float(values[0]) + 1e-6
    for first in range(0, len(ranks), TRIED_AT_ONCE):
        candidates = values[ranks[first : first + TRIED_AT_ONCE]]
        too_many = np.flatnonzero(_alarm_rates(score, candidates) > rate)
        kept = candidates[: too_many[0]] if len(too_many) else candidates
        lowest = float(kept[-1]) if len(kept) else lowest
        if len(too_many):
            break
    return lowest


@dataclass(frozen=True)
class Thresholds:
    """`alarm`: evidence that is an alarm; `day_weight`: how much a single day weighs in it."""

    alarm: float
    day_weight: float


def surge_thresholds(config: SurgeConfig) -> Thresholds:
    """What the config states, and else what keeps its rate on simulated counts."""
    if config.threshold is not None and config.day_weight is not None:
        return Thresholds(config.threshold, config.day_weight)
    simulated = _simulated_thresholds(config.false_alarms_per_month, config.window_days)
    return Thresholds(config.threshold or simulated.alarm, config.day_weight or simulated.day_weight)


def thresholds_from(evidence: Evidence, config: SurgeConfig, columns: Ints) -> Thresholds:
    """The thresholds that the evidence of a past teaches, of some of its columns; what the config states is kept."""
    simulated = surge_thresholds(config)
    stated = config.threshold is not None and config.day_weight is not None
    if stated or len(evidence.scan) < PAST_DAYS or not len(columns):
        return simulated
    past = _thresholds_that_keep(config.false_alarms_per_month, evidence, columns)
    allowed = config.false_alarms_per_month * len(columns) * len(evidence.scan) / MONTH
    trusted = allowed / (allowed + PRIOR_ALARMS)

    def between(of_past: float, of_simulation: float) -> float:
        ratio = np.clip(of_past / of_simulation, 1 / MOST_MOVED, MOST_MOVED)
        return float(of_simulation * ratio**trusted)

    return Thresholds(
        config.threshold or between(past.alarm, simulated.alarm),
        config.day_weight or between(past.day_weight, simulated.day_weight),
    )


def _thresholds_that_keep(rate: float, evidence: Evidence, columns: Ints) -> Thresholds:
    """What would have given so many alarms per series and month on some series of given evidence."""
    scan, sudden = (values[TEACHING_DAYS:][:, columns] for values in (evidence.scan, evidence.sudden))
    of_scan = threshold_for(scan, (1 - DAY_SHARE) * REFERENCE_RATE)
    of_day = threshold_for(sudden, DAY_SHARE * REFERENCE_RATE)
    weight = of_scan / of_day if of_day > 0 else 1.0
    weight = float(np.clip(weight, SMALLEST_WEIGHT, LARGEST_WEIGHT))
    return Thresholds(threshold_for(np.maximum(scan, weight * sudden), rate), weight)


@lru_cache(maxsize=16)
def _simulated_thresholds(rate: float, window_days: int) -> Thresholds:
    counts = _counts_without_surges()
    evidence = surge_evidence(counts, rolling_baseline(counts), window_days)
    return _thresholds_that_keep(rate, evidence, np.arange(counts.shape[1]))


def _counts_without_surges() -> pd.DataFrame:
    """Four years of series of 1 to 60 a day that have no surge, only over-dispersed days and weeks."""
    rng = np.random.default_rng(0)
    days, copies = 1460, 8
    level = np.repeat([1.0, 4.0, 15.0, 60.0], copies)
    dispersion = np.tile([0.03, 0.06, 0.12, 0.25], copies)
    weekday = np.array([1.2, 1.15, 1.1, 1.1, 1.05, 0.75, 0.65])[np.arange(days) % 7]
    mean = weekday[:, None] * level
    # Half of the dispersion lasts for a week, half is gone on the next day.
    half_shape, half_scale = 2 / dispersion, dispersion / 2
    of_week = rng.gamma(half_shape, half_scale, (days // 7 + 1, len(level)))[np.arange(days) // 7]
    of_day = rng.gamma(half_shape, half_scale, mean.shape)
    counts = rng.poisson(mean * of_week * of_day).astype(np.float64)
    columns = pd.MultiIndex.from_tuples([("region", str(number)) for number in range(len(level))], names=NAMES)
    return pd.DataFrame(counts, pd.date_range("2000-01-03", periods=days, freq="D", name="date"), columns)
