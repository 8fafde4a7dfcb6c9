"""Commands of who runs an installation: the worker."""

import signal

import typer

from tsur.heartbeat import heartbeat

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


def oldest_region() -> str:
    """The region of rows that a store holds from before it knew regions; empty where nobody can say."""
    from data.regions.region import known_regions
    from data.settings import settings

    regions = known_regions()
    return settings().region or (regions[0] if len(regions) == 1 else "")
