"""An open-loop load generator: requests leave when they are due, however late the answers are.

In: the address of a service on this machine, a rate and a time. Out: a `Load`: latencies counted from when
each request was *due*, so that a service that stalls is charged for all who would have waited (Tene, «How
not to measure latency»: coordinated omission). Arrivals are Poisson; every request has its own id and text.
"""

import asyncio
import json
import re
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import numpy as np

TIMEOUT_SECONDS = 120


@dataclass
class Load:
    """What came of one rate; latencies are in seconds, of accepted requests only.

    `lateness` is how long after its moment each request left: where it is large, the generator was starved.
    """

    rate: float
    seconds: float
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    without_retry_after: int = 0
    lateness: list[float] = field(default_factory=list)

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
    rng = np.random.default_rng(seed)
    due = np.cumsum(rng.exponential(1 / rate, size=max(int(rate * seconds), 1)))
    chosen = rng.integers(len(texts), size=len(due))
    load = Load(rate, seconds)
    client = _Client(url)
    started = time.perf_counter()

    async def send(moment: float, text: str) -> None:
        identity = uuid.uuid4().hex
        body = json.dumps({"items": [{"id": identity, "text": text}]}).encode()
        load.lateness.append(time.perf_counter() - started - moment)
        status, head = await client.post("/v1/classify", body)
        load.statuses[status] += 1
        if status == 200:
            load.accepted.add(identity)
            load.latencies.append(time.perf_counter() - started - moment)
        elif status and b"retry-after" not in head.lower():
            load.without_retry_after += 1

    waiting = []
    for moment, which in zip(due.tolist(), chosen.tolist(), strict=True):
        await asyncio.sleep(max(moment - (time.perf_counter() - started), 0))
        waiting.append(asyncio.create_task(send(moment, texts[which])))
    await asyncio.gather(*waiting)
    load.seconds = max(time.perf_counter() - started, seconds)
    client.close()
    return load


class _Client:
    """HTTP/1.1 over connections that stay open: a tenth of a full client's work, so that it is not what is measured."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and head of the answer to JSON; status 0 where there was none."""
        try:
            while self._free and self._free[-1][0].at_eof():  # the server has closed it for being idle
                self._free.pop()[1].close()
            pair = self._free.pop() if self._free else await asyncio.open_connection(self._host, self._port)
            reader, writer = pair
            head = f"POST {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), TIMEOUT_SECONDS)
            length = re.search(rb"(?i)content-length: *(\d+)", answer)
            await reader.readexactly(int(length[1]) if length else 0)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            return 0, b""
        if b"connection: close" in answer.lower():
            writer.close()
        else:
            self._free.append(pair)
        return int(answer.split()[1]), answer

    def close(self) -> None:
        """Close the connections that are free."""
        for _, writer in self._free:
            writer.close()


def find_knee(offered: Sequence[Load], share: float = 0.95) -> Load:
    """The last of a series of rising rates at which `share` of what was due was accepted."""
    knee = offered[0]
    for load in offered:
        if len(load.accepted) < share * load.sent:
            break
        knee = load
    return knee
