"""Small series for the tests of the forecasters' gate, and trainings on them that register nothing."""

from pathlib import Path

import pandas as pd

from data.complaints.schema import check_counts
from models.forecasting.bundle import Forecasts
from models.forecasting.config import ForecasterConfig
from training.forecaster.train import Job, no_bar

CONFIG = ForecasterConfig(forecasters=["seasonal_naive", "profile_mean", "harmonic"], windows=2, processes=1)
DAYS, NEWER = 330, 30
"""Days of the series; the last of them, that the champion was not chosen on: two windows and two days."""


def last_days(path: Path) -> pd.DataFrame:
    """The newest days of a file of counts."""
    counts = pd.read_csv(path, parse_dates=["date"])
    return counts[counts["date"] > counts["date"].max() - pd.Timedelta(days=DAYS)].reset_index(drop=True)


def older(counts: pd.DataFrame, days: int = NEWER) -> pd.DataFrame:
    """Without the newest days."""
    return counts[counts["date"] <= counts["date"].max() - pd.Timedelta(days=days)]


def job(counts: pd.DataFrame, work: Path, config: ForecasterConfig = CONFIG) -> Job:
    """A training that tells nobody."""
    return Job(check_counts(counts), config, None, work, lambda line: None, no_bar)


def trained(counts: pd.DataFrame, work: Path, config: ForecasterConfig = CONFIG) -> Forecasts:
    """What a training makes of counts."""
    training = job(counts, work, config)
    return training.fit(training.backtest())
