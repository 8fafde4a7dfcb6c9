"""`tsur regions`: which regions the installation has, add one, check that one is whole."""

from pathlib import Path
from typing import Annotated

import typer

from tsur.heartbeat import heartbeat
from tsur.options import console

app = typer.Typer(no_args_is_help=True, help="The regions of this installation.")


@app.command("list")
def list_regions() -> None:
    """Each region with its title, time zone, catalogue and the versions of its champions."""
    from rich.table import Table

    from data.catalogue.checks import load_catalogue
    from data.regions.region import known_regions, load_region
    from registry.client import CHAMPION, open_registry
    from registry.names import classifier_name, forecaster_name

    table = Table("region", "title", "time zone", "topics", "municipalities", "classifier", "forecaster")
    for name in known_regions():
        own, models = load_region(name), open_registry(name).models
        catalogue = None if own.catalogue is None else load_catalogue(own.catalogue)
        topics = "—" if catalogue is None else str(sum(len(sector.topics) for sector in catalogue.sectors))
        places = "—" if catalogue is None else str(len(catalogue.municipalities))
        versions = [models.under_alias(model(name), CHAMPION) for model in (classifier_name, forecaster_name)]
        table.add_row(name, own.title, own.timezone, topics, places, *(str(version or "—") for version in versions))
    console.print(table)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Its id: small Latin letters, digits, hyphens.")],
    title: Annotated[str, typer.Option(help="What people call it.")],
    timezone: Annotated[str, typer.Option(help="IANA name, such as Asia/Kamchatka: its midnight ends a day.")],
    catalogue: Annotated[Path | None, typer.Option(help="Its catalogue; absent: it has none yet.")] = None,
) -> None:
    """Add a region, from its catalogue where there is one; training on its rows comes next."""
    from data.regions.adding import add_region

    region = add_region(name, title, timezone, catalogue)
    taken = "" if region.catalogue else " --no-catalogue"
    console.print(f"region {region.id}: {region.title}, {region.timezone}")
    console.print(f"next: tsur train classifier complaints.jsonl --region {region.id}{taken}")


@app.command()
def check(name: Annotated[str | None, typer.Argument(help="A region; default: all.")] = None) -> None:
    """Whether all of a region loads and its champions decide here as where they were made; status 1 where not."""
    from data.catalogue.checks import load_catalogue
    from data.regions.region import known_regions, load_region
    from data.regulations.deadlines import load_deadlines
    from tsur.doctor import champions_of, show

    bad = 0
    for each in known_regions() if name is None else [name]:
        region = load_region(each)
        heartbeat.step(f"checking {region.id}")
        if region.catalogue is not None:
            load_catalogue(region.catalogue)
        load_deadlines(region)
        console.print(f"{region.id}: {region.title}, {region.timezone}")
        bad += show(champions_of(region), lambda line: console.print(line, soft_wrap=True))
    raise typer.Exit(1 if bad else 0)
