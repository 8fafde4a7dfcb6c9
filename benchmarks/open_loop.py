"""An open-loop load generator: requests leave when they are due, however late the answers are.

In: the address of a service on this machine, a rate and a time. Out: a `Load`: latencies counted from when
each request was *due*, so that a service that stalls is charged for all who would have waited (Tene, «How
not to measure latency»: coordinated omission). Arrivals are Poisson; every request has its own id and text.
"""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

IN_FLIGHT = 512
"""Connections at most; a request that finds none free waits, and its wait counts."""


@dataclass
class Load:
    """What came of one rate; latencies are in seconds, of accepted requests only."""

    rate: float
    seconds: float
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    without_retry_after: int = 0

    @property
    def sent(self) -> int:
        """Requests that were due."""
        return sum(self.statuses.values())

    @property
    def throughput(self) -> float:
        """Accepted answers a second, until the last one came."""
        return len(self.accepted) / max(self.seconds, 1e-9)

    def quantile(self, share: float) -> float:
        """A latency that so large a share of accepted requests does not pass; NaN without any."""
        return float(np.quantile(self.latencies, share)) if self.latencies else float("nan")


def offer(url: str, texts: Sequence[str], rate: float, seconds: float, seed: int = 0) -> Load:
    """Send complaints to `url`/v1/classify at `rate` a second for so many seconds; wait for all answers."""
    return asyncio.run(_offer(url, texts, rate, seconds, seed))


async def _offer(url: str, texts: Sequence[str], rate: float, seconds: float, seed: int) -> Load:
    import httpx

    rng = np.random.default_rng(seed)
    due = np.cumsum(rng.exponential(1 / rate, size=max(int(rate * seconds), 1)))
    chosen = rng.integers(len(texts), size=len(due))
    load = Load(rate, seconds)
    limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=120, trust_env=False) as client:
        started = time.perf_counter()

        async def send(moment: float, text: str) -> None:
            identity = uuid.uuid4().hex
            try:
                answer = await client.post("/v1/classify", json={"items": [{"id": identity, "text": text}]})
            except httpx.HTTPError:
                load.statuses[0] += 1
                return
            load.statuses[answer.status_code] += 1
            if answer.status_code == 200:
                load.accepted.add(identity)
                load.latencies.append(time.perf_counter() - started - moment)
            elif "retry-after" not in answer.headers:
                load.without_retry_after += 1

        waiting = []
        for moment, which in zip(due.tolist(), chosen.tolist(), strict=True):
            await asyncio.sleep(max(moment - (time.perf_counter() - started), 0))
            waiting.append(asyncio.create_task(send(moment, texts[which])))
        await asyncio.gather(*waiting)
        load.seconds = max(time.perf_counter() - started, seconds)
    return load


def find_knee(offered: Sequence[Load], share: float = 0.95) -> Load:
    """The last of a series of rising rates at which `share` of what was due was accepted."""
    knee = offered[0]
    for load in offered:
        if len(load.accepted) < share * load.sent:
            break
        knee = load
    return knee
