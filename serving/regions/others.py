"""Regions beside the service's own: opened when a request names one, dropped when nobody has for a while.

In: a region's id. Out: its champions, which load in the background while the first requests are told to come again.
What regions have in common is shared: the encoders by their content, the registry, the store. The service's own region
is none of these and never dropped.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from data.regions.region import Region, known_regions
from serving.regions.champions import Champion, Champions
from serving.regions.shadow import Shadow


@dataclass(frozen=True)
class ServedRegion:
    """A region, its champions, and the shadow beside them."""

    region: Region
    champions: Champions
    shadow: Shadow

    def close(self) -> None:
        """Let go of the models."""
        self.shadow.close()
        self.champions.stop()


class OtherRegions:
    """The regions that are open now. Thread-safe.

    Args:
        open_region: opens one by its id.
        idle_seconds: after which one that nobody asks about is dropped; 0: never.
    """

    def __init__(self, open_region: Callable[[str], ServedRegion], idle_seconds: float) -> None:
        self._open_region, self._idle_seconds = open_region, idle_seconds
        self._open: dict[str, ServedRegion] = {}
        self._asked: dict[str, float] = {}
        self._lock = Lock()

    def has(self, region: str) -> bool:
        """Whether the installation has this region, open or not."""
        return region in self._open or region in known_regions()

    def get(self, region: str) -> ServedRegion:
        """A region, opened unless it is.

        Raises:
            ConfigError: there is no such region, or its `region.yaml` is malformed.
        """
        with self._lock:
            self._asked[region] = time.monotonic()
            if region not in self._open:
                self._open[region] = self._open_region(region)
            return self._open[region]

    @property
    def serving(self) -> list[Champion[Any]]:
        """The champions of all that are open."""
        return [champion for each in list(self._open.values()) for champion in each.champions.serving]

    def forget(self) -> None:
        """A complaint was erased: what waits in the shadows goes."""
        for each in list(self._open.values()):
            each.shadow.forget()

    def drop_idle(self) -> None:
        """Drop those that nobody has asked about for long."""
        if not self._idle_seconds:
            return
        now = time.monotonic()
        with self._lock:
            idle = [name for name in self._open if now - self._asked[name] > self._idle_seconds]
            dropped = [self._open.pop(name) for name in idle]
        for each in dropped:
            each.close()

    def close(self) -> None:
        """Let go of all."""
        with self._lock:
            opened, self._open = list(self._open.values()), {}
        for each in opened:
            each.close()
