"""The commands on keys: make, list, rotate, revoke. A key itself is printed once, alone, to standard output."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from data.errors import InputError
from tsur.options import console

app = typer.Typer(no_args_is_help=True, help="Keys of the HTTP service: who may ask what, for which regions.")
Number = Annotated[int, typer.Argument(help="The key's number, as `tsur keys list` shows it.")]
DAY = "%Y-%m-%d"


@app.command()
def make(
    name: Annotated[str, typer.Option(help="Whose it is: a system or a person in office.")],
    role: Annotated[str, typer.Option(help="routing, operator, analyst, head, engineer or admin.")],
    region: Annotated[list[str] | None, typer.Option(help="A region that it opens; repeatable.")] = None,
    all_regions: Annotated[bool, typer.Option("--all-regions", help="It opens every region.")] = False,
    expires: Annotated[
        datetime | None,
        typer.Option(help="The first day that it opens nothing (UTC); default: none.", formats=[DAY]),
    ] = None,
) -> None:
    """Make a key and print it, this once: the store keeps its digest only."""
    from data.store.audit import command_entry
    from data.store.store import open_store

    checked_role, regions = _role(role), _regions(region or [], all_regions)
    ends = None if expires is None else expires.replace(tzinfo=UTC)
    if ends is not None and ends <= datetime.now(UTC):
        raise InputError(f"--expires {expires:%Y-%m-%d} is over; name a day to come")
    if not name.strip():
        raise InputError("--name is empty: say whose key it is")
    store = open_store()
    number, text = store.keys.make(name.strip(), checked_role, regions, ends)
    store.audit.save([command_entry(f"tsur keys make {number}")])
    _show_made(number, text)


@app.command("list")
def list_keys(
    ended: Annotated[bool, typer.Option("--ended", help="Also those that are revoked or have ended.")] = False,
) -> None:
    """List the keys: number, name, role, regions, and when each was last used."""
    from rich.table import Table

    from data.store.store import open_store

    now = datetime.now(UTC)
    shown = [key for key in open_store().keys.all() if ended or key.opens_at(now)]
    if not shown:
        console.print("no keys: make one with `tsur keys make`")
        return
    table = Table("key", "name", "role", "regions", "made", "ends", "revoked", "last used")
    for key in shown:
        regions = "all" if key.regions is None else ", ".join(sorted(key.regions))
        moments = [_moment(each) for each in (key.made_at, key.expires_at, key.revoked_at, key.last_used_at)]
        table.add_row(str(key.number), key.name, key.role, regions, *moments)
    console.print(table)


@app.command()
def rotate(
    number: Number,
    overlap_hours: Annotated[float, typer.Option(min=0, help="How long the old key still opens.")] = 24.0,
) -> None:
    """Make a new key with the name, role and regions of an old one, which ends after the overlap."""
    from data.store.audit import command_entry
    from data.store.store import open_store

    store = open_store()
    made, text = store.keys.rotate(number, timedelta(hours=overlap_hours))
    store.audit.save([command_entry(f"tsur keys rotate {number}")])
    _show_made(made, text)
    typer.echo(f"key {number} ends in {overlap_hours:g} h", err=True)


@app.command()
def revoke(number: Number) -> None:
    """End a key; a running service refuses it within seconds."""
    from data.store.audit import command_entry
    from data.store.store import open_store

    store = open_store()
    key = store.keys.revoke(number)
    store.audit.save([command_entry(f"tsur keys revoke {number}")])
    console.print(f"key {number} ({key.name}, {key.role}) is revoked; running services refuse it within seconds")


def _role(given: str) -> str:
    from serving.auth.roles import ROLES

    if given not in ROLES:
        raise InputError(f"--role {given!r} is not known: known are {', '.join(ROLES)}")
    return given


def _regions(given: list[str], all_regions: bool) -> frozenset[str] | None:
    from data.regions.region import load_region

    if all_regions == bool(given):
        raise InputError("say which regions the key opens: --region NAME (repeatable), or --all-regions")
    return None if all_regions else frozenset(load_region(name).id for name in given)


def _show_made(number: int, text: str) -> None:
    typer.echo(f"key {number}, shown this once:", err=True)
    typer.echo(text)


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
