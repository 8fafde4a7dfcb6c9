"""New topics among the stored complaints of the last days.

In: the store and the champion classifier. Out: a `SearchResult`, remembered for some minutes. What the classifier
read of each complaint is kept beside its decision; after a new champion the stored texts are read anew, a bounded
number a search and a few at once, so that a complaint to route never waits behind many of them.
"""

import asyncio
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from data.store.store import Store
from models.classifier.classifier import Classifier
from models.classifier.labels import Ints
from models.topics.emerging import Emerging, emerging_topics
from serving.analytics.threads import AnalyticsThreads
from serving.config import EmergingDefaults
from serving.regions.champions import Champion

READ_TOGETHER = 8
"""Stored texts that are given to the encoder at once: what is routed meanwhile waits for these at most."""
REMEMBERED = 8
"""Results that are kept: some numbers of days, before and after a new champion."""


@dataclass(frozen=True)
class SearchResult:
    """What a search for new topics brought.

    Attributes:
        emerging: the proposed topics.
        complaints: what it looked through, columns `source, id`; the topics' `rows` count in it.
        unread: complaints that the serving classifier has not read yet.
        searched_at: monotonic seconds.
    """

    emerging: Emerging
    complaints: pd.DataFrame
    unread: int
    searched_at: float


class SearchMemory:
    """The last results, and one thread that searches. Used from the event loop only, so it needs no lock.

    Requests that come while their search runs wait for it without a thread.

    Args:
        minutes: how long a result is given again.
    """

    def __init__(self, minutes: float) -> None:
        self._seconds = 60 * minutes
        self._thread = AnalyticsThreads(1)
        self._results: dict[Hashable, SearchResult] = {}
        self._running: dict[Hashable, asyncio.Future[SearchResult]] = {}

    async def result(self, key: Hashable, search: Callable[[], SearchResult]) -> SearchResult:
        """The result of the last minutes under this key, or that of a new search. Raises as `search`."""
        result = self._results.get(key)
        if result is not None and time.monotonic() - result.searched_at < self._seconds:
            return result
        running = self._running.get(key)
        if running is None:
            running = self._running[key] = self._thread.run(search)
            results = self._results
            running.add_done_callback(lambda done: self._finish(key, done, results))
        return await asyncio.shield(running)  # one who gives up does not end the others' search

    def forget(self) -> None:
        """Give no result again, that of a search that runs included. May be called from any thread."""
        self._results = {}

    def close(self) -> None:
        """Begin no search more."""
        self._thread.close()

    def _finish(
        self, key: Hashable, done: "asyncio.Future[SearchResult]", results: dict[Hashable, SearchResult]
    ) -> None:
        del self._running[key]
        if done.cancelled() or done.exception() is not None:
            return
        if len(results) >= REMEMBERED:
            results.clear()
        results[key] = done.result()


def search(
    store: Store, region: str, champion: Champion[Classifier], today: date, config: EmergingDefaults
) -> SearchResult:
    """Search the stored complaints of a region up to today.

    Raises:
        StoreError: the store cannot be read or written.
    """
    first = today - timedelta(days=config.days - 1)
    before = first - timedelta(days=config.past_days), first - timedelta(days=1)
    past = store.complaints.of_days(region, *before, champion.version, config.max_past)
    recent = store.complaints.of_days(region, first, today, champion.version, config.max_recent)
    complaints = pd.concat([part for part in (past, recent) if len(part)] or [past], ignore_index=True)
    unread = np.flatnonzero(complaints["features"].isna())
    reading = unread[len(unread) - min(len(unread), config.read_at_once) :]
    read_anew(store, champion, complaints, reading)
    read = complaints[complaints["features"].notna()].reset_index(drop=True)
    vectors = np.stack(read["features"].tolist()) if len(read) else np.zeros((0, 1))
    emerging = emerging_topics(read, vectors, today, config)
    return SearchResult(emerging, read[["source", "id"]], len(unread) - len(reading), time.monotonic())


def read_anew(store: Store, champion: Champion[Classifier], complaints: pd.DataFrame, rows: Ints) -> None:
    """Let the serving classifier read these rows of `complaints`, put their features there and into the store."""
    if not len(rows):
        return
    some = complaints.loc[rows]
    places = champion.model.catalogue.municipality_ids(some["municipality"])
    texts = some["text"].tolist()
    parts = [slice(start, start + READ_TOGETHER) for start in range(0, len(texts), READ_TOGETHER)]
    features = np.concatenate([champion.model.features(texts[part], places[part]) for part in parts])
    store.features.save(champion.version, list(zip(some["number"].tolist(), features, strict=True)))
    complaints["features"] = pd.Series(list(features), index=rows, dtype=object).combine_first(complaints["features"])
