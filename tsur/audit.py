"""The command on the audit: who asked what, and who saw which complaint."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tsur.heartbeat import heartbeat
from tsur.options import console

if TYPE_CHECKING:
    from data.store.audit import AuditEntry

app = typer.Typer()
DAY = "%Y-%m-%d"
COLUMNS = ("at", "key", "name", "role", "region", "method", "route", "status", "request id", "complaints")


@app.command()
def audit(
    since: Annotated[datetime | None, typer.Option(help="From this day on (UTC).", formats=[DAY])] = None,
    until: Annotated[datetime | None, typer.Option(help="Before this day (UTC).", formats=[DAY])] = None,
    key: Annotated[str | None, typer.Option(help="Only this key, such as key-3.")] = None,
    region: Annotated[str | None, typer.Option(help="Only this region.")] = None,
    route: Annotated[str | None, typer.Option(help="Only this address, such as /v1/feedback.")] = None,
    complaint: Annotated[str | None, typer.Option(help="Who saw the complaint with this id, erased or not.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="The newest so many; 0: all.")] = 100,
    out: Annotated[Path | None, typer.Option(help="Write them to this CSV file instead of the screen.")] = None,
) -> None:
    """Show who asked the service what, and who saw which complaint, the newest first."""
    from data.store.audit import AuditFilter
    from data.store.store import open_store

    first, end = (None if day is None else day.replace(tzinfo=UTC) for day in (since, until))
    wanted = AuditFilter(since=first, until=end, key_id=key, region=region, route=route, complaint_id=complaint)
    entries = islice(open_store().audit.entries(wanted), limit or None)
    if out is not None:
        console.print(f"{_write(entries, out)} entries → {out}")
        return
    for entry in entries:
        console.print("  ".join(_cells(entry)))


def _write(entries: "Iterator[AuditEntry]", out: Path) -> int:
    """Write entries as CSV; how many."""
    from data.atomic import atomic_file
    from data.tables.csv_writer import csv_header, csv_lines

    count = 0
    with atomic_file(out) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        file.write(csv_header(COLUMNS))
        for entry in entries:
            file.write(csv_lines([_cells(entry)]))
            count += 1
            heartbeat.step(f"{count} entries")
    return count


def _cells(entry: "AuditEntry") -> list[str]:
    complaints = "; ".join(f"{source} {name}" for source, name in entry.complaints)
    who = [f"{entry.at:%Y-%m-%d %H:%M:%S}", entry.key_id, entry.key_name, entry.role, entry.region or "-"]
    return [*who, entry.method, entry.route, str(entry.status), entry.request_id, complaints]
