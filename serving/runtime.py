"""What one worker holds while it runs: limits, keys, region, champions, store, metrics and what it remembers."""

from dataclasses import dataclass, field
from threading import Lock
from typing import Annotated

from fastapi import Depends, Request

from data.regions.region import Region, load_region
from data.settings import settings
from data.store.store import Store
from models.encoder.onnx_runtime import Encoders
from serving.analytics.new_topics import SearchResult
from serving.analytics.surges import SurgeMemory
from serving.config import ServingConfig, load_serving_config
from serving.http.admission import Admission
from serving.http.metrics import Metrics
from serving.regions.champions import Champions


@dataclass(frozen=True)
class Runtime:
    """The parts of a running worker.

    Attributes:
        surges: remembers those computed last.
        searches: for new topics, the last results by champion's version, day and number of days.
        searching: held while one runs.
    """

    config: ServingConfig
    keys: frozenset[str]
    region: Region
    champions: Champions
    store: Store
    metrics: Metrics
    admission: Admission
    surges: SurgeMemory = field(default_factory=SurgeMemory)
    searches: dict[tuple[object, ...], SearchResult] = field(default_factory=dict)
    searching: Lock = field(default_factory=Lock)

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
    champions = Champions(settings().mlflow_uri, Encoders(config.inference_threads))
    champions.on_change = lambda: metrics.champions(champions.serving)
    store = Store(settings().database_url, region.timezone)
    champions.start(config.refresh_seconds)
    return Runtime(config, settings().keys, region, champions, store, metrics, Admission(config.classified_at_once))


async def runtime_of(request: Request) -> Runtime:
    """The runtime of the worker that answers this request; async, so that it costs no change of threads."""
    runtime = request.app.state.runtime
    assert isinstance(runtime, Runtime)
    return runtime


CurrentRuntime = Annotated[Runtime, Depends(runtime_of)]
"""How an endpoint asks for it."""
