"""The probability that a coming week's total passes its level, learned from the region's own past weeks.

In: of a week, what is forecast for it and what the days before it were, against its level. Out: a probability. A
logistic regression over all series together: a forecast's own distribution says too little here, for weeks above their
level come in runs, and the forecast has half forgotten the last one. Whether it has skill is judged on the newest third
of the past weeks, by weights learned before them (Brier skill over the share of weeks that passed their level until
then); without skill nothing is expected.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.forecasting.config import LearnedExceedance, SurgeConfig

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

WEEK = 7
FOUR_WEEKS = 28
LEAST_WEEKS = 4
"""Weekly totals, one a day, of so many weeks are the least that a level is the quantile of."""
LEAST_LEVEL = 7.0
"""Learned from are series that now and then have a complaint a day: of smaller ones a level says little."""
LEAST_PASSED = 10
"""Weeks above their level to learn from, and to judge by."""
JUDGED_SHARE = 1 / 3
RIDGE = 1.0
"""Of the slopes, of features with a standard deviation of 1: hardly any with hundreds of weeks."""


@dataclass(frozen=True)
class ComingWeeks:
    """Weeks, of one series or of many, as known on the day before each; all are weekly totals, in one order.

    Attributes:
        level: to be passed.
        outlook: forecast for the week.
        last_week: of the week before.
        four_weeks: a week's mean of the four before.
        highest_day: seven times the highest day of the week before.
    """

    level: Floats
    outlook: Floats
    last_week: Floats
    four_weeks: Floats
    highest_day: Floats

    def features(self) -> Floats:
        """Logarithms over the level, weeks × 4; NaN where something is not known."""
        parts = (self.outlook, self.last_week, self.four_weeks, self.highest_day)
        return np.column_stack([np.log((part + 1) / (self.level + 1)) for part in parts])


def coming_weeks(counts: pd.DataFrame, outlook: pd.DataFrame, levels: pd.DataFrame) -> ComingWeeks:
    """The weeks that begin on each day, in the order of the flattened panel (days × series).

    Args:
        counts: days × series, NaN where nothing was observed; a week needs most of its days.
        outlook: forecast totals of the seven days from each day on.
        levels: to be passed by them.
    """
    before = counts.shift(1)
    last = before.rolling(WEEK, min_periods=WEEK - 2)
    panels = (
        levels,
        outlook,
        last.mean() * WEEK,
        before.rolling(FOUR_WEEKS, min_periods=2 * WEEK).mean() * WEEK,
        last.max() * WEEK,
    )
    return ComingWeeks(*(panel.to_numpy(dtype=np.float64).ravel() for panel in panels))


def worth_telling(level: Floats, usual: Floats, config: SurgeConfig) -> Bools:
    """Where passing the level is a surge: it is large enough in itself, and beside a usual week."""
    return np.asarray(np.floor(level) + 1 >= np.maximum(config.min_count, config.min_ratio * usual))


def past_levels(counts: pd.DataFrame, config: SurgeConfig, quantile: float | None = None) -> pd.DataFrame:
    """The level of the week that begins on each day: a quantile of the series' own weekly totals before it.

    `quantile`: another than the config's; the half is what is usual.
    """
    totals = counts.rolling(WEEK).sum()
    memory = totals.rolling(WEEK * config.level_weeks, min_periods=WEEK * LEAST_WEEKS)
    return memory.quantile(quantile or config.level_quantile).shift(1)


def learned_exceedance(counts: pd.DataFrame, outlook: pd.DataFrame, config: SurgeConfig) -> LearnedExceedance | None:
    """What past weeks teach, one a week counted back from the last; None where too few passed their level.

    Args:
        counts: days × base series.
        outlook: see `coming_weeks`; each day's from the days before it.
        config: says what the level is.
    """
    weeks = coming_weeks(counts, outlook, past_levels(counts, config))
    totals = counts.rolling(WEEK).sum().shift(1 - WEEK).to_numpy(dtype=np.float64).ravel()
    day = np.repeat(np.arange(len(counts)), counts.shape[1])
    x = weeks.features()
    known = np.isfinite(x).all(axis=1) & np.isfinite(totals) & (weeks.level >= LEAST_LEVEL)
    used = known & ((len(counts) - day) % WEEK == 0)
    x, passed, day = x[used], totals[used] > np.floor(weeks.level[used]), day[used]
    if not LEAST_PASSED <= passed.sum() < len(passed):
        return None
    intercept, slopes = _fitted(x, passed)
    skill = _skill(x, passed, day)
    return LearnedExceedance(intercept=intercept, slopes=slopes, weeks=len(passed), skill=skill)


def probabilities(learned: LearnedExceedance, weeks: ComingWeeks) -> Floats:
    """That each week's total passes its level; NaN where something is not known."""
    return _probabilities(learned.intercept, learned.slopes, weeks.features())


def _probabilities(intercept: float, slopes: list[float], x: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(expit(intercept + x @ np.asarray(slopes)), dtype=np.float64)


def _fitted(x: Floats, passed: Bools) -> tuple[float, list[float]]:
    from sklearn.linear_model import LogisticRegression

    mean, deviation = x.mean(axis=0), x.std(axis=0) + 1e-9
    fit = LogisticRegression(C=1 / RIDGE, max_iter=1000).fit((x - mean) / deviation, passed)
    slopes = fit.coef_[0] / deviation
    return float(fit.intercept_[0] - slopes @ mean), slopes.tolist()


def _skill(x: Floats, passed: Bools, day: npt.NDArray[np.int64]) -> float | None:
    """Brier skill on the newest third of the weeks; None where they or those before are too few."""
    first = np.quantile(day, 1 - JUDGED_SHARE)
    before, judged = day < first, day >= first
    if min(passed[before].sum(), passed[judged].sum()) < LEAST_PASSED / 2 or passed[before].all():
        return None
    said = _probabilities(*_fitted(x[before], passed[before]), x[judged])
    usual = passed[before].mean()
    errors, of_usual = ((said - passed[judged]) ** 2).mean(), ((usual - passed[judged]) ** 2).mean()
    return float(1 - errors / of_usual)
