"""One complaint of the queue as the desk shows it: with proposals, its problems, and what was said of it.

In: its name. Out: a `DeskComplaint`. Proposals are the serving classifier's, read anew: the one that decided may have
been another. All spans count in the masked text, the only one there is.
"""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import cast

from data.complaints.masking import MaskedText
from data.errors import UnknownComplaintError
from data.store.review_queue import WaitingComplaint
from data.store.splits import Split
from models.classifier.classifier import Classifier
from models.classifier.labels import OTHER
from models.classifier.routing import Classification, Reason
from models.classifier.routing import Proposal as Likely
from models.classifier.segments import proposals as problems_of
from serving.api.v1.classify_result import label_out, problem_out
from serving.api.v1.classify_types import LabelProposal
from serving.api.v1.complaints_types import StandingLabels
from serving.api.v1.desk_types import (
    PROPOSALS,
    AnswerOut,
    DeskComplaint,
    Proposals,
    SplitOut,
    TopicProposal,
)
from serving.api.v1.queue_types import WaitingOut
from serving.auth.principal import Principal
from serving.runtime import Runtime
from serving.texts import REASONS_RU

PLAIN = ("source", "id", "text", "municipality", "created_at", "received_at", "urgent_at", "reasons", "later")


def waiting_out(complaint: WaitingComplaint) -> WaitingOut:
    """A complaint of the queue as it goes over the wire."""
    return WaitingOut(
        **{name: getattr(complaint, name) for name in PLAIN},
        reasons_ru=[REASONS_RU.get(cast(Reason, reason), reason) for reason in complaint.reasons],
        decided=StandingLabels(sector=complaint.sector, topic=complaint.topic, agency=complaint.agency),
        confidence=round(complaint.confidence, 4),
        topic_margin=round(complaint.topic_margin, 4),
        claimed=complaint.claimed_by is not None,
    )


def waiting_complaint(runtime: Runtime, source: str, complaint_id: str) -> tuple[WaitingComplaint, datetime | None]:
    """A complaint that waits or has waited, and when it was answered.

    Raises:
        UnknownComplaintError: it never waited.
        StoreError: the store cannot be read.
    """
    found = runtime.store.queue.of(runtime.region.id, source, complaint_id)
    if found is None:
        raise UnknownComplaintError(f"no complaint {complaint_id!r} of source {source!r} waits for an operator")
    return found


def desk_complaint(runtime: Runtime, principal: Principal, source: str, complaint_id: str) -> DeskComplaint:
    """All that the desk shows of a complaint. Raises as `waiting_complaint`."""
    complaint, answered_at = waiting_complaint(runtime, source, complaint_id)
    region, model = runtime.region.id, runtime.champions.classifier.model
    place = place_of(model, complaint)
    (said,) = model.classify([complaint.text], [place], PROPOSALS)
    (problems,) = problems_of(model, [complaint.text], [place], [said])
    answers = runtime.store.operator_answers.of(region, complaint.source, complaint.id)
    splits = runtime.store.splits.of(region, complaint.source, complaint.id)
    return DeskComplaint(
        **waiting_out(complaint).model_dump(),
        proposals=_proposals(model, said),
        problems=[problem_out(problem) for problem in problems],
        splits=[split_out(runtime, principal, each) for each in splits],
        answers=[AnswerOut(**vars(each) | {"labels": StandingLabels(**asdict(each.labels))}) for each in answers],
        answered_at=answered_at,
    )


def place_of(model: Classifier, complaint: WaitingComplaint) -> str | None:
    """The id of its municipality in the serving catalogue."""
    (place,) = model.catalogue.municipality_ids([complaint.municipality])
    return place


def undo_until(runtime: Runtime, at: datetime) -> datetime:
    """Until when what was done then can be taken back."""
    return at + timedelta(minutes=runtime.config.desk.undo_minutes)


def split_out(runtime: Runtime, principal: Principal, split: Split) -> SplitOut:
    """A split as it goes over the wire to this principal."""
    until = undo_until(runtime, split.at)
    his = split.operator == principal.key_id and until > datetime.now(UTC)
    plain = {name: getattr(split, name) for name in ("number", "part_id", "start", "end")}
    return SplitOut(**plain, undo_until=until if his else None)


def part_text(text: str, start: int, end: int) -> MaskedText:
    """The text of a problem: a piece of what is masked is masked."""
    return MaskedText(text[start:end].strip())


def _proposals(model: Classifier, said: Classification) -> Proposals:
    """The likeliest labels; what is none of the catalogue's is left out."""
    return Proposals(
        sectors=_labels(said.alternatives["sector"]),
        topics=_topics(model, said),
        agencies=_labels(said.alternatives["agency"]),
    )


def _labels(likeliest: list[Likely]) -> list[LabelProposal]:
    return [label_out(each) for each in likeliest if each.label != OTHER]


def _topics(model: Classifier, said: Classification) -> list[TopicProposal]:
    """Topics with the sector that each belongs to; of several that bear one name, the likeliest sector's."""
    order = [each.label for each in said.alternatives["sector"]]
    sectors: dict[str, list[str]] = {}
    for sector in model.catalogue.sectors:
        for topic in sector.topics:
            sectors.setdefault(topic.name, []).append(sector.name)
    return [
        TopicProposal(
            sector=min(sectors[each.label], key=lambda name: order.index(name) if name in order else len(order)),
            topic=each.label,
            confidence=round(each.confidence, 4),
        )
        for each in said.alternatives["topic"]
        if each.label in sectors
    ]
