"""Our Prometheus metrics, beside BentoML's own, at `/metrics`.

`prometheus_client` decides at its import where several workers meet, so it is imported when the
service starts and not with this module.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Counters of one worker.

    Args:
        registry: holds each name once; default: the one that BentoML shows.

    Attributes:
        registry: likewise.
    """

    def __init__(self, registry: "CollectorRegistry | None" = None) -> None:
        from prometheus_client import REGISTRY, Counter, Gauge, Histogram

        into = registry or REGISTRY
        self.registry: CollectorRegistry = into
        requests, seconds = "Requests answered, by the address's template", "Time to the whole answer"
        self._requests = Counter("tsur_requests", requests, ["method", "path", "status"], registry=into)
        self._errors = Counter("tsur_errors", "Errors by code", ["code"], registry=into)
        self._seconds = Histogram("tsur_request_seconds", seconds, ["path"], buckets=SECONDS, registry=into)
        decisions = "Complaints classified, by routing decision"
        self._items = Counter("tsur_items", decisions, ["decision"], registry=into)
        self._cache = Gauge(
            "tsur_text_cache",
            "Texts whose vectors the encoders remembered, and that they had to read",
            ["outcome"],
            multiprocess_mode="sum",
            registry=into,
        )
        self._champions = Gauge(
            "tsur_champion",
            "1 for the version that serves",
            ["name", "version"],
            multiprocess_mode="mostrecent",
            registry=into,
        )
        self._shown: set[tuple[str, str]] = set()

    def request(self, method: str, path: str, status: int, code: str | None, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(method, path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)
        if code is not None:
            self._errors.labels(code).inc()

    def classified(self, decisions: Iterable[str]) -> None:
        """Count classified complaints."""
        for decision in decisions:
            self._items.labels(decision).inc()

    def cache(self, hits: int, misses: int) -> None:
        """Show how often a text was read before."""
        self._cache.labels("hit").set(hits)
        self._cache.labels("miss").set(misses)

    def champions(self, serving: Iterable[Any]) -> None:
        """Show which versions serve."""
        now = {(champion.name, champion.version) for champion in serving}
        for name, version in self._shown - now:
            self._champions.labels(name, version).set(0)
        for name, version in now:
            self._champions.labels(name, version).set(1)
        self._shown |= now
