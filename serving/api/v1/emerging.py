"""`GET /v1/emerging`: complaints of the last days that fit no topic and look alike, as proposed topics.

Answers from the store; an answer is remembered for some minutes. A CSV table on request.
"""

import time
from datetime import datetime
from typing import Annotated

import pandas as pd
from fastapi import APIRouter, Query, Request

from models.classifier.classifier import Classifier
from models.topics.emerging import EmergingTopic
from serving.analytics.new_topics import SearchResult, search
from serving.analytics.surges import REMEMBERED
from serving.api.v1.emerging_types import ComplaintKey, EmergingAnswer, EmergingTopicOut
from serving.api.v1.queries import MunicipalityQuery, municipality_name
from serving.api.v1.shared_types import ModelVersion
from serving.http.csv_answer import CSV_ANSWER, Format, csv_response, wants_csv
from serving.regions.champions import Champion
from serving.runtime import CurrentRuntime, Runtime

router = APIRouter(tags=["analytics"])
DaysQuery = Annotated[int | None, Query(ge=1, le=60, description="The last days; default: `emerging.days`")]


@router.get("/emerging", summary="Proposed new topics", responses={**CSV_ANSWER})
def emerging(
    request: Request,
    runtime: CurrentRuntime,
    days: DaysQuery = None,
    municipality: MunicipalityQuery = None,
    format: Format = None,
) -> EmergingAnswer:
    """Groups of complaints that fit no known topic, look alike and have become more, the clearest first."""
    champion = runtime.champions.classifier
    place = municipality_name(runtime, municipality)
    result = remembered(runtime, champion, runtime.config.emerging.days if days is None else days)
    found = result.emerging
    topics = [
        topic_out(topic, result.complaints) for topic in found.topics if place is None or place in topic.municipalities
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
        unread=result.unread,
        topics=topics,
    )


def remembered(runtime: Runtime, champion: Champion[Classifier], days: int) -> SearchResult:
    """The result of the last minutes, or a new one; requests that come meanwhile wait for it."""
    today = datetime.now(runtime.region.zone).date()
    key = (champion.version, today, days)
    with runtime.searching:
        result = runtime.searches.get(key)
        if result is None or time.monotonic() - result.searched_at >= 60 * runtime.config.emerging.remember_minutes:
            config = runtime.config.emerging.model_copy(update={"days": days})
            result = search(runtime.store, champion, today, config)
            if len(runtime.searches) >= REMEMBERED:
                runtime.searches.clear()
            runtime.searches[key] = result
    return result


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
