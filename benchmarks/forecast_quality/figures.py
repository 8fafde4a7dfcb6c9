"""Figures of one forecaster over its judged days.

In: judged days with `actual`, `mean` and quantiles, and the panel they end. Out: WAPE, MASE, pinball loss, coverage
and widths, each by its definition.
"""

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.forecast_quality.rivals import INTERVALS, LEVELS, NAMES, POINT_RIVALS, RIVALS
from models.forecasting.distribution import pinball


def figures_of(rows: pd.DataFrame, wide: pd.DataFrame) -> dict[str, Any]:
    """Figures of one forecaster over its judged days.

    `wape`: of the median for the champion and its forecasters, of the forecast itself for rivals (`mean`);
    `wape_of_mean` and `wape_of_median` are both. MASE is scaled by the seasonal-naive errors of the history before
    each window.
    """
    actual = rows["actual"].to_numpy(dtype=np.float64)
    own_point = "mean" if rows["forecaster"].iloc[0] in (*POINT_RIVALS, *RIVALS) else "q50"
    losses = [pinball(actual, rows[name].to_numpy(dtype=np.float64), q) for name, q in zip(NAMES, LEVELS, strict=True)]
    out: dict[str, Any] = {
        "wape": _wape(rows, own_point),
        "wape_pooled": float((rows[own_point] - rows["actual"]).abs().sum() / rows["actual"].sum()),
        "wape_of_mean": _wape(rows, "mean"),
        "wape_of_median": _wape(rows, "q50"),
        "mase": _mase(rows, own_point, wide),
        "pinball": float(np.mean(losses)),
    }
    for level in INTERVALS:
        low, high = (rows[f"q{100 * bound:g}"] for bound in (round((1 - level) / 2, 3), round((1 + level) / 2, 3)))
        out[f"coverage_{100 * level:g}"] = float(((low <= actual) & (actual <= high)).mean())
        out[f"width_{100 * level:g}"] = float((high - low).mean())
    return out


def _wape(rows: pd.DataFrame, point: str) -> float:
    """Mean over windows of Σ|error| / Σcount."""
    by_window = rows.assign(error=(rows[point] - rows["actual"]).abs()).groupby("window")[["error", "actual"]].sum()
    return float((by_window["error"] / by_window["actual"]).mean())


def _mase(rows: pd.DataFrame, point: str, wide: pd.DataFrame) -> float:
    """Mean over series and windows of the absolute error over that of seasonal naive in the history before."""
    scaled = []
    for (place, sector, _), part in rows.groupby(["municipality", "sector", "window"]):
        past = wide.loc[wide.index < part["date"].min(), (place, sector)]
        scaled.append((part[point] - part["actual"]).abs().mean() / past.diff(7).abs().mean())
    return float(np.mean(scaled))
