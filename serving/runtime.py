"""What one worker holds while it runs: limits, keys, region, champions, store and metrics."""

from dataclasses import dataclass, field
from threading import Lock

import pandas as pd
from fastapi import Request

from data.regions.region import Region, load_region
from data.settings import settings
from data.store.store import Store
from models.surges.types import Surge
from models.topics.emerging import Emerging
from serving.config import ServingConfig, load_serving_config
from serving.http.admission import Admission
from serving.http.metrics import Metrics
from serving.regions.champions import Champions


@dataclass(frozen=True)
class Looked:
    """What a search for new topics found.

    Attributes:
        found: the answer.
        complaints: what it looked through, columns `source, id`; the topics' `rows` count in it.
        unread: complaints that the serving classifier has not read yet.
        at: monotonic seconds.
    """

    found: Emerging
    complaints: pd.DataFrame
    unread: int
    at: float


@dataclass(frozen=True)
class Runtime:
    """The parts of a running worker; `surges` and `emerging` remember the last answers, `looking` guards the latter."""

    config: ServingConfig
    keys: frozenset[str]
    region: Region
    champions: Champions
    store: Store
    metrics: Metrics
    admission: Admission
    surges: dict[tuple[object, ...], list[Surge]] = field(default_factory=dict)
    emerging: dict[tuple[object, ...], Looked] = field(default_factory=dict)
    looking: Lock = field(default_factory=Lock)

    def close(self) -> None:
        """Stop watching the registry and let go of the store."""
        self.champions.stop()
        self.store.close()


def open_runtime() -> Runtime:
    """Put the parts together; champions load in the background.

    Raises:
        ConfigError: `serving.yaml`, the region or the store's URL is malformed.
    """
    config, region = load_serving_config(), load_region()
    metrics = Metrics()
    champions = Champions(settings().mlflow_uri, config.inference_threads)
    champions.on_change = lambda: metrics.champions(champions.serving)
    store = Store(settings().database_url, region.id)
    champions.start(config.refresh_seconds)
    return Runtime(config, settings().keys, region, champions, store, metrics, Admission(config.classified_at_once))


def runtime_of(request: Request) -> Runtime:
    """The runtime of the worker that answers this request."""
    found = request.app.state.runtime
    assert isinstance(found, Runtime)
    return found
