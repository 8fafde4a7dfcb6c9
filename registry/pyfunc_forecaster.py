"""The forecaster as an MLflow pyfunc, from code.

In: a frame with `horizon` and, where wanted, `municipality` and `sector` (absent: all). Out: a frame
of all the forecasts asked for, columns `municipality, sector, date, mean, q…`.
"""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd


class ForecasterModel(mlflow.pyfunc.PythonModel):
    """Loads the bundle among the artifacts and looks forecasts up."""

    def load_context(self, context: Any) -> None:
        """Load the bundle."""
        from models.forecasting.bundle import Forecasts

        self.forecasts = Forecasts.load(Path(context.artifacts["bundle"]))

    # MLflow reads the hint of `model_input` as a schema of its own kind; a frame's is the signature.
    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """Forecast every row of a frame."""
        forecasts = []
        for row in pd.DataFrame(model_input).to_dict("records"):
            place, sector = (row.get(name) if isinstance(row.get(name), str) else None for name in KEY)
            key = self.forecasts.resolve(place, sector)
            days = self.forecasts.forecast(place, sector, horizon=int(row["horizon"]))
            forecasts.append(days.assign(municipality=key.municipality, sector=key.sector))
        return pd.concat(forecasts, ignore_index=True)


KEY = ("municipality", "sector")
mlflow.models.set_model(ForecasterModel())
