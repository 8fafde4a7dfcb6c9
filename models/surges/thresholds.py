"""Thresholds: how much evidence is an alarm, given the false alarms that a series may give a month.

In: scores, or the past of a panel. Out: one threshold for all series. An alarm is a run of days over
the threshold; runs less than a week apart are one, and one that goes on counts anew every four weeks.
The threshold is the higher of two: what keeps the allowed rate on simulated counts that have no surges
at all, and what would have kept it on the panel's own past, whose true surges make it a little high. The
second is what real counts need: their calm is wilder than any distribution's.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.forecasting.config import SurgeConfig
from models.forecasting.series import NAMES
from models.surges.baseline import rolling_baseline
from models.surges.evidence import Evidence, panel_evidence

Floats = npt.NDArray[np.float64]

MONTH = 365.25 / 12
JOINED_DAYS, ANEW_DAYS = 7, 28
PAST_DAYS = 180
"""A shorter past says too little about rates."""
REFERENCE, RARE = 0.2, 0.1
"""The tail is weighed so that it alone gives a tenth of the alarms that accumulated evidence gives, at the
point where that gives `REFERENCE` a month."""
WEIGHTS = (0.05, 1.5)
MOST_RAISED = 2.0
"""The past raises the simulated threshold so many times at most: a year of disasters must not blind."""


def alarms(score: Floats, threshold: float) -> npt.NDArray[np.int64]:
    """How many alarms each series of `score` (days × series) gives."""
    days, series = score.shape
    counted = np.zeros(series, dtype=np.int64)
    last, begun = np.full(series, -days - ANEW_DAYS), np.full(series, -days - ANEW_DAYS)
    over = score >= threshold
    for day in np.flatnonzero(over.any(axis=1)):
        up = over[day]
        new = up & ((day - last > JOINED_DAYS) | (day - begun >= ANEW_DAYS))
        counted += new
        begun = np.where(new, day, begun)
        last = np.where(up, day, last)
    return counted


def alarm_rate(score: Floats, threshold: float) -> float:
    """Alarms per series and month."""
    return float(alarms(score, threshold).sum() / (score.shape[1] * score.shape[0] / MONTH))


def threshold_for(score: Floats, rate: float) -> float:
    """The lowest threshold from which upwards there are at most `rate` alarms per series and month."""
    found = np.unique(score[score > 0])[::-1]
    if not len(found):
        return 0.0
    steps = found[np.unique(np.geomspace(1, len(found), 200).astype(np.int64) - 1)]
    least = float(found[0]) + 1e-6
    for step in steps:
        if alarm_rate(score, float(step)) > rate:
            break
        least = float(step)
    return least


@dataclass(frozen=True)
class Thresholds:
    """`alarm`: evidence that is an alarm; `tail_weight`: how much the predictive tail weighs in it."""

    alarm: float
    tail_weight: float


def surge_thresholds(config: SurgeConfig) -> Thresholds:
    """What the config states, and else what keeps its rate on simulated counts."""
    if config.threshold is not None and config.tail_weight is not None:
        return Thresholds(config.threshold, config.tail_weight)
    simulated = _simulated(config.false_alarms_per_month, config.window_days)
    return Thresholds(config.threshold or simulated.alarm, config.tail_weight or simulated.tail_weight)


def learned_thresholds(counts: pd.DataFrame, config: SurgeConfig, calendar: str = "none") -> Thresholds:
    """The thresholds for a panel (base series) with a past: see the module. What the config states is kept."""
    simulated = surge_thresholds(config)
    stated = config.threshold is not None and config.tail_weight is not None
    if stated or len(counts) < PAST_DAYS or counts.shape[1] == 0:
        return simulated
    base = rolling_baseline(counts, calendar)
    evidence = panel_evidence(counts, base.means, base.daily, base.weekly, config.window_days)
    past = _kept(evidence, config.false_alarms_per_month)
    return Thresholds(
        config.threshold or float(np.clip(past.alarm, simulated.alarm, MOST_RAISED * simulated.alarm)),
        config.tail_weight or min(past.tail_weight, simulated.tail_weight),
    )


def with_learned_thresholds(config: SurgeConfig, counts: pd.DataFrame, calendar: str) -> SurgeConfig:
    """The config with the thresholds learned from a panel stated in it, as a bundle keeps them."""
    learned = learned_thresholds(counts, config, calendar)
    return config.model_copy(update={"threshold": learned.alarm, "tail_weight": learned.tail_weight})


def _kept(evidence: Evidence, rate: float) -> Thresholds:
    """What keeps the rate on given evidence; the first four weeks only teach."""
    scanned, tail = evidence.scanned[28:], evidence.tail[28:]
    rare = threshold_for(tail, RARE * REFERENCE)
    weight = threshold_for(scanned, REFERENCE) / rare if rare > 0 else 1.0
    return Thresholds(threshold_for(evidence.score(weight)[28:], rate), float(np.clip(weight, *WEIGHTS)))


@lru_cache(maxsize=16)
def _simulated(rate: float, window_days: int, seed: int = 0) -> Thresholds:
    """The thresholds on series of 1 to 60 a day that have no surge, only over-dispersed days and weeks."""
    rng = np.random.default_rng(seed)
    days, copies = 1460, 8
    level = np.repeat([1.0, 4.0, 15.0, 60.0], copies)
    spread = np.tile([0.03, 0.06, 0.12, 0.25], copies)
    weekday = np.array([1.2, 1.15, 1.1, 1.1, 1.05, 0.75, 0.65])[np.arange(days) % 7]
    mean = weekday[:, None] * level
    # Half of the dispersion lasts for a week, half is gone on the next day.
    weeks = rng.gamma(2 / spread, spread / 2, (days // 7 + 1, len(level)))[np.arange(days) // 7]
    counts = rng.poisson(mean * weeks * rng.gamma(2 / spread, spread / 2, mean.shape)).astype(np.float64)
    panel = pd.DataFrame(counts, index=pd.date_range("2000-01-03", periods=days, freq="D", name="date"))
    panel.columns = pd.MultiIndex.from_tuples([("region", str(index)) for index in panel.columns], names=NAMES)
    base = rolling_baseline(panel)
    return _kept(panel_evidence(panel, base.means, base.daily, base.weekly, window_days), rate)
