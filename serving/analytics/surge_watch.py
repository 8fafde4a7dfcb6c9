"""How many surges there are, looked at every quarter of an hour, so that an alert need not wait for somebody to ask.

In: the champion forecaster and the store. Out: a gauge by kind, and a count for pages that are open. The answer that it
computes is the one that `GET /v1/surges` gives then, so nothing is computed twice.
"""

import asyncio
import logging
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from data.errors import TsurError
from serving.analytics.live_counts import recent_counts, yesterday
from serving.http.logs import LOGGER, where_it_failed

if TYPE_CHECKING:
    from serving.runtime import Runtime

EVERY = timedelta(minutes=15)
FIRST = timedelta(seconds=30)
"""By then the champions are loaded, or the first look finds none."""
KINDS = ("observed", "expected")
logger = logging.getLogger(LOGGER)


async def watch_surges(runtime: "Runtime") -> None:
    """Look for good; until cancelled."""
    pause = FIRST
    while True:
        await asyncio.sleep(pause.total_seconds())
        pause = EVERY
        try:
            found = await runtime.analytics.run(lambda: open_surges(runtime))
            runtime.metrics.surges(found)
            runtime.live.surges[runtime.region.id] = found["observed"]
        except TsurError as error:
            logger.info("surges cannot be counted now: %s", error.message)
        except Exception as error:  # a bug here must not end the looking
            logger.error("surges could not be counted\n%s", where_it_failed(error))


def open_surges(runtime: "Runtime") -> dict[str, int]:
    """Surges of each kind that `GET /v1/surges` shows unless it is asked for more.

    Raises:
        NoChampionError, NotReadyError, BundleError: no forecaster serves.
        StoreError: the store cannot be read.
    """
    champion = runtime.champions.forecaster
    counts = recent_counts(champion.model, runtime.store, runtime.region.id, yesterday(runtime.region), None)
    least = runtime.config.surges.min_probability
    surges = runtime.surges.surges(champion, counts)
    found: Counter[str] = Counter(each.kind for each in surges if each.closed is None and each.probability >= least)
    return {kind: found[kind] for kind in KINDS}
