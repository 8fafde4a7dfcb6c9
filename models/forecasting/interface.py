"""What a forecaster is: one class that is fitted on counts and then says the means of the days after them.

In: counts, NaN where nothing was observed, and regressors for those that can use them. Out: `horizon` means, never
negative. As in darts, a *local* forecaster takes one series, a *global* one all series of a panel at once. The
horizon is given to `fit`, as in sktime: a direct model learns each step ahead, and a calendar has to reach so far.

A new one is a module in `forecasters/` and a line in `forecasters/available.py`; where it has settings, they are one
more section of `ForecasterConfig`.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from models.forecasting.config import ForecasterConfig

Floats = npt.NDArray[np.float64]


class Forecaster(ABC):
    """What local and global forecasters share.

    Attributes:
        name: as configs, figures and bundles call it.
        suits_sparse: whether it competes for series with hardly a complaint a day.
        is_slow: whether its fits are worth starting first, so that no process is left alone with one at the end.
    """

    name: ClassVar[str]
    suits_sparse: ClassVar[bool] = True
    is_slow: ClassVar[bool] = False

    @classmethod
    def from_config(cls, config: "ForecasterConfig") -> Self:
        """Set up as the config says; one without settings takes nothing of it."""
        return cls()


class LocalForecaster(Forecaster):
    """One series at a time."""

    @abstractmethod
    def fit(self, history: "pd.Series[float]", horizon: int, regressors: pd.DataFrame | None = None) -> Self:
        """Learn a series.

        Args:
            history: daily counts; NaN where nothing was observed.
            horizon: days after the last one that `predict` will give.
            regressors: a row a day of history and horizon, a column a regressor; or None.
        """

    @abstractmethod
    def predict(self) -> Floats:
        """Means of the days after the history, shape (horizon,)."""

    def to_json(self) -> str:
        """The fitted model, for a bundle and the next day's warm start; empty where refitting is as quick."""
        return ""

    def start_from(self, fitted: str) -> None:
        """Let the next fit start from what `to_json` gave; it need not."""


class GlobalForecaster(Forecaster):
    """All series of a panel at once."""

    @abstractmethod
    def fit(self, panel: pd.DataFrame, horizon: int, regressors: pd.DataFrame | None = None) -> Self:
        """Learn a panel.

        Args:
            panel: daily counts, dates × series; NaN where nothing was observed.
            horizon: days after the last one that `predict` will give.
            regressors: dates × (municipality, regressor) or dates × regressor, over history and horizon; or None.
        """

    @abstractmethod
    def predict(self) -> pd.DataFrame:
        """Means of the days after the panel, dates × series."""


def days_ahead(index: pd.Index, horizon: int) -> pd.DatetimeIndex:
    """The `horizon` days after the last of some daily ones."""
    return pd.date_range(index[-1] + pd.Timedelta(days=1), periods=horizon, freq="D", name="date")
