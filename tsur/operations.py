"""Commands of who runs an installation: the worker."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from tsur.heartbeat import heartbeat
from tsur.options import console, say

app = typer.Typer()
NICENESS = 5
"""Of a worker: what citizens wait for goes first."""


@app.command()
def worker() -> None:
    """Work on the files that were sent to `POST /v1/jobs`, of all regions, until interrupted."""
    import os

    from batch.worker import LoadedClassifiers, Worker
    from data.settings import settings
    from data.store.store import Store
    from registry.client import Registry
    from serving.config import load_serving_config
    from serving.http.logs import configure_logs

    heartbeat.rest()
    configure_logs()
    os.nice(NICENESS)
    config, home = load_serving_config().jobs, settings().home
    store = Store(settings().database_url, oldest_region())
    registry = Registry(settings().mlflow_uri, home, store.promotions)
    working = Worker(store, LoadedClassifiers(registry, config.threads), home, config.keep_days)
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: working.stopping.set())
    working.run()
    store.close()


@app.command()
def doctor() -> None:
    """Say what is wrong with this installation and what to do; status 1 where something is."""
    from tsur.doctor import examine, show

    heartbeat.step("examining the installation")
    bad = show(examine(), lambda line: console.print(line, soft_wrap=True))
    console.print(f"{bad} things are wrong" if bad else "nothing is wrong")
    raise typer.Exit(1 if bad else 0)


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="A new folder.")],
    registry: Annotated[bool, typer.Option(help="The registry too; without where it is a server of its own.")] = True,
) -> None:
    """Copy store and registry into a folder while the service goes on."""
    from tsur.backup import back_up

    say(f"copying store and registry into {folder}" if registry else f"copying the store into {folder}")
    manifest = back_up(folder, registry)
    console.print(f"{len(manifest['files'])} files → {folder}; not in it: files of jobs, configs, .env")


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="A folder that `tsur backup` made.")],
    yes: Annotated[bool, typer.Option("--yes", help="Replace what is there without asking.")] = False,
) -> None:
    """Put a backup in place of store and registry; stop the service and the workers first."""
    from tsur.backup import read_backup
    from tsur.backup import restore as run

    heartbeat.rest()
    made = read_backup(folder)["made_at"]
    if not yes:
        typer.confirm(f"replace store and registry of this installation by the backup of {made}?", abort=True)
    say(f"putting back the backup of {made}")
    erased = run(folder)["erased_again"]
    console.print("restored")
    if erased is None:
        console.print("the store as it was cannot be read: erase again what was erased since then (`tsur erase`)")
    else:
        console.print(f"{erased} complaints that were erased since then are erased again")


def oldest_region() -> str:
    """The region of rows that a store holds from before it knew regions; empty where nobody can say."""
    from data.regions.region import known_regions
    from data.settings import settings

    regions = known_regions()
    return settings().region or (regions[0] if len(regions) == 1 else "")
