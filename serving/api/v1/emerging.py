"""`GET /v1/emerging`: complaints of the last days that fit no topic and look alike, as proposed topics.

Answers from the store; an answer is remembered for some minutes. A CSV table on request.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated

import pandas as pd
from fastapi import APIRouter, Query, Request, Response

from data.store.topic_verdicts import TopicVerdict
from models.topics.emerging import EmergingTopic
from serving.analytics.new_topics import SearchResult, search
from serving.api.v1.emerging_types import ComplaintKey, EmergingAnswer, EmergingTopicOut
from serving.api.v1.queries import MunicipalityQuery, municipality_name
from serving.api.v1.shared_types import ModelVersion
from serving.api.v1.verdicts import NEWEST, verdict_on, verdict_out
from serving.auth.requires import Caller
from serving.http.csv_answer import CSV_ANSWER, Format, csv_response, json_response, wants_csv
from serving.http.routes import Limits, limited
from serving.runtime import CurrentRuntime, Runtime

LIMITS = Limits(body_bytes=4096)
COLUMNS = list(EmergingTopicOut.model_fields)
router = APIRouter(tags=["analytics"])
DaysQuery = Annotated[int | None, Query(ge=1, le=60, description="The last days; default: `emerging.days`")]


@router.get("/emerging", summary="Proposed new topics", responses={**CSV_ANSWER}, response_model=EmergingAnswer)
@limited(LIMITS)
async def emerging(
    request: Request,
    runtime: CurrentRuntime,
    principal: Caller,
    days: DaysQuery = None,
    municipality: MunicipalityQuery = None,
    format: Format = None,
) -> Response:
    """Groups of complaints that fit no known topic, look alike and have become more, the clearest first."""
    champion = runtime.champions.classifier
    place = municipality_name(runtime, municipality)
    config = runtime.config.emerging
    config = config if days is None else config.model_copy(update={"days": days})
    today = datetime.now(runtime.region.zone).date()
    key = (champion.name, champion.version, today, config.days)
    result = await runtime.searches.result(
        key, partial(search, runtime.store, runtime.region.id, champion, today, config)
    )
    model = ModelVersion(name=champion.name, version=champion.version)
    as_csv = wants_csv(request, format)
    topics = await runtime.analytics.run(partial(topics_of, runtime, result, place))
    request.state.complaints = [(shown.source, shown.id) for topic in topics for shown in topic.complaints]
    return await runtime.analytics.run(partial(answer_of, result, topics, model, as_csv))


def topics_of(runtime: Runtime, result: SearchResult, place: str | None) -> list[EmergingTopicOut]:
    """The topics of a place, or all, each with what was decided about it."""
    verdicts = runtime.store.topic_verdicts.of(runtime.region.id, NEWEST)
    return [
        topic_out(topic, result.complaints, verdicts)
        for topic in result.emerging.topics
        if place is None or place in topic.municipalities
    ]


def answer_of(result: SearchResult, topics: list[EmergingTopicOut], model: ModelVersion, as_csv: bool) -> Response:
    """Topics as they go over the wire."""
    if as_csv:
        return csv_response([_flat(topic) for topic in topics], COLUMNS)
    answer = EmergingAnswer(
        model=model,
        start=result.emerging.start,
        end=result.emerging.end,
        recent=result.emerging.recent,
        past=result.emerging.past,
        doubtful=result.emerging.doubtful,
        enough_past=result.emerging.enough_past,
        unread=result.unread,
        topics=topics,
    )
    return json_response(answer)


def topic_out(
    topic: EmergingTopic, complaints: pd.DataFrame, verdicts: Sequence[TopicVerdict] = ()
) -> EmergingTopicOut:
    """A proposed topic as it goes over the wire."""
    keys = [ComplaintKey(source=key.source, id=key.id) for key in complaints.iloc[topic.rows].itertuples(index=False)]
    verdict = verdict_on([(key.source, key.id) for key in keys], verdicts)
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
        complaints=keys,
        verdict=None if verdict is None else verdict_out(verdict),
    )


def _flat(topic: EmergingTopicOut) -> dict[str, object]:
    places = [f"{place}: {count}" for place, count in topic.municipalities.items()]
    keys = [f"{key.source} {key.id}" for key in topic.complaints]
    flat = topic.model_dump(include=set(COLUMNS)) | {"municipalities": places, "complaints": keys}
    return flat | {"verdict": None if topic.verdict is None else topic.verdict.verdict}
