"""Figures of probabilities: Brier score and skill, reliability (CORP), area under the ROC, and what warnings are worth.

In: judged weeks (`weeks.judged_weeks`). Out: figures by contender. CORP: the reliability curve by isotonic regression,
and the Brier score's parts that follow from it (Dimitriadis, Gneiting & Jordan 2021).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

Floats = npt.NDArray[np.float64]

CONTENDERS = {
    "tsur": "TSUR",
    "raw": "the forecast's own distribution",
    "season": "base rate of the season",
    "base": "base rate of the series",
}
REFERENCE = "base"
RESAMPLES = 1000


def figures_of(rows: pd.DataFrame, names: list[str]) -> dict[str, Any]:
    """Figures of some contenders on the same weeks, their skill over `REFERENCE`."""
    return {name: _figures(rows, name) for name in names}


def _figures(rows: pd.DataFrame, name: str) -> dict[str, Any]:
    passed, said = rows["passed"].to_numpy(dtype=np.float64), rows[name].to_numpy(dtype=np.float64)
    curve = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(said, passed)
    recalibrated = np.asarray(curve.predict(said), dtype=np.float64)
    low, high = skill_interval(rows, name)
    return {
        "brier": float(brier_score_loss(passed, said)),
        "skill": skill(rows, name),
        "skill_interval": [low, high],
        "skill_over_judged_rate": float(1 - brier_score_loss(passed, said) / passed.var()),
        "miscalibration": float(((said - passed) ** 2).mean() - ((recalibrated - passed) ** 2).mean()),
        "reliability_error": float(np.abs(said - recalibrated).mean()),
        "roc_auc": float(roc_auc_score(passed, said)),
    }


def skill(rows: pd.DataFrame, name: str) -> float:
    """Brier skill over the reference."""
    errors, of_reference = _errors(rows, name)
    return float(1 - errors.sum() / of_reference.sum())


def skill_interval(rows: pd.DataFrame, name: str) -> tuple[float, float]:
    """The 95 % interval of the skill; whole weeks are drawn, for what all series do together is one event."""
    errors, of_reference = _errors(rows, name)
    week = rows["start"].factorize()[0]
    weeks = week.max() + 1
    own, base = np.bincount(week, errors), np.bincount(week, of_reference)
    drawn = np.random.default_rng(0).multinomial(weeks, np.full(weeks, 1 / weeks), size=RESAMPLES)
    low, high = np.quantile(1 - (drawn @ own) / (drawn @ base), [0.025, 0.975])
    return float(low), float(high)


def _errors(rows: pd.DataFrame, name: str) -> tuple[Floats, Floats]:
    passed = rows["passed"].to_numpy(dtype=np.float64)
    return (rows[name].to_numpy() - passed) ** 2, (rows[REFERENCE].to_numpy() - passed) ** 2


def warnings_of(rows: pd.DataFrame, least: float) -> dict[str, Any]:
    """What the product's warnings are worth from a probability on: which came true, what they found, days ahead."""
    warned, passed = rows["told"] & (rows["tsur"] >= least), rows["passed"]
    both = rows[warned & passed]
    return {
        "warned": int(warned.sum()),
        "came_true": float((warned & passed).sum() / warned.sum()) if warned.any() else None,
        "found": float((warned & passed).sum() / passed.sum()),
        "median_days_ahead": float(both["days"].median()) if len(both) else None,
    }
