"""Plots of forecasts: what is coming, what came against what had been forecast, and what a series is made of.

In: `Forecasts`, or counts with their backtest. Out: matplotlib figures by file name, to be written to a folder or
logged to MLflow.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.errors import FileError
from models.forecasting.bundle import Forecasts
from models.forecasting.config import ForecasterConfig
from models.forecasting.count_cleaning import completed, without_bulk_entry
from models.forecasting.forecasters.prophet_model import PRIOR_COMPLAINTS, ProphetConfig, ProphetForecaster
from models.forecasting.regressors import of_place
from models.forecasting.series import SeriesKey, panel, trimmed
from training.forecaster.evaluation import BacktestResult
from training.tracker import TrackedRun

LARGEST = 4
"""Series that get a plot of their own; the others can be asked for."""
PARTS = {"trend": "уровень", "weekly": "неделя", "yearly": "год", "calendar": "календарь", "regressors": "внешнее"}
BANDS = [("q2.5", "q97.5"), ("q10", "q90"), ("q25", "q75")]
Figures = Iterator[tuple[str, Any]]


def log_figures(run: TrackedRun, figures: Figures, folder: str) -> None:
    """Log figures as PNG artifacts of a run."""
    for name, figure in figures:
        run.log_figure(figure, f"{folder}/{name}.png")


def write_figures(figures: Figures, folder: Path) -> list[Path]:
    """Write figures as PNG files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, figure in figures:
        written.append(folder / f"{re.sub(r'[^0-9A-Za-zА-Яа-яЁё._-]+', '-', name)}.png")
        figure.savefig(written[-1], dpi=120)
    return written


def forecast_figures(forecasts: Forecasts) -> Figures:
    """The forecast of the region and of its largest sectors, by sector."""
    sectors = sorted({key.sector for key in forecasts.keys}, key=lambda sector: -_size(forecasts, sector))
    for sector in [None, *sectors[:LARGEST]]:
        yield sector or "all", forecast_figure(forecasts, None, sector)


def _size(forecasts: Forecasts, sector: str) -> float:
    return float(forecasts.mean_of(forecasts.resolve(None, sector)).sum())


def forecast_figure(forecasts: Forecasts, municipality: str | None, sector: str | None, horizon: int = 28) -> Any:
    """The last weeks' counts and the forecast with its intervals."""
    key = forecasts.resolve(municipality, sector)
    ahead = forecasts.forecast(municipality, sector, horizon=min(horizon, forecasts.config.max_horizon))
    past = forecasts.tail[forecasts.members(key)].sum(axis=1, min_count=1)
    figure, (axes,) = _figure(1)
    axes.plot(past.index, past.to_numpy(), color="black", linewidth=1, label="пришло")
    names = [str(name) for name in ahead.columns if re.fullmatch(r"q[0-9.]+", str(name)) and name != "q50"]
    _fill(axes, ahead, list(zip(names, reversed(names), strict=True))[: len(names) // 2])
    axes.plot(ahead["date"], ahead["mean"], color="tab:blue", label="прогноз")
    axes.set(title=f"{key.municipality} · {key.sector}", ylabel="обращений в день", ylim=(0, None))
    axes.legend(loc="upper left")
    return figure


def write_forecast(
    forecasts: Forecasts, municipality: str | None, sector: str | None, horizon: int, path: Path
) -> None:
    """Write the plot of one forecast.

    Raises:
        FileError: the file's ending names no kind of picture, or it cannot be written.
    """
    figure = forecast_figure(forecasts, municipality, sector, horizon)
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: the plot cannot be written: {error}") from None


def backtest_figures(
    counts: pd.DataFrame, config: ForecasterConfig, result: BacktestResult, regressors: pd.DataFrame | None = None
) -> Figures:
    """Of the largest series: every judged window against what came, and the decomposition."""
    wide = completed(panel(counts), config.completeness)
    largest = wide[[tuple(key) for key in result.champions]].iloc[-365:].sum().nlargest(LARGEST).index
    for place, sector in largest:
        key = SeriesKey(str(place), str(sector))
        name = f"{key.municipality} {key.sector}"
        if len(result.judged):
            yield f"came {name}", came_figure(key, wide[tuple(key)], result.judged)
        history = without_bulk_entry(trimmed(wide[tuple(key)]).to_frame(), config).iloc[:, 0]
        yield f"decomposition {name}", decomposition_figure(key, history, config, of_place(regressors, place))


def came_figure(key: SeriesKey, history: "pd.Series[float]", judged: pd.DataFrame) -> Any:
    """The champion's forecasts of the judged windows, with intervals, and the counts that came."""
    rows = judged[(judged["municipality"] == key.municipality) & (judged["sector"] == key.sector)].sort_values("date")
    shown = history.loc[rows["date"].min() - pd.Timedelta(days=28) :]
    figure, (axes,) = _figure(1)
    axes.plot(shown.index, shown.to_numpy(), color="black", linewidth=1, label="пришло")
    for at, (_, window) in enumerate(rows.groupby("window")):
        _fill(axes, window, [band for band in BANDS if set(band) <= set(window)])
        axes.plot(window["date"], window["mean"], color="tab:blue", label="прогноз" if at == 0 else None)
    error = (rows["q50"] - rows["actual"]).abs().sum() / max(rows["actual"].sum(), 1)
    axes.set(title=f"{key.municipality} · {key.sector}: WAPE {error:.2f}", ylabel="обращений в день", ylim=(0, None))
    axes.legend(loc="upper left")
    return figure


def decomposition_figure(
    key: SeriesKey, history: "pd.Series[float]", config: ForecasterConfig, regressors: pd.DataFrame | None = None
) -> Any:
    """Level, week, year and calendar of a series as Prophet sees them; the level as forecasts of each day have it."""
    fitted = ProphetForecaster.from_config(config).fit(history, 1, regressors)
    parts = fitted.components(pd.DatetimeIndex(history.index))
    figure, panels = _figure(1 + parts.shape[1])
    weekly = history.rolling(28, min_periods=7).mean()
    panels[0].plot(history.index, history.to_numpy(), color="0.7", linewidth=0.6)
    panels[0].plot(weekly.index, weekly.to_numpy(), color="black", linewidth=1)
    panels[0].set(title=f"{key.municipality} · {key.sector}", ylabel="в день, за 28 дней")
    for axes, name in zip(panels[1:], parts, strict=True):
        if name == "trend":
            values = learned_level(history, parts, config.prophet)
        else:
            values = parts[name].iloc[-28:] if name == "weekly" else parts[name]
            # A component of logarithms is a factor on 1 + count.
            values = values.map(np.exp) if config.prophet.log else values
        axes.plot(values.index, values, color="tab:blue", linewidth=1)
        axes.set(ylabel=f"{PARTS.get(str(name), name)}{' ×' if config.prophet.log and name != 'trend' else ''}")
    return figure


def learned_level(history: "pd.Series[float]", parts: pd.DataFrame, config: ProphetConfig) -> "pd.Series[float]":
    """The level of each day: the trend, brought to the counts of the days up to it as `ProphetForecaster.predict` does.

    Args:
        history: daily counts, NaN where nothing was observed.
        parts: components of the same days, `trend` among them.
        config: over how many days a fit is brought to the counts, and whether it is one of logarithms.
    """
    whole = parts.sum(axis=1)
    fitted = (np.expm1(whole) if config.log else whole).clip(lower=0).where(history.notna())
    counted, expected = (
        values.rolling(config.level_days, min_periods=1).sum() + PRIOR_COMPLAINTS for values in (history, fitted)
    )
    trend = np.expm1(parts["trend"]) if config.log else parts["trend"]
    return trend * counted / expected


def _fill(axes: Any, rows: pd.DataFrame, bands: list[tuple[str, str]]) -> None:
    for low, high in bands:
        axes.fill_between(rows["date"], rows[low].to_numpy(), rows[high].to_numpy(), color="tab:blue", alpha=0.18)


def _figure(panels: int) -> tuple[Any, list[Any]]:
    from matplotlib.dates import AutoDateLocator, DateFormatter
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6 if panels == 1 else 1.7 * panels), layout="constrained")
    made = list(np.atleast_1d(figure.subplots(panels)))
    for axes in made:
        axes.xaxis.set_major_locator(AutoDateLocator(maxticks=8))  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(DateFormatter("%d.%m.%y"))  # type: ignore[no-untyped-call]
    return figure, made
