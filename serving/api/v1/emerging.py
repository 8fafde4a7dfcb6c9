"""`GET /v1/emerging`: complaints of the last days that fit no topic and look alike, as proposed topics.

Answers from the store: what the classifier read of each complaint is kept beside its decision. After a new
champion the stored texts are read anew, a bounded number a request. An answer is remembered for some minutes.
"""

import time
from datetime import date, datetime, timedelta
from typing import Annotated

import numpy as np
import pandas as pd
from fastapi import APIRouter, Depends, Query, Request

from data.store.store import Store
from models.classifier.classifier import Classifier
from models.classifier.labels import Ints
from models.topics.emerging import EmergingTopic, emerging_topics
from serving.api.v1.forecasts import REMEMBERED, Place, place_name
from serving.api.v1.types import ComplaintKey, EmergingAnswer, EmergingTopicOut, ModelVersion
from serving.config import EmergingDefaults
from serving.http.csv_answer import CSV_ANSWER, Format, csv_response, wants_csv
from serving.regions.champions import Champion
from serving.runtime import Looked, Runtime, runtime_of

router = APIRouter(tags=["outlook"])
Parts = Annotated[Runtime, Depends(runtime_of)]
Days = Annotated[int | None, Query(ge=1, le=60, description="The last days; default: `emerging.days`")]


@router.get("/emerging", summary="Proposed new topics", responses={**CSV_ANSWER})
def emerging(
    request: Request, runtime: Parts, days: Days = None, municipality: Place = None, format: Format = None
) -> EmergingAnswer:
    """Groups of complaints that fit no known topic, look alike and have become more, the clearest first."""
    champion = runtime.champions.classifier
    place = place_name(runtime, municipality)
    looked = remembered(runtime, champion, runtime.config.emerging.days if days is None else days)
    found = looked.found
    topics = [
        topic_out(topic, looked.complaints) for topic in found.topics if place is None or place in topic.municipalities
    ]
    if wants_csv(request, format):
        rows = [_flat(topic) for topic in topics]
        return csv_response(rows, list(EmergingTopicOut.model_fields))  # type: ignore[return-value]
    return EmergingAnswer(
        model=ModelVersion(name=champion.name, version=champion.version),
        start=found.start,
        end=found.end,
        recent=found.recent,
        past=found.past,
        doubtful=found.doubtful,
        enough_past=found.enough_past,
        unread=looked.unread,
        topics=topics,
    )


def remembered(runtime: Runtime, champion: Champion[Classifier], days: int) -> Looked:
    """The answer of the last minutes, or a new one; requests that come meanwhile wait for it."""
    today = datetime.now(runtime.region.zone).date()
    key = (champion.version, today, days)
    with runtime.looking:
        known = runtime.emerging.get(key)
        if known is None or time.monotonic() - known.at >= 60 * runtime.config.emerging.remember_minutes:
            config = runtime.config.emerging.model_copy(update={"days": days})
            known = look(runtime.store, runtime.region.id, champion, today, config)
            if len(runtime.emerging) >= REMEMBERED:
                runtime.emerging.clear()
            runtime.emerging[key] = known
    return known


def look(store: Store, region: str, champion: Champion[Classifier], today: date, config: EmergingDefaults) -> Looked:
    """Search the stored complaints of a region up to today.

    Raises:
        StoreError: the store cannot be read or written.
    """
    first = today - timedelta(days=config.days - 1)
    before = first - timedelta(days=config.past_days), first - timedelta(days=1)
    past = store.complaints.of_days(region, *before, champion.version, config.max_past)
    recent = store.complaints.of_days(region, first, today, champion.version, config.max_recent)
    frame = pd.concat([part for part in (past, recent) if len(part)] or [past], ignore_index=True)
    unread = np.flatnonzero(frame["features"].isna())
    reading = unread[len(unread) - min(len(unread), config.read_at_once) :]
    read_anew(store, champion, frame, reading)
    kept = frame[frame["features"].notna()].reset_index(drop=True)
    vectors = np.stack(kept["features"].tolist()) if len(kept) else np.zeros((0, 1))
    found = emerging_topics(kept, vectors, today, config)
    return Looked(found, kept[["source", "id"]], len(unread) - len(reading), time.monotonic())


def read_anew(store: Store, champion: Champion[Classifier], frame: pd.DataFrame, rows: Ints) -> None:
    """Let the serving classifier read these rows of `frame`, put their features there and into the store."""
    if not len(rows):
        return
    some = frame.loc[rows]
    places = champion.model.catalogue.place_ids(some["municipality"])
    features = champion.model.features(some["text"].tolist(), places)
    store.features.save(champion.version, list(zip(some["number"].tolist(), features, strict=True)))
    frame["features"] = pd.Series(list(features), index=rows, dtype=object).combine_first(frame["features"])


def topic_out(topic: EmergingTopic, complaints: pd.DataFrame) -> EmergingTopicOut:
    """A proposed topic as it goes over the wire."""
    keys = complaints.iloc[topic.rows].itertuples(index=False)
    return EmergingTopicOut(
        summary_ru=topic.summary,
        words=topic.words,
        size=topic.size,
        since=topic.since,
        per_day_before=round(topic.per_day_before, 3),
        per_day_now=round(topic.per_day_now, 3),
        p_value=topic.p_value,
        confidence=round(topic.confidence, 4),
        nearest=topic.nearest,
        cohesion=round(topic.cohesion, 4),
        municipalities=topic.municipalities,
        examples=topic.examples,
        complaints=[ComplaintKey(source=key.source, id=key.id) for key in keys],
    )


def _flat(topic: EmergingTopicOut) -> dict[str, object]:
    places = [f"{place}: {count}" for place, count in topic.municipalities.items()]
    keys = [f"{key.source} {key.id}" for key in topic.complaints]
    return topic.model_dump() | {"municipalities": places, "complaints": keys}
