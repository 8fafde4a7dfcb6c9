"""Surges as they stand at the end of the days that are known, and which heat-map cell each goes on in.

In: the champion forecaster and the panel of `live_counts`. Out: events of both kinds, over places and sectors
too, closed ones among them, the most important first. They take about a second for a region, so they are computed once
for the same forecaster and counts.
"""

from dataclasses import dataclass, field
from threading import Lock

import pandas as pd

from models.forecasting.bundle import Forecasts
from models.forecasting.series import sums_of_observed
from models.surges.detection import expected_surges, observed_surges
from models.surges.events import most_important_first
from models.surges.types import Surge
from serving.regions.champions import Champion

DAYS_JUDGED = 56
"""Counts that an observed surge is dated and explained by."""
REMEMBERED = 8
"""Answers that are kept: some days asked for by `as_of`, before and after a new champion."""


@dataclass
class SurgeMemory:
    """Surges computed last, by champion and counts. Thread-safe; two that ask at once may both compute."""

    _surges: dict[tuple[object, ...], list[Surge]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def surges(self, champion: Champion[Forecasts], counts: pd.DataFrame) -> list[Surge]:
        """As `all_surges`."""
        digest = int(pd.util.hash_pandas_object(counts).sum())
        key = (champion.name, champion.version, counts.index[-1], digest)
        with self._lock:
            remembered = self._surges.get(key)
        if remembered is not None:
            return remembered
        surges = all_surges(champion.model, counts)
        with self._lock:
            if len(self._surges) >= REMEMBERED:
                self._surges.clear()
            self._surges[key] = surges
        return surges


def all_surges(forecasts: Forecasts, counts: pd.DataFrame) -> list[Surge]:
    """Events of both kinds as known at the end of `counts`, over places and sectors too, closed ones among them."""
    last, config = counts.index[-1].date(), forecasts.config
    expectations = pd.concat([forecasts.past_means, forecasts.means])
    panel, means = sums_of_observed(counts.iloc[-DAYS_JUDGED:], expectations)
    observed = observed_surges(panel, means.dropna(how="all"), forecasts.series, config.surges, last, config.calendar)
    return most_important_first(observed + expected_surges(forecasts, counts))


def going_on(surges: list[Surge]) -> dict[tuple[str, str], Surge]:
    """The observed surge that goes on in a municipality and sector, pending ones too; the earliest of several."""
    of_cell: dict[tuple[str, str], Surge] = {}
    for surge in sorted(surges, key=lambda surge: surge.start, reverse=True):
        if surge.kind == "observed" and surge.closed is None:
            places, sectors = surge.places or (surge.municipality,), surge.sectors or (surge.sector,)
            of_cell |= {(place, sector): surge for place in places for sector in sectors}
    return of_cell
