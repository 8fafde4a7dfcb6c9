"""What one worker holds while it runs: limits, keys, region, champions, store, metrics and what it remembers."""

from dataclasses import dataclass, field, replace
from typing import Annotated

from fastapi import Depends, Request

from data.regions.region import Region, load_region
from data.regions.region_map import load_map
from data.regulations.deadlines import load_deadlines
from data.settings import settings
from data.store.store import Store
from models.encoder.onnx_runtime import Encoders
from registry.client import Registry
from serving.analytics.drawing import Drawer
from serving.analytics.new_topics import SearchMemory
from serving.analytics.surges import SurgeMemory
from serving.analytics.threads import AnalyticsThreads
from serving.auth.audit_log import AuditLog
from serving.auth.keyring import KeyRing
from serving.auth.sessions import SessionRing
from serving.config import ServingConfig, load_serving_config
from serving.erasure_watch import ErasureWatch, memories_of_texts
from serving.http.admission import Admission
from serving.http.metrics import Metrics, hold_space
from serving.http.rates import RequestRates
from serving.live import Counts, Live
from serving.regions.champions import Champions
from serving.regions.others import OtherRegions, ServedRegion
from serving.regions.shadow import Shadow
from serving.store_thread import StoreThread


@dataclass(frozen=True)
class Runtime:
    """The parts of a running worker.

    Attributes:
        analytics: threads for what is computed from many complaints.
        others: the regions beside `region`; None where it serves no other.
        shadow: lets the challenger decide what was answered.
        searches: for new topics, by champion's version, day and number of days.
        live: streams of what changes.
        surges: remembers those computed last.
        drawer: draws charts, beside this process.
    """

    config: ServingConfig
    keys: KeyRing
    sessions: SessionRing
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
    live: Live
    others: OtherRegions | None = None
    surges: SurgeMemory = field(default_factory=SurgeMemory)
    drawer: Drawer = field(default_factory=Drawer)

    def of(self, region: str) -> "Runtime":
        """The same worker as it serves this region.

        Raises:
            ConfigError: there is no such region.
        """
        if region == self.region.id or self.others is None:
            return self
        served = self.others.get(region)
        return replace(self, region=served.region, champions=served.champions, shadow=served.shadow)

    def close(self) -> None:
        """Stop watching the registry, begin no analytics more and let go of the store."""
        self.store_thread.close()
        self.audit.close()
        if self.others is not None:
            self.others.close()
        self.shadow.close()
        self.searches.close()
        self.analytics.close()
        self.drawer.close()
        self.champions.stop()
        self.store.close()


def open_runtime() -> Runtime:
    """Put the parts together; champions load in the background.

    Raises:
        ConfigError: `serving.yaml`, the region or the store's URL is malformed.
    """
    config, region = load_serving_config(), load_region()
    load_deadlines(region)  # a malformed regulation is said now, not with the first complaint
    load_map(region)  # as is a malformed map
    metrics = Metrics(region.id)
    store = Store(settings().database_url, region.id)
    keys, audit = KeyRing(store.keys, settings().keys), AuditLog(store.audit)
    sessions = SessionRing(store.sessions, keys, config.console.session_hours)
    encoders, searches = Encoders(config.inference_threads), SearchMemory(config.emerging.remember_minutes)
    registry = Registry(settings().mlflow_uri, settings().home, store.promotions)

    def open_region(name: str) -> ServedRegion:
        loaded = Champions(registry, name, encoders)
        loaded.on_change = lambda: metrics.champions([*own.champions.serving, *others.serving])
        served = ServedRegion(load_region(name), loaded, Shadow(loaded, store.shadows, name))
        loaded.start(config.refresh_seconds)
        served.shadow.start()
        return served

    others = OtherRegions(open_region, 60 * config.region_idle_minutes)
    own = open_region(region.id)

    def changes(name: str) -> Counts:
        served = own if name == region.id else others.get(name)
        versions = " ".join(f"{each.name}:{each.version}" for each in served.champions.serving)
        return {**store.changes.of(name), "surges": live.surges.get(name, 0), "models": versions}

    live = Live(changes)
    memories = [*memories_of_texts(encoders.cache, searches), own.shadow.forget, others.forget]
    erasures = ErasureWatch(store.erasures, memories)
    return Runtime(
        config=config,
        keys=keys,
        sessions=sessions,
        region=region,
        champions=own.champions,
        store=store,
        metrics=metrics,
        admission=Admission(config.classified_at_once),
        rates=RequestRates(config.requests_per_minute),
        audit=audit,
        store_thread=StoreThread(
            [keys.refresh, sessions.refresh, audit.flush, erasures.check, others.drop_idle, hold_space],
            lambda answers: metrics.store(answers, len(audit)),
        ),
        analytics=AnalyticsThreads(config.analytics_threads),
        searches=searches,
        shadow=own.shadow,
        live=live,
        others=others,
    )


async def runtime_of(request: Request) -> Runtime:
    """The worker as it serves the region that the request is about; async, so that it costs no change of threads."""
    runtime = request.app.state.runtime
    assert isinstance(runtime, Runtime)
    return runtime.of(getattr(request.state, "region", runtime.region.id))


CurrentRuntime = Annotated[Runtime, Depends(runtime_of)]
"""How an endpoint asks for it."""
