"""How long a region's forecasts take: 1,000 simulated series of three years, trained once and refreshed a day later.

In: nothing; the counts are simulated with a fixed seed. Out: seconds of the backtest, the final fits and the refresh
on the next day's counts, and `results/forecast_speed.json`.
"""

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from benchmarks.results import RESULTS, Target, console, targets_line, write_results
from data.settings import settings
from models.forecasting.config import ForecasterConfig
from training.forecaster.backtest import backtest
from training.forecaster.fitting import fit_forecasts, refresh_forecasts
from training.forecaster.train import counts_fingerprint
from tsur.show import series_bars

NAME = "forecast_speed"
DAYS, PLACES = 3 * 365, 50
TRAINED, REFRESHED = 120.0, 30.0
"""Seconds asked for a thousand series on two cores."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    series: Annotated[int, typer.Option(min=PLACES, help="How many series.")] = 1000,
    prophet: Annotated[bool, typer.Option(help="Let Prophet compete too: most of the backtest's time.")] = True,
    windows: Annotated[int, typer.Option(min=2, help="Windows of the backtest; the refresh has none.")] = 2,
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
) -> None:
    """Train on simulated counts, then refresh with one more day."""
    counts = simulated(series)
    before = counts[counts["date"] < counts["date"].max()]
    names = ForecasterConfig().forecasters
    config = ForecasterConfig(forecasters=[name for name in names if prophet or name != "prophet"], windows=windows)
    folder = settings().home / "benchmarks" / NAME
    seconds: dict[str, float] = {}
    with series_bars() as bar:
        started = time.perf_counter()
        result = backtest(before, config, bar("backtest"), folder / "backtest")
        seconds["backtest"] = time.perf_counter() - started
        started = time.perf_counter()
        last = fit_forecasts(before, config, result, bar("final fits"), folder / "fits")
        seconds["final_fits"] = time.perf_counter() - started
        started = time.perf_counter()
        refresh_forecasts(counts, config, last, bar("refresh"), folder / "fits")
        seconds["refresh"] = time.perf_counter() - started
    for name, spent in seconds.items():
        console.print(f"{name}: {spent:.0f} s")
    goals = [
        Target.at_most(f"seconds to train {series} series", seconds["backtest"] + seconds["final_fits"], TRAINED),
        Target.at_most(f"seconds to refresh {series} series", seconds["refresh"], REFRESHED),
    ]
    figures = {
        "series": series,
        "days": DAYS,
        "windows": windows,
        "forecasters": list(config.forecasters),
        "seconds": seconds,
    }
    write_results(out, {"simulated": counts_fingerprint(counts)}, ("prophet", "scikit-learn"), figures, goals)
    console.print(f"results → {out}\n{targets_line(goals)}")


def simulated(series: int) -> pd.DataFrame:
    """Negative-binomial counts of `series` series, from one a fortnight to sixty a day, with a week and a year."""
    rng = np.random.default_rng(0)
    days = pd.date_range("2023-01-02", periods=DAYS, freq="D")
    week = np.array([1.3, 1.15, 1.1, 1.05, 1.0, 0.75, 0.65])[days.weekday]
    parts = []
    for number in range(series):
        level, season, phase = np.exp(rng.normal(0.9, 1.2)), rng.uniform(0, 0.5), rng.uniform(0, 2 * np.pi)
        mean = level * week * np.exp(season * np.sin(2 * np.pi * days.dayofyear / 365.25 + phase))
        count = rng.negative_binomial(6, 6 / (6 + mean))
        place, sector = f"место {number % PLACES}", f"отрасль {number // PLACES}"
        parts.append(pd.DataFrame({"date": days, "municipality": place, "sector": sector, "count": count}))
    return pd.concat(parts, ignore_index=True)
