"""Model selection: the champion of each series, and forecasts of days that came after it was chosen.

In: `errors`, the backtest's predictions of observed days (`PREDICTIONS` of `backtest.py`) with their `absolute` and
`squared` errors. Out: champions, and the held-out rows of champions. Two decisions worth knowing. A champion is
judged only on windows that came after all it was chosen and calibrated on (`held_out`). And a series' own windows are
few: its forecasters are compared by their own errors shrunk towards those of all series together, so that it leaves
the forecaster that is best everywhere only on clear evidence.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.counts.daily import KEY
from models.forecasting.distribution import quantile_levels, quantile_name
from models.forecasting.forecasters.available import COMBINATION, SIMPLEST_FIRST
from models.forecasting.series import SeriesKey
from training.forecaster.uncertainty import by_series, conformal_of, daily_dispersions, predicted_quantiles

Floats = npt.NDArray[np.float64]

WINDOW_PRIOR = 12
"""How many windows of a series' own errors those of all series together are worth: with its usual handful, a series
is judged by the others first."""
LEAN = 0.05
"""What another forecaster's log loss must be below the combination's: mixed forecasts are rarely the worst, and
the best of yesterday is often not that of tomorrow."""
LEAST_LOSS = 1.0
"""Added to losses before they are compared: a series with two complaints tells nothing."""
SAME = 9
"""Scores that agree to so many decimals are ties, and ties go to the simpler: sums in another order must not decide."""


def choose_champions(errors: pd.DataFrame, sparse: dict[SeriesKey, bool]) -> dict[SeriesKey, str]:
    """The best forecaster of each series; ties go to the simpler.

    The loss is the absolute error, of sparse series the squared: absolute error there rewards forecasting zero.
    """
    is_sparse = np.array([sparse[SeriesKey(*key)] for key in pd.MultiIndex.from_frame(errors[KEY])], dtype=bool)
    champions: dict[SeriesKey, str] = {}
    for loss, rows in (("absolute", errors[~is_sparse]), ("squared", errors[is_sparse])):
        if len(rows):
            best = _scores(rows, loss).idxmin(axis=1)
            for place, sector in best.index:
                champions[SeriesKey(str(place), str(sector))] = str(best[place, sector])
    return {key: champions[key] for key in sorted(champions)}


def _scores(rows: pd.DataFrame, loss: str) -> pd.DataFrame:
    """Series × forecasters, the simplest first: the lower, the better; infinite where there is no prediction.

    A score is the logarithm of a loss over that of the series' simplest forecaster: its own, by the number of its
    windows, and that of all series of its kind together, worth `WINDOW_PRIOR` windows.
    """
    losses = rows.groupby([*KEY, "forecaster"])[loss].sum().unstack("forecaster")
    losses = losses[[name for name in SIMPLEST_FIRST if name in losses]]
    simplest = losses.iloc[:, 0]
    own = pd.DataFrame(np.log((losses + LEAST_LOSS).div(simplest + LEAST_LOSS, axis=0)))
    of_all = pd.Series({name: _log_loss_of_all(losses[name], simplest) for name in losses})
    windows = rows.groupby(KEY)["window"].nunique().reindex(losses.index)
    scores: pd.DataFrame = (own.mul(windows, axis=0) + WINDOW_PRIOR * of_all).div(windows + WINDOW_PRIOR, axis=0)
    scores += LEAN * (scores.columns != COMBINATION)
    return scores.fillna(np.inf).round(SAME)


def _log_loss_of_all(losses: "pd.Series[float]", simplest: "pd.Series[float]") -> float:
    """Log loss of a forecaster over the simplest, over the series that have both."""
    both = losses.notna() & simplest.notna()
    if not both.any():
        return 0.0
    return float(np.log((losses[both].sum() + LEAST_LOSS) / (simplest[both].sum() + LEAST_LOSS)))


def held_out(errors: pd.DataFrame, sparse: dict[SeriesKey, bool], intervals: list[float]) -> pd.DataFrame:
    """The rows of each window's champions, as chosen and calibrated on the windows before it.

    Columns added: `dispersion`, and a quantile for each bound of the `intervals` and for the median.
    A series' oldest window has none before it and is left out, so with one window there are no rows.
    """
    levels = quantile_levels(intervals)
    none = errors.iloc[:0].assign(dispersion=0.0, **{quantile_name(level): 0.0 for level in levels})
    parts = [none]
    for window in sorted(set(errors["window"]))[:-1]:
        before = errors[errors["window"] > window]
        champions = choose_champions(before, sparse)
        past = of_champions(before, champions)
        past_rows = dict(by_series(past))
        dispersions = daily_dispersions(past_rows, past)
        conformal = conformal_of(past_rows, dispersions, above=set())
        for key, rows in by_series(of_champions(errors[errors["window"] == window], champions)):
            quantiles = predicted_quantiles(rows, dispersions[key], conformal, levels)
            parts.append(rows.assign(dispersion=dispersions[key], **quantiles))
    return pd.concat(parts)


def of_champions(predictions: pd.DataFrame, champions: dict[SeriesKey, str]) -> pd.DataFrame:
    """The rows of each series' champion."""
    names = pd.MultiIndex.from_frame(predictions[[*KEY, "forecaster"]])
    return predictions[names.isin([(*key, name) for key, name in champions.items()])]
