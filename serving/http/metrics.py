"""Our Prometheus metrics, beside BentoML's own, at `/metrics`; every one bears its region.

In: what was answered, decided, said by operators, and what serves. Out: counters and gauges; those that
`configs/monitoring/` draws and alerts by are held by a test. `prometheus_client` decides at its import where several
workers meet, so it is imported when the service starts and not with this module.
"""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.store.corrections import Agreement
from data.store.decisions import Decision

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
SHARES = tuple(part / 20 for part in range(1, 21))


class Metrics:
    """Counters of one worker.

    Args:
        region: that it serves.
        registry: holds each name once; default: the one that BentoML shows.

    Attributes:
        registry: likewise.
    """

    def __init__(self, region: str, registry: "CollectorRegistry | None" = None) -> None:
        from prometheus_client import REGISTRY

        self.registry: CollectorRegistry = registry or REGISTRY
        self._region = region
        self._shown: set[tuple[str, str]] = set()
        self._make_of_requests()
        self._make_of_complaints()
        self._make_of_the_state()

    def request(self, method: str, path: str, status: int, code: str | None, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(self._region, method, path, str(status)).inc()
        self._seconds.labels(self._region, path).observe(seconds)
        if code is not None:
            self._errors.labels(self._region, code).inc()

    def classified(self, decisions: Iterable[Decision]) -> None:
        """Count classified complaints."""
        for decision in decisions:
            self._decisions.labels(self._region, decision.sector, decision.decision).inc()
            self._confidence.labels(self._region).observe(decision.agency_confidence)

    def corrected(self, agreements: Iterable[Agreement]) -> None:
        """Count what operators said of labels."""
        for agreement in agreements:
            self._labels.labels(self._region, agreement.head, "yes" if agreement.agrees else "no").inc()

    def cache(self, hits: int, misses: int) -> None:
        """Show how often a text was read before."""
        self._cache.labels(self._region, "hit").set(hits)
        self._cache.labels(self._region, "miss").set(misses)

    def champions(self, serving: Iterable[Any]) -> None:
        """Show which versions serve, how old they are, and which day the forecasts know last."""
        champions = list(serving)
        now = {(champion.name, champion.version) for champion in champions}
        for name, version in self._shown - now:
            self._champions.labels(self._region, name, version).set(0)
        for champion in champions:
            self._champions.labels(self._region, champion.name, champion.version).set(1)
            if champion.registered_at is not None:
                self._registered.labels(self._region, champion.name).set(champion.registered_at.timestamp())
            if (origin := getattr(champion.model, "origin", None)) is not None:
                self._last_day.labels(self._region).set(_midnight(origin))
        self._shown |= now

    def surges(self, open_ones: Mapping[str, int]) -> None:
        """Show how many surges there are of each kind."""
        for kind, count in open_ones.items():
            self._surges.labels(self._region, kind).set(count)

    def store(self, answers: bool, audit_waiting: int) -> None:
        """Show whether the store answers, and how many entries of the audit wait for it."""
        self._store.labels(self._region).set(int(answers))
        self._audit.labels(self._region).set(audit_waiting)

    def _make_of_requests(self) -> None:
        from prometheus_client import Counter, Histogram

        into, requests = self.registry, "Requests answered, by the address's template"
        self._requests = Counter("tsur_requests", requests, ["region", "method", "path", "status"], registry=into)
        self._errors = Counter("tsur_errors", "Errors by code", ["region", "code"], registry=into)
        whole = "Time to the whole answer"
        self._seconds = Histogram("tsur_request_seconds", whole, ["region", "path"], buckets=SECONDS, registry=into)

    def _make_of_complaints(self) -> None:
        from prometheus_client import Counter, Histogram

        into, decisions = self.registry, "Complaints decided, by sector and outcome (route, review)"
        self._decisions = Counter("tsur_decisions", decisions, ["region", "sector", "decision"], registry=into)
        confidence = "Calibrated confidence in the agency"
        self._confidence = Histogram("tsur_agency_confidence", confidence, ["region"], buckets=SHARES, registry=into)
        labels = "Labels that operators gave, and whether the decision had said the same"
        self._labels = Counter("tsur_corrected_labels", labels, ["region", "head", "agrees"], registry=into)

    def _make_of_the_state(self) -> None:
        read = "Texts whose vectors the encoders remembered, and that they had to read"
        self._cache = self._gauge("tsur_text_cache", read, "outcome", mode="sum")
        self._champions = self._gauge("tsur_champion", "1 for the version that serves", "name", "version")
        registered = "When the version that serves was registered"
        self._registered = self._gauge("tsur_champion_registered_timestamp_seconds", registered, "name")
        last_day = "The last day that the forecasts were made from"
        self._last_day = self._gauge("tsur_forecast_last_day_timestamp_seconds", last_day)
        self._surges = self._gauge("tsur_surges_open", "Surges that go on or are expected", "kind")
        self._store = self._gauge("tsur_store_up", "1 while the store answers", mode="livemin")
        waiting = "Entries of the audit that wait for the store"
        self._audit = self._gauge("tsur_audit_waiting", waiting, mode="livesum")

    def _gauge(self, name: str, text: str, *labels: str, mode: Any = "mostrecent") -> Any:
        from prometheus_client import Gauge

        return Gauge(name, text, ["region", *labels], multiprocess_mode=mode, registry=self.registry)


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day).astimezone().timestamp()


def hold_space() -> None:
    """Give the files of this process's metrics their whole space on the disk, as far as it has any.

    prometheus_client maps them into memory with holes; where a full disk cannot fill a hole, the process is ended
    (SIGBUS) by the next metric that it counts.
    """
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")  # BentoML sets it for its processes
    for path in Path(folder).glob(f"*_{os.getpid()}.db") if folder else ():
        with suppress(OSError), path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
