"""`tsur import-outcomes`: what agencies' systems say became of complaints, into the store."""

from pathlib import Path
from typing import Annotated

import typer

from tsur.heartbeat import heartbeat
from tsur.options import RegionName, console, note_aside, read_region

app = typer.Typer()
REASONS = 10
"""Kinds of reasons that are listed, the commonest first."""


@app.command("import-outcomes")
def import_outcomes_(
    file: Annotated[Path, typer.Argument(help="One row a complaint: CSV, XLSX, JSON or JSONL.")],
    mapped: Annotated[
        str, typer.Option("--map", help="A map of configs/outcomes, or a YAML file: columns and dates.")
    ] = "generic",
    source: Annotated[
        str | None, typer.Option(help="The complaints' source, where the map names another one (pos, incident, …).")
    ] = None,
    rejects: Annotated[Path | None, typer.Option(help="Where bad rows go (CSV); default: beside FILE.")] = None,
    region: RegionName = None,
) -> None:
    """Store what became of complaints: sent, re-routed, answered, closed, reopened; sent again, nothing is doubled."""
    from data.complaints.files import write_rejects
    from data.complaints.sources import load_map
    from data.config import parse_config
    from data.outcomes.importing import OutcomeMap, import_outcomes
    from data.settings import settings
    from data.store.store import open_store

    own = read_region(region)
    folders = (settings().configs / "regions" / own.id / "outcomes", settings().configs / "outcomes")
    columns = load_map(OutcomeMap, mapped, *folders, timezone=own.timezone)
    if source is not None:
        columns = parse_config(columns.model_dump() | {"name": source}, OutcomeMap, "--source")
    heartbeat.step(f"reading {file}")
    store = open_store()
    try:
        imported = import_outcomes(file, columns, own.id, store.outcomes, note_aside)
    finally:
        store.close()
    console.print(f"{imported.stored} events of {imported.rows} rows stored, {imported.repeated} were there already")
    if len(imported.rejects):
        rejects = rejects or file.with_suffix(".rejects.csv")
        write_rejects(imported.rejects, rejects)
        console.print(f"{len(imported.rejects)} rows set aside, in whole or in part → {rejects}")
        for reason, count in imported.reasons[:REASONS]:
            console.print(f"  {count} × {reason}")
