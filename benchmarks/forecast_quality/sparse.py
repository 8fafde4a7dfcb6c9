"""The median of small counts: its error over series below 2 a day, beside the plain negative binomial's.

In: daily counts of such series. Out: their figures. The champions are judged as in the benchmark's other table, and
both medians have the same means and dispersions, so that only what calibration does to the median tells them apart.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.forecasting.config import ForecasterConfig
from models.forecasting.distribution import quantiles
from training.forecaster.backtest import Progress, backtest

MEDIAN = 0.5


def sparse_figures(
    counts: pd.DataFrame, config: ForecasterConfig, windows: int, folder: Path, progress: Progress
) -> dict[str, Any]:
    """Mean absolute errors of the two medians over the `windows` judged last."""
    judged = backtest(counts, config, progress, folder).judged
    judged = judged[judged["window"] < windows]
    return {"series": int(counts["sector"].nunique()), "days": len(judged), **median_errors(judged)}


def median_errors(judged: pd.DataFrame) -> dict[str, float]:
    """Mean absolute errors of `q50` and of the plain median, from days with `actual`, `mean` and `dispersion`."""
    off = (judged["q50"] - judged["actual"]).abs()
    plain = (plain_median(judged) - judged["actual"]).abs()
    return {"mae_q50": float(off.mean()), "mae_plain_median": float(plain.mean())}


def plain_median(judged: pd.DataFrame) -> "pd.Series[float]":
    """The median of the negative binomial around each day's mean."""
    parts = []
    for dispersion, rows in judged.groupby("dispersion"):
        medians = quantiles(rows["mean"], float(str(dispersion)), [MEDIAN])[:, 0]
        parts.append(pd.Series(medians.astype(np.float64), index=rows.index))
    return pd.concat(parts).reindex(judged.index)
