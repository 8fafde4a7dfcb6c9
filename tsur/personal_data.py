"""The commands on personal data: erase a complaint, keep things no longer than was set, prove that nothing is left."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import InputError, UnknownComplaintError
from tsur.options import RegionName, console, read_region, say

if TYPE_CHECKING:
    from data.store.store import Store

app = typer.Typer()
SHOWN = 50
"""Findings that are shown one by one."""
ALL_JOBS = 1_000_000
SETTLING_SECONDS = 5.0
"""By then a running service has stored what it had still to say of a complaint, and forgotten it."""


@app.command()
def erase(
    complaint_id: Annotated[str, typer.Argument(help="The complaint's id in its source.")],
    region: RegionName = None,
    source: Annotated[str | None, typer.Option(help="Its source, where several have the id.")] = None,
) -> None:
    """Erase one complaint from store, datasets and results of jobs; let running services forget it (152-ФЗ)."""
    from data.store.store import open_store

    store, own = open_store(), read_region(region)
    try:
        gone = store.erasures.erase(own.id, complaint_id, source, "tsur erase")
    except UnknownComplaintError:  # what was sent in files only is not in the store
        if not _erase_from_jobs(store, own.id, complaint_id, source):
            raise
        return
    console.print("erased: " + ", ".join(f"{rows} {table}" for table, rows in gone.rows.items()))
    for version, rows in _erase_from_datasets(own.id, gone.source, complaint_id).items():
        console.print(f"erased: {rows} rows of dataset version {version}")
    _erase_from_jobs(store, own.id, complaint_id, gone.source)
    say("waiting for running services to forget it")
    time.sleep(SETTLING_SECONDS)
    store.erasures.rename_in_audit(own.id, complaint_id)
    console.print("files that you wrote, backups and MLflow's samples are yours to look through:")
    console.print("  tsur scan-personal-data PATH … --id ID")


def _erase_from_jobs(store: "Store", region: str, complaint_id: str, source: str | None) -> int:
    """Rows that left the files of jobs that have ended."""
    from batch.erasing import erase_from_results
    from data.settings import settings
    from data.store.jobs import ENDED

    jobs = [job for job in store.jobs.page(region, None, ALL_JOBS) if source in (None, job.source)]
    rows = erase_from_results(settings().home, [job for job in jobs if job.status in ENDED], complaint_id)
    if rows:
        console.print(f"erased: {rows} rows of results of jobs")
    if under_way := sum(job.status not in ENDED for job in jobs):
        say(f"{under_way} jobs are under way: erase once more when they have ended")
    return rows


def _erase_from_datasets(region: str, source: str, complaint_id: str) -> dict[str, int]:
    """Rows that left each dataset version of a region, by its name; remembered vectors of texts go altogether."""
    from data.settings import settings
    from training.retrain.challenger import vectors_file
    from training.retrain.erasing import erase_complaints
    from tsur.datasets import versions_folder

    vectors_file(settings().home, region).unlink(missing_ok=True)
    folder = versions_folder(None, region)
    return erase_complaints(folder, [(source, complaint_id)], datetime.now(UTC)) if folder.exists() else {}


@app.command()
def retention(
    apply: Annotated[bool, typer.Option("--apply", help="Delete it, instead of counting.")] = False,
) -> None:
    """Count what is kept longer than `configs/retention.yaml` says, or delete it."""
    from data.store.audit import command_entry
    from data.store.retention import load_retention
    from data.store.store import open_store

    terms, store, now = load_retention(), open_store(), datetime.now(UTC)
    if not apply:
        over = store.expiry.expired(terms, now)
        console.print(f"over their retention: {over.complaints} complaints, {over.audit} entries of the audit")
        return
    gone = store.expiry.apply(terms, now)
    store.audit.save([command_entry("tsur retention --apply")])
    console.print(f"deleted: {gone.complaints} complaints, {gone.audit} entries of the audit")


@app.command("scan-personal-data")
def scan_personal_data(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files and folders; default: logs, datasets and jobs of the home.")
    ] = None,
    ids: Annotated[list[str] | None, typer.Option("--id", help="An erased complaint's id; repeatable.")] = None,
    store: Annotated[bool, typer.Option(help="Look through the store too.")] = True,
) -> None:
    """Look for unmasked personal data and for erased ids in the store and in files; status 1 where some is found."""
    from data.settings import settings
    from data.store.scanning import Scanner
    from data.store.store import open_store

    absent = [str(path) for path in paths or [] if not path.exists()]
    if absent:
        raise InputError(f"{absent[0]}: no such file or folder")
    ours = [settings().home / name for name in ("logs", "datasets", "jobs")]
    folders = paths or [folder for folder in ours if folder.exists()]
    scanner, found = Scanner(ids or []), 0
    sources = [scanner.files(folders)] + ([open_store().scan(scanner)] if store else [])
    for finding in (each for findings in sources for each in findings):
        found += 1
        if found <= SHOWN:
            console.print(f"{finding.where}: {', '.join(finding.what)}")
    console.print(f"{found} findings in {scanner.looked_at:,} characters and bytes")
    raise typer.Exit(1 if found else 0)
