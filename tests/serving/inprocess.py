"""The service without its processes: the real application, middleware and parts, asked in this one.

For what a server in another process cannot show for sure: that all places are taken, that a thread is busy.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from data.regions.region import load_region
from data.store.store import Store
from serving.analytics.new_topics import SearchMemory
from serving.analytics.threads import AnalyticsThreads
from serving.app import create_app
from serving.auth.audit_log import AuditLog
from serving.auth.keyring import KeyRing
from serving.auth.sessions import SessionRing
from serving.config import ServingConfig
from serving.http.admission import Admission
from serving.http.metrics import Metrics
from serving.http.middleware import Middleware
from serving.http.rates import RequestRates
from serving.live import Live
from serving.regions.champions import Champions
from serving.regions.shadow import Shadow
from serving.runtime import Runtime
from serving.store_thread import StoreThread


def make_runtime(champions: Champions, folder: Path, config: ServingConfig | None = None) -> Runtime:
    """As `open_runtime`, with champions that are loaded already and a store in this folder."""
    config = config or ServingConfig()
    region = load_region()
    store = Store(f"sqlite:///{folder}/store.db", region.id)
    ring = KeyRing(store.keys)
    audit, metrics = AuditLog(store.audit), Metrics(region.id, CollectorRegistry())
    ring.refresh()
    live = Live(lambda name: {**store.changes.of(name)})
    live.end()  # a stream ends at once: whoever asks waits for the whole answer here
    return Runtime(
        config=config,
        keys=ring,
        sessions=SessionRing(store.sessions, ring, config.console.session_hours),
        region=region,
        champions=champions,
        store=store,
        metrics=metrics,
        admission=Admission(config.classified_at_once),
        rates=RequestRates(config.requests_per_minute),
        audit=audit,
        store_thread=StoreThread([ring.refresh, audit.flush], lambda answers: metrics.store(answers, len(audit))),
        analytics=AnalyticsThreads(config.analytics_threads),
        searches=SearchMemory(config.emerging.remember_minutes),
        live=live,
        shadow=Shadow(champions, store.shadows, region.id),
    )


@asynccontextmanager
async def client_of(
    runtime: Runtime, app: FastAPI | None = None, client: tuple[str, int] = ("127.0.0.1", 5000)
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service with these parts; `app` where it is not the usual one, `client` where it asks from."""
    app = app or create_app()
    app.state.runtime = runtime
    transport = httpx.ASGITransport(app=Middleware(app, app), client=client)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=30) as asking:
        yield asking
