"""`tsur report`: the weekly report of a region, one A4 page."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tsur.options import RegionName, console, read_region

if TYPE_CHECKING:
    from models.forecasting.bundle import Forecasts
    from serving.regions.champions import Champion

app = typer.Typer()


@app.command()
def report(
    week: Annotated[str | None, typer.Option(help="ISO week, as 2026-W47; default: the last whole one.")] = None,
    out: Annotated[Path | None, typer.Option(help="The PDF; default: REGION-WEEK.pdf here.")] = None,
    region: RegionName = None,
) -> None:
    """Write the weekly report: figures, agencies, municipalities, surges, the next week's forecast; as PDF."""
    from data.atomic import atomic_file
    from data.kpi.pdf import draw_report
    from data.kpi.report import week_span, weekly_report
    from data.store.store import open_store
    from serving.analytics.surges import SurgeMemory
    from serving.analytics.week_outlook import week_outlook
    from serving.config import load_serving_config

    own = read_region(region)
    span = week_span(week, datetime.now(own.zone).date())
    store = open_store()
    try:
        least = load_serving_config().surges.min_probability
        outlook = week_outlook(lambda: _champion(own.id), SurgeMemory(), store, own, span, least)
        drawn = draw_report(weekly_report(store, own, span, outlook))
    finally:
        store.close()
    year, number, _ = span.first.isocalendar()
    target = out or Path(f"{own.id}-{year}-W{number:02}.pdf")
    with atomic_file(target) as partial:
        partial.write_bytes(drawn)
    console.print(f"{span.first} to {span.last} → {target}")


def _champion(region: str) -> "Champion[Forecasts]":
    """The region's champion forecaster. Raises NoChampionError where there is none."""
    from models.forecasting.bundle import Forecasts
    from registry.client import open_registry
    from registry.names import forecaster_name
    from serving.regions.champions import Champion

    name = forecaster_name(region)
    folder, version = open_registry(region).champion_bundle(name)
    return Champion(name, str(version), Forecasts.load(folder))
