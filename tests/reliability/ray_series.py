"""A backtest on a Ray cluster, told to go on after each series.

`python -m tests.reliability.ray_series ADDRESS SERIES OUT` writes the predictions to OUT (Parquet).
"""

import sys
from pathlib import Path

import pandas as pd

from batch.executor import Executor
from batch.ray_cluster import connected
from batch.ray_executor import RayExecutor
from benchmarks.forecast_speed.benchmark import simulated
from models.forecasting.config import ForecasterConfig
from training.forecaster.backtest import Progress, backtest

CONFIG = ForecasterConfig(forecasters=["seasonal_naive", "weekday_mean"], windows=2, processes=1)
DAYS = 420
SERIES_A_TASK = 50


def predictions(series: int, executor: Executor | None, progress: Progress | None) -> pd.DataFrame:
    """What a backtest of so many simulated series says, of a bit more than a year."""
    counts = simulated(series)
    recent = counts[counts["date"] > counts["date"].max() - pd.Timedelta(days=DAYS)]
    return backtest(recent, CONFIG, progress, executor=executor).predictions


def main(address: str, series: str, out: str) -> None:
    def step(key: object, done: int, total: int) -> None:
        print(done, flush=True)
        sys.stdin.readline()

    with connected(address):
        predictions(int(series), RayExecutor(SERIES_A_TASK), step).to_parquet(Path(out))


if __name__ == "__main__":
    main(*sys.argv[1:])
