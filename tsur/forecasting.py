"""Commands on daily counts: count, train, backtest, forecast, surges."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import ConfigError
from tsur.count_columns import USUAL, Columns, with_count_columns
from tsur.engines import executor_of
from tsur.heartbeat import heartbeat
from tsur.options import (
    ClusterAddress,
    ConfigPath,
    Counts,
    EngineName,
    Overrides,
    RegionName,
    Regressors,
    complaints_of,
    console,
    counts_or_sample,
    forecaster_config,
    read_region,
    regressors_or_none,
    say,
    train_app,
)

if TYPE_CHECKING:
    import pandas as pd

    from data.regions.region import Region
    from models.forecasting.bundle import Forecasts
    from models.surges.types import Surge

app = typer.Typer()
SERIES_A_TASK = 50
"""That go to a worker of a cluster together: fits of milliseconds would spend as long on their way."""
CalendarName = Annotated[
    str | None, typer.Option("--calendar", help="russia or none: whose days off explain the counts.")
]


@app.command()
def counts(
    complaints: Annotated[Path, typer.Argument(help="Complaints as `tsur import` writes them.")],
    out: Annotated[Path, typer.Option(help="Where the counts go (CSV).")] = Path("daily_counts.csv"),
    region: RegionName = None,
) -> None:
    """Count complaints per day, municipality and sector."""
    from data.counts.daily import daily_counts
    from data.tables.csv_writer import write_csv

    own = read_region(region)
    rows = complaints_of(own, complaints)
    heartbeat.step("counting")
    frame = daily_counts(rows, own.timezone)
    write_csv(frame, out)
    console.print(f"{len(frame)} rows, {frame['date'].min():%Y-%m-%d} to {frame['date'].max():%Y-%m-%d} → {out}")


@app.command()
def delays(
    file: Annotated[Path, typer.Argument(help="Complaints with both dates, CSV, XLSX, JSON or Parquet.")],
    created: Annotated[str, typer.Option(help="Column of when a complaint was made.")] = "created_at",
    entered: Annotated[str, typer.Option(help="Column of when it was entered.")] = "entered_at",
    days: Annotated[int, typer.Option(min=1, max=60, help="Ages to measure, at most.")] = 14,
    region: RegionName = None,
) -> None:
    """Measure how late complaints are entered: the key `completeness` of configs/forecaster.yaml."""
    from data.counts.reading import read_days
    from models.forecasting.count_cleaning import completeness_curve

    timezone = read_region(region).timezone
    curve = completeness_curve(read_days(file, created, timezone), read_days(file, entered, timezone), days)
    console.print(f"completeness: [{', '.join(f'{share:g}' for share in curve)}]")


@train_app.command("forecaster")
@with_count_columns
def train_forecaster_(
    counts: Counts = None,
    region: RegionName = None,
    columns: Columns = USUAL,
    config: ConfigPath = None,
    override: Overrides = None,
    regressors: Regressors = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Keep the champions; fit only what changed, until a backtest is due.")
    ] = False,
    engine: EngineName = "local",
    address: ClusterAddress = None,
) -> None:
    """Backtest every series, fit its champion, register the forecasts as champion."""
    from data.settings import settings
    from registry.client import open_registry
    from registry.names import forecaster_name
    from training.forecaster.train import train_forecaster
    from training.tracker import open_tracker
    from tsur.show import series_bars, wape_table

    own = read_region(region)
    frame = counts_or_sample(own, counts, columns)
    settled = forecaster_config(config, override)
    regressors_frame = regressors_or_none(own, regressors)
    home, tracker, registry = settings().home, open_tracker(), open_registry(own.id)
    with executor_of(engine, address, SERIES_A_TASK) as executor, series_bars() as bar:
        trained = train_forecaster(
            frame, settled, own.id, home, say, bar, regressors_frame, refresh, executor,
            tracker=tracker, registry=registry,
        )  # fmt: skip
    if trained.result is not None:
        console.print(wape_table(trained.result))
    console.print(f"champion: {forecaster_name(own.id)} version {trained.version}, MLflow run {trained.run_id}")


@app.command()
@with_count_columns
def backtest(
    counts: Counts = None,
    region: RegionName = None,
    columns: Columns = USUAL,
    config: ConfigPath = None,
    override: Overrides = None,
    calendar: CalendarName = None,
    largest: Annotated[int | None, typer.Option(help="Only the series with the most complaints.")] = None,
    regressors: Regressors = None,
    plots: Annotated[
        Path | None, typer.Option(help="Write plots there: forecasts against what came, decompositions.")
    ] = None,
    engine: EngineName = "local",
    address: ClusterAddress = None,
) -> None:
    """Compare the forecasters by rolling origin on daily counts, without registering anything."""
    from data.settings import settings
    from training.forecaster.plots import backtest_figures, write_figures
    from training.forecaster.train import largest_series, run_backtest
    from training.tracker import open_tracker
    from tsur.show import series_bars, wape_table

    own = read_region(region)
    frame = counts_or_sample(own, counts, columns)
    settled = forecaster_config(config, override, calendar)
    if largest is not None:
        frame = largest_series(frame, largest, settled.scored_daily_mean)
    regressors_frame = regressors_or_none(own, regressors)
    with executor_of(engine, address, SERIES_A_TASK) as executor, series_bars() as bar:
        run_id, result = run_backtest(
            frame, settled, own.id, settings().home, say, bar, regressors_frame, executor, tracker=open_tracker()
        )
    console.print(wape_table(result))
    if plots is not None:
        heartbeat.step(f"drawing the plots to {plots}")
        written = write_figures(backtest_figures(frame, settled, result, regressors_frame), plots)
        console.print(f"{len(written)} plots → {plots}")
    console.print(f"MLflow run {run_id}")


@app.command()
def forecast(
    region: RegionName = None,
    municipality: Annotated[str | None, typer.Option(help="A municipality; absent: the region.")] = None,
    sector: Annotated[str | None, typer.Option(help="A sector; absent: all of them.")] = None,
    horizon: Annotated[int, typer.Option(help="Days ahead.")] = 14,
    out: Annotated[Path | None, typer.Option(help="Write CSV there instead of a table here.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Write a plot there too: PNG, SVG or PDF.")] = None,
) -> None:
    """Look up the champion's forecast: a mean and quantiles for each coming day."""
    from data.tables.csv_writer import write_csv
    from training.forecaster.plots import write_forecast
    from tsur.show import frame_table

    forecasts, version = _champion(read_region(region))
    days = forecasts.forecast(municipality, sector, horizon=horizon)
    if plot is not None:
        write_forecast(forecasts, municipality, sector, horizon, plot)
        console.print(f"plot → {plot}")
    if out is not None:
        write_csv(days, out)
        console.print(f"{len(days)} days → {out}")
    else:
        console.print(frame_table(days, f"{municipality or 'region'} · {sector or 'all sectors'} (version {version})"))


@app.command()
@with_count_columns
def surges(
    counts: Annotated[
        Path | None, typer.Argument(help="Daily counts, CSV, XLSX, JSON or Parquet; default: what the champion knows.")
    ] = None,
    region: RegionName = None,
    municipality: Annotated[str | None, typer.Option(help="Only this municipality.")] = None,
    sector: Annotated[str | None, typer.Option(help="Only this sector.")] = None,
    since: Annotated[
        datetime | None, typer.Option(help="Leave out what was over before that day.", formats=["%Y-%m-%d"])
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the timeline there (PNG, SVG or PDF).")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
    columns: Columns = USUAL,
    config: ConfigPath = None,
    override: Overrides = None,
    calendar: CalendarName = None,
) -> None:
    """Tell the surges, one line an event: what goes on or is expected first, each by importance."""
    from models.forecasting.series import panel
    from training.forecaster.surges import only, surges_of_counts, surges_of_forecasts

    _check_picture(plot)
    first = None if since is None else since.date()
    heartbeat.step("looking for surges")
    own = read_region(region)
    if counts is None:
        forecasts = _champion(own)[0]
        series, events = forecasts.series, surges_of_forecasts(forecasts, first)
        daily = forecasts.tail
    else:
        settled = forecaster_config(config, override, calendar)
        series = counts_or_sample(own, counts, columns)
        events, daily = surges_of_counts(series, settled, first), panel(series)
    heartbeat.step("telling the surges")
    _tell(only(events, municipality, sector, series), daily, plot, csv)


def _check_picture(plot: Path | None) -> None:
    if plot is not None and plot.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise ConfigError(f"--plot {plot}: a picture ends in .png, .svg or .pdf")


def _champion(region: "Region") -> "tuple[Forecasts, int]":
    """What the region's champion forecasts, and its version."""
    from models.forecasting.bundle import Forecasts
    from registry.client import open_registry
    from registry.names import forecaster_name

    folder, version = open_registry(region.id).champion_bundle(forecaster_name(region.id))
    return Forecasts.load(folder), version


def _tell(events: "list[Surge]", daily: "pd.DataFrame", plot: Path | None, csv: bool) -> None:
    """Print the events as a table or CSV, and draw their timeline beside their daily counts if asked for."""
    from data.tables.csv_writer import csv_text
    from training.forecaster.surge_figure import surge_figure
    from training.forecaster.surges import surge_frame
    from tsur.show import surge_table

    if plot is not None:
        surge_figure(events, daily).savefig(plot, dpi=120)
    if csv:
        sys.stdout.write(csv_text(surge_frame(events)))
        return
    console.print(surge_table(events, f"Всплески: {len(events)}"))
    if plot is not None:
        console.print(f"timeline → {plot}")
