"""The detectors of the surge benchmark: each gives every day of every watched series a score.

In: a `Trial`, counts with or without injected surges. Out: a `Scored`, whose alarms at any threshold can be
asked for. The rivals are written from their papers. Two favours to them: Prophet and the regressions
are fitted on the counts *without* the injected surges, so that these never spoil their baselines, and the
CUSUM looks for exactly the surge that the headline injects.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.surge_quality.regressions import design, log_tail, quasi_poisson
from models.forecasting.config import SurgeConfig
from models.forecasting.distribution import SMALLEST_MEAN
from models.surges.baseline import rolling_baseline
from models.surges.evidence import surge_evidence
from models.surges.past import Past

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

CUSUM_RATIO = 2.0
"""The surge that the CUSUM is tuned to: the headline of the benchmark."""
HISTORY_DAYS = 3 * 365
EXCLUDED_DAYS = 14
REFIT_DAYS = 7
"""What the regressions are fitted on: at most three years, without the last two weeks, in which a surge may have
begun; fitted anew each week."""
LEVEL_DAYS, GUARD_DAYS = 14, 2
"""What a series' present level is taken from, and the days before the judged one that are left out of it."""
DEVIATION = 0.3
"""How much a series' own weekdays and seasons usually deviate from those of all, as a logarithm."""
LEAST_DEVIATION = 0.5
"""Complaints: a series that never varied would make any count a surge."""


@dataclass(frozen=True)
class Trial:
    """Counts to watch.

    Attributes:
        counts: every day × all series of the data set, perhaps with injected surges.
        clean: the same without.
        watched: which columns are judged.
        first: the first day that is judged; all days up to the last one are.
        folder: where fits are kept.
        prophet_days: Prophet is fitted anew after so many days.
        calendar: what our own baseline may know of days off.
        day_weight: what our own detector learned from the days before the judged ones.
        past: those days, judged.
    """

    counts: pd.DataFrame
    clean: pd.DataFrame
    watched: Ints
    first: int
    folder: Path
    prophet_days: int = 28
    calendar: str = "none"
    day_weight: float = 1.0
    past: Past | None = None

    def judged(self, values: Floats) -> Floats:
        """The judged days of the watched series."""
        return values[self.first :][:, self.watched]


@dataclass(frozen=True)
class Scored:
    """Scores of the judged days × watched series; a CUSUM of the daily terms `restarts` starts over when it alarms."""

    score: Floats
    restarts: Floats | None = None

    def alarms(self, threshold: float) -> Bools:
        """Which days alarm."""
        if self.restarts is None:
            return self.score >= threshold
        up = np.zeros(self.restarts.shape, dtype=bool)
        state = np.zeros(self.restarts.shape[1])
        for day, term in enumerate(self.restarts):
            state = np.maximum(state + term, 0.0)
            up[day] = state >= threshold
            state[up[day]] = 0.0
        return up


def ours(trial: Trial) -> Scored:
    """TSUR: evidence over its own rolling baseline; how much a single day weighs is learned before the judged days."""
    evidence = surge_evidence(trial.counts, rolling_baseline(trial.counts, trial.calendar), 7)
    return Scored(trial.judged(evidence.score(trial.day_weight)))


def with_learned_past(trial: Trial) -> Trial:
    """The trial with what training would learn from all counts before its first judged day."""
    past = Past.of(trial.clean.iloc[: trial.first], trial.calendar, SurgeConfig().window_days)
    return replace(trial, past=past, day_weight=past.thresholds(SurgeConfig(), trial.watched).day_weight)


def ears(guard: int, summed: int = 1) -> Callable[[Trial], Scored]:
    """EARS (Hutwagner et al. 2003): C1 has no guard band, C2 one of two days, C3 adds three days of C2."""

    def score(trial: Trial) -> Scored:
        counts = trial.counts.iloc[:, trial.watched]
        past = counts.shift(1 + guard).rolling(7, min_periods=5)
        deviation = past.std().clip(lower=LEAST_DEVIATION)
        z = ((counts - past.mean()) / deviation).fillna(0.0).to_numpy()
        if summed > 1:
            over = pd.DataFrame(np.maximum(z - 1, 0.0))
            z = over.rolling(summed, min_periods=1).sum().to_numpy()
        return Scored(z[trial.first :])

    return score


def prophet(trial: Trial) -> Scored:
    """Prophet with its defaults: how far a count lies beyond the mean, in half-widths of the 95 % interval."""
    fits = [_prophet_of(trial, column) for column in trial.watched]
    mean, half = np.stack([fit[0] for fit in fits], axis=1), np.stack([fit[1] for fit in fits], axis=1)
    y = trial.judged(trial.counts.to_numpy(dtype=np.float64))
    return Scored(np.nan_to_num((y - mean) / np.maximum(half, 0.5)))


def _prophet_of(trial: Trial, column: int) -> tuple[Floats, Floats]:
    """Mean and half-width of the judged days of one series, kept in the folder."""
    path = trial.folder / f"prophet-{trial.prophet_days}-{column}.json"
    if path.is_file():
        finished = json.loads(path.read_text())
        return np.array(finished["mean"]), np.array(finished["half"])
    logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # "Importing plotly failed"
    from prophet import Prophet

    logging.getLogger("cmdstanpy").disabled = True
    series = trial.clean.iloc[:, column]
    means, halves = [], []
    for start in range(trial.first, len(series), trial.prophet_days):
        ahead = series.index[start : start + trial.prophet_days]
        past = pd.DataFrame({"ds": series.index[:start], "y": series.to_numpy()[:start]}).dropna()
        model = Prophet(interval_width=0.95, uncertainty_samples=200).fit(past, seed=0)
        np.random.seed(0)  # Prophet draws its intervals from numpy's global generator
        forecast = model.predict(pd.DataFrame({"ds": ahead}))
        means += forecast["yhat"].tolist()
        halves += ((forecast["yhat_upper"] - forecast["yhat_lower"]) / 2).tolist()
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"mean": means, "half": halves}))
    partial.replace(path)
    return np.array(means), np.array(halves)


def farrington(trial: Trial) -> Scored:
    """Farrington et al. 1996 as made flexible by Noufaily et al. 2013, for days: a quasi-Poisson regression."""
    mean, dispersion = _regressions(trial)
    y = trial.judged(trial.counts.to_numpy(dtype=np.float64))
    alpha = np.maximum(dispersion - 1, 1e-3) / np.maximum(mean, 0.02)
    return Scored(log_tail(np.nan_to_num(y), mean, alpha))


def cusum(trial: Trial) -> Scored:
    """The negative-binomial CUSUM of Höhle & Paul 2008 over the same regression; it restarts when it alarms."""
    mean, dispersion = _regressions(trial)
    y = np.nan_to_num(trial.judged(trial.counts.to_numpy(dtype=np.float64)))
    mean = np.maximum(mean, 0.02)
    alpha = np.maximum(dispersion - 1, 1e-3) / mean.mean(axis=0)
    usual, surge = 1 + alpha * mean, 1 + alpha * CUSUM_RATIO * mean
    terms = y * np.log(CUSUM_RATIO * usual / surge) - np.log(surge / usual) / alpha
    state, scores = np.zeros(y.shape[1]), np.zeros(y.shape)
    for day, term in enumerate(terms):
        state = np.maximum(state + term, 0.0)
        scores[day] = state
    return Scored(scores, terms)


def _regressions(trial: Trial) -> tuple[Floats, Floats]:
    """Means and quasi-Poisson dispersions of the judged days of the watched series, kept in the folder."""
    path = trial.folder / "regressions.npz"
    if path.is_file():
        with np.load(path) as finished:
            return finished["mean"], finished["dispersion"]
    clean = trial.clean.to_numpy(dtype=np.float64)
    days = len(clean) - trial.first
    mean, dispersion = np.zeros((days, len(trial.watched))), np.ones((days, len(trial.watched)))
    weekday = np.asarray(pd.DatetimeIndex(trial.clean.index).weekday)
    for start in range(trial.first, len(clean), REFIT_DAYS):
        end = min(start + REFIT_DAYS, len(clean))
        past = np.arange(max(0, start - EXCLUDED_DAYS - HISTORY_DAYS), start - EXCLUDED_DAYS)
        columns = design(np.concatenate([past, np.arange(start, end)]), weekday, len(past) > 540)
        for at, column in enumerate(trial.watched):
            y = clean[past, column]
            seen = np.isfinite(y)
            coefficients, phi = quasi_poisson(columns[: len(past)][seen], y[seen])
            mean[start - trial.first : end - trial.first, at] = np.exp(
                np.clip(columns[len(past) :] @ coefficients, -6, 9)
            )
            dispersion[start - trial.first : end - trial.first, at] = phi
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, mean=mean, dispersion=dispersion)
    partial.replace(path)
    return mean, dispersion


def rammie(trial: Trial) -> Scored:
    """A daily version of RAMMIE (Morbey et al. 2015), "rising activity, multi-level mixed effects, indicator emphasis".

    Mixed effects: weekdays and seasons of all series together, and each series' own deviations from them, drawn towards
    none. Rising activity: a count must be unlikely both by that season and by the level of the last fortnight. Left
    out is the emphasis of indicators, which weighs one system of health care against another.
    """
    mean, dispersion = _mixed_effects(trial)
    counts = trial.counts.iloc[trial.first - LEVEL_DAYS - GUARD_DAYS :, trial.watched]
    level = counts.shift(GUARD_DAYS).rolling(LEVEL_DAYS, min_periods=LEVEL_DAYS // 2).sum()
    usual = pd.DataFrame(mean, index=counts.index).where(counts.notna().to_numpy())
    usual = usual.shift(GUARD_DAYS).rolling(LEVEL_DAYS, min_periods=LEVEL_DAYS // 2).sum()
    rising = np.nan_to_num(level.to_numpy() / np.maximum(usual.to_numpy(), SMALLEST_MEAN), nan=1.0)
    expected = (mean * np.maximum(rising, 1.0))[LEVEL_DAYS + GUARD_DAYS :]
    y = trial.judged(trial.counts.to_numpy(dtype=np.float64))
    alpha = np.maximum(dispersion - 1, 1e-3) / np.maximum(mean.mean(axis=0), SMALLEST_MEAN)
    return Scored(log_tail(np.nan_to_num(y), expected, np.broadcast_to(alpha, y.shape)))


def _mixed_effects(trial: Trial) -> tuple[Floats, Floats]:
    """Means of the judged days and those of the level before them, and dispersions of the watched series, kept."""
    path = trial.folder / "mixed-effects.npz"
    if path.is_file():
        with np.load(path) as finished:
            return finished["mean"], finished["dispersion"]
    clean = trial.clean.to_numpy(dtype=np.float64)[:, trial.watched]
    lead = trial.first - LEVEL_DAYS - GUARD_DAYS
    mean, dispersion = np.zeros((len(clean) - lead, clean.shape[1])), np.ones(clean.shape[1])
    weekday = np.asarray(pd.DatetimeIndex(trial.clean.index).weekday)
    for start in range(lead, len(clean), REFIT_DAYS):
        end = min(start + REFIT_DAYS, len(clean))
        past = np.arange(max(0, start - EXCLUDED_DAYS - HISTORY_DAYS), start - EXCLUDED_DAYS)
        columns = design(np.concatenate([past, np.arange(start, end)]), weekday, len(past) > 540)
        of_all = columns @ quasi_poisson(columns[: len(past)], np.nansum(clean[past], axis=1))[0]
        for column in range(clean.shape[1]):
            y = clean[past, column]
            seen = np.flatnonzero(np.isfinite(y))
            own, dispersion[column] = quasi_poisson(columns[seen], y[seen], of_all[seen], 1 / DEVIATION**2)
            fitted = (columns @ own + of_all)[len(past) :]
            mean[start - lead : end - lead, column] = np.exp(np.clip(fitted, -6, 9))
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, mean=mean, dispersion=dispersion)
    partial.replace(path)
    return mean, dispersion


DETECTORS: dict[str, tuple[str, Callable[[Trial], Scored]]] = {
    "tsur": ("TSUR", ours),
    "ears_c1": ("EARS C1", ears(0)),
    "ears_c2": ("EARS C2", ears(2)),
    "ears_c3": ("EARS C3", ears(2, 3)),
    "prophet": ("Prophet interval", prophet),
    "cusum": ("NB CUSUM", cusum),
    "farrington": ("Farrington flexible", farrington),
    "rammie": ("RAMMIE, daily", rammie),
}
