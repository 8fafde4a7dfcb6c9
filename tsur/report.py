"""`tsur report`: the weekly report of a region, one A4 page."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from tsur.options import RegionName, console, read_region

app = typer.Typer()


@app.command()
def report(
    week: Annotated[str | None, typer.Option(help="ISO week, as 2026-W47; default: the last whole one.")] = None,
    out: Annotated[Path | None, typer.Option(help="The PDF; default: REGION-WEEK.pdf here.")] = None,
    region: RegionName = None,
) -> None:
    """Write the weekly report: figures with n, intervals and changes; agencies and municipalities; as PDF."""
    from data.atomic import atomic_file
    from data.kpi.pdf import draw_report
    from data.kpi.report import week_span, weekly_report
    from data.store.store import open_store

    own = read_region(region)
    span = week_span(week, datetime.now(own.zone).date())
    store = open_store()
    try:
        drawn = draw_report(weekly_report(store, own, span))
    finally:
        store.close()
    year, number, _ = span.first.isocalendar()
    target = out or Path(f"{own.id}-{year}-W{number:02}.pdf")
    with atomic_file(target) as partial:
        partial.write_bytes(drawn)
    console.print(f"{span.first} to {span.last} → {target}")
