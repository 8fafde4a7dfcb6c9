"""What one worker holds while it runs: limits, keys, region, champions, store, metrics and what it remembers."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from data.regions.region import Region, load_region
from data.settings import settings
from data.store.store import Store
from models.encoder.onnx_runtime import Encoders
from registry.client import open_registry
from serving.analytics.new_topics import SearchMemory
from serving.analytics.surges import SurgeMemory
from serving.analytics.threads import AnalyticsThreads
from serving.auth.audit_log import AuditLog
from serving.auth.keyring import KeyRing
from serving.config import ServingConfig, load_serving_config
from serving.erasure_watch import ErasureWatch, memories_of_texts
from serving.http.admission import Admission
from serving.http.metrics import Metrics
from serving.http.rates import RequestRates
from serving.regions.champions import Champions
from serving.regions.shadow import Shadow
from serving.store_thread import StoreThread


@dataclass(frozen=True)
class Runtime:
    """The parts of a running worker.

    Attributes:
        analytics: threads for what is computed from many complaints.
        shadow: lets the challenger decide what was answered.
        searches: for new topics, by champion's version, day and number of days.
        surges: remembers those computed last.
    """

    config: ServingConfig
    keys: KeyRing
    region: Region
    champions: Champions
    store: Store
    metrics: Metrics
    admission: Admission
    rates: RequestRates
    audit: AuditLog
    store_thread: StoreThread
    analytics: AnalyticsThreads
    searches: SearchMemory
    shadow: Shadow
    surges: SurgeMemory = field(default_factory=SurgeMemory)

    def close(self) -> None:
        """Stop watching the registry, begin no analytics more and let go of the store."""
        self.store_thread.close()
        self.audit.close()
        self.shadow.close()
        self.searches.close()
        self.analytics.close()
        self.champions.stop()
        self.store.close()


def open_runtime() -> Runtime:
    """Put the parts together; champions load in the background.

    Raises:
        ConfigError: `serving.yaml`, the region or the store's URL is malformed.
    """
    config, region = load_serving_config(), load_region()
    metrics = Metrics(region.id)
    store = Store(settings().database_url, region.id)
    keys, audit = KeyRing(store.keys, settings().keys), AuditLog(store.audit)
    encoders, searches = Encoders(config.inference_threads), SearchMemory(config.emerging.remember_minutes)
    champions = Champions(open_registry(region.id), region.id, encoders)
    shadow = Shadow(champions, store.shadows, region.id)
    erasures = ErasureWatch(store.erasures, [*memories_of_texts(encoders.cache, searches), shadow.forget])
    champions.on_change = lambda: metrics.champions(champions.serving)
    champions.start(config.refresh_seconds)
    shadow.start()
    return Runtime(
        config=config,
        keys=keys,
        region=region,
        champions=champions,
        store=store,
        metrics=metrics,
        admission=Admission(config.classified_at_once),
        rates=RequestRates(config.requests_per_minute),
        audit=audit,
        store_thread=StoreThread(
            [keys.refresh, audit.flush, erasures.check], lambda answers: metrics.store(answers, len(audit))
        ),
        analytics=AnalyticsThreads(config.analytics_threads),
        searches=searches,
        shadow=shadow,
    )


async def runtime_of(request: Request) -> Runtime:
    """The runtime of the worker that answers this request; async, so that it costs no change of threads."""
    runtime = request.app.state.runtime
    assert isinstance(runtime, Runtime)
    return runtime


CurrentRuntime = Annotated[Runtime, Depends(runtime_of)]
"""How an endpoint asks for it."""
