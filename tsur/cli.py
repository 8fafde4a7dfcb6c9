"""`tsur`: each command reads its files and configs, calls one function, and shows what came out.

An error of the user's ends with one sentence and status 2. Heavy imports live inside the
commands, so that `tsur --help` answers at once.
"""

import os
import sys
from typing import Annotated

import typer
from rich.console import Console

from data.errors import TsurError
from tsur import (
    adaptation,
    audit,
    classification,
    classifying,
    datasets,
    forecasting,
    keys,
    many_regions,
    operations,
    outcomes,
    personal_data,
    regions,
    report,
    reproduction,
    retrain,
    retraining,
)
from tsur.heartbeat import heartbeat
from tsur.options import RegionName, console, read_region, train_app

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Routing of citizens' complaints and forecasts of their surges.",
)
registry_app = typer.Typer(no_args_is_help=True, help="What is done to registered models as such.")
train_app.add_typer(many_regions.app)
app.add_typer(train_app, name="train")
retrain.app.add_typer(many_regions.retrain_app)
app.add_typer(retrain.app, name="retrain")
app.add_typer(registry_app, name="registry")
app.add_typer(regions.app, name="regions")
app.add_typer(datasets.app, name="dataset")
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app)
app.add_typer(personal_data.app)
app.add_typer(classification.app)
app.add_typer(classifying.app)
app.add_typer(outcomes.app)
app.add_typer(report.app)
app.add_typer(adaptation.app)
app.add_typer(forecasting.app)
app.add_typer(retraining.app)
app.add_typer(reproduction.app)
app.add_typer(operations.app)


def main() -> None:
    """Run the command line; a `TsurError` becomes one sentence and status 2."""
    # Threads that spin while they wait make training several times slower as soon as anything else
    # runs on the machine. OpenMP reads this when torch is loaded, which is after this line.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        with heartbeat.beating():
            app()
    except TsurError as error:
        Console(stderr=True, soft_wrap=True, markup=False, highlight=False).print(
            f"error ({error.code}): {error.message}", style="red"
        )
        sys.exit(2)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; off loopback it needs keys (`tsur keys make`).")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 3000,
    region: RegionName = None,
) -> None:
    """Start the HTTP service with a region's registered champions."""
    from serving.launch import serve as run

    heartbeat.rest()

    raise typer.Exit(run(host, port, region))


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the answers instead of staying up.")] = False,
    port: Annotated[int, typer.Option(help="Port of the service.")] = 3000,
    region: RegionName = None,
) -> None:
    """Train the sample's champions if there are none, start the service, send it requests, stay up."""
    from tsur.demo import run_demo

    heartbeat.rest()

    run_demo(once, port, read_region(region), console)


@registry_app.command("migrate")
def migrate_registry(region: RegionName = None) -> None:
    """Take over models registered before regions had names: same versions, same files, the region's names."""
    from registry.client import open_registry
    from registry.taking_over import take_over

    own = read_region(region)
    taken = take_over(open_registry(own.id), own.id)
    for each in taken:
        console.print(f"{each.old} version {each.old_version} → {each.name} version {each.version}")
    if not taken:
        console.print(f"nothing to take over for {own.id}")


@app.command()
def mlflow(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 5000,
) -> None:
    """Start the MLflow interface on the tracking store."""
    from registry.interface import serve_interface

    heartbeat.rest()

    raise typer.Exit(serve_interface(host, port))
