"""New topics among the stored complaints of the last days.

In: the store and the champion classifier. Out: a `SearchResult`. What the classifier read of each complaint is
kept beside its decision; after a new champion the stored texts are read anew, a bounded number a search.
"""

import time
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from data.store.store import Store
from models.classifier.classifier import Classifier
from models.classifier.labels import Ints
from models.topics.emerging import Emerging, emerging_topics
from serving.config import EmergingDefaults
from serving.regions.champions import Champion


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


def search(store: Store, champion: Champion[Classifier], today: date, config: EmergingDefaults) -> SearchResult:
    """Search the stored complaints up to today.

    Raises:
        StoreError: the store cannot be read or written.
    """
    first = today - timedelta(days=config.days - 1)
    before = first - timedelta(days=config.past_days), first - timedelta(days=1)
    past = store.decided(*before, champion.version, config.max_past)
    recent = store.decided(first, today, champion.version, config.max_recent)
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
    places = champion.model.catalogue.place_ids(some["municipality"])
    features = champion.model.features(some["text"].tolist(), places)
    keys = zip(some["source"], some["id"], features, strict=True)
    store.save_features([(source, name, champion.version, row) for source, name, row in keys])
    complaints["features"] = pd.Series(list(features), index=rows, dtype=object).combine_first(complaints["features"])
