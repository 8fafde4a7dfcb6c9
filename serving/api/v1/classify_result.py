"""One classified complaint: as it goes over the wire, and as it is stored.

In: the complaint of a request, and what the classifier says of it. Out: its result and its decision.
"""

from dataclasses import dataclass
from datetime import datetime

from data.catalogue.places import PlaceNote
from data.complaints.masking import MaskedText
from data.regions.region import Region
from data.regulations.deadlines import Deadline
from data.store.decisions import Decision
from models.classifier.classifier import Classifier
from models.classifier.explanation import explain
from models.classifier.routing import Classification, Proposal
from models.classifier.segments import SegmentProposal
from serving.api.v1.classify_types import ClassifyResult, ExplainedWord, LabelProposal, Note, ProblemProposal
from serving.texts import REASONS_RU


@dataclass(frozen=True)
class Complaint:
    """One complaint of a request as it is classified and stored.

    Attributes:
        source: the source system.
        id: its id there, or one made up here.
        text: cleaned and masked.
        created_at: in UTC.
        arrived: no time was sent: `created_at` is now.
        place_id: of the catalogue; None where none was named, or the catalogue knows none.
        municipality: the name that is stored.
        note: why there is no place, where the catalogue has some.
    """

    source: str
    id: str
    text: MaskedText
    created_at: datetime
    place_id: str | None
    municipality: str | None
    arrived: bool = False
    note: PlaceNote | None = None


PLACE_NOTES: dict[PlaceNote, str] = {
    "unknown_municipality": "the municipality is not in the catalogue: decided without it",
    "no_municipality": "no municipality was named: decided without it",
}


def explained(classifier: Classifier, complaint: Complaint) -> list[ExplainedWord]:
    """The words that carried the decision as they go over the wire."""
    words = explain(classifier, complaint.text, complaint.place_id).words
    return [ExplainedWord(word=w.word, start=w.start, end=w.end, weight=round(w.weight, 4)) for w in words]


def result_of(
    complaint: Complaint,
    classification: Classification,
    proposals: list[SegmentProposal],
    words: list[ExplainedWord] | None,
    deadline: Deadline | None,
) -> ClassifyResult:
    """One classification as it goes over the wire."""
    return ClassifyResult(
        id=complaint.id,
        text=complaint.text,
        decision=classification.decision,
        reasons=list(classification.reasons),
        reasons_ru=[REASONS_RU[reason] for reason in classification.reasons],
        sector=label_out(classification.sector),
        topic=label_out(classification.topic),
        agency=label_out(classification.agency),
        alternatives={head: [label_out(label) for label in top] for head, top in classification.alternatives.items()},
        deadline_hours=classification.deadline_hours,
        due_at=None if deadline is None else deadline.due_at,
        interim_due_at=None if deadline is None else deadline.interim_due_at,
        due_basis=None if deadline is None else deadline.basis,
        topic_sure=classification.topic_sure,
        truncated=classification.truncated,
        proposals=[problem_out(proposal) for proposal in proposals],
        notes=[] if complaint.note is None else [Note(code=complaint.note, message=PLACE_NOTES[complaint.note])],
        explanation=words,
    )


def decision_of(
    complaint: Complaint, region: Region, classification: Classification, version: str, deadline: Deadline | None
) -> Decision:
    """One classification as it is stored."""
    return Decision(
        region=region.id,
        source=complaint.source,
        id=complaint.id,
        text=complaint.text,
        municipality=complaint.municipality,
        created_at=complaint.created_at,
        day=complaint.created_at.astimezone(region.zone).date(),
        decision=classification.decision,
        reasons=list(classification.reasons),
        sector=classification.sector.label,
        sector_confidence=classification.sector.confidence,
        topic=classification.topic.label,
        topic_confidence=classification.topic.confidence,
        agency=classification.agency.label,
        agency_confidence=classification.agency.confidence,
        model_version=version,
        features=classification.features,
        arrived=complaint.arrived,
        due_at=None if deadline is None else deadline.due_at,
        topic_margin=classification.topic_margin,
    )


def problem_out(proposal: SegmentProposal) -> ProblemProposal:
    """One problem of a message as it goes over the wire."""
    return ProblemProposal(
        start=proposal.start,
        end=proposal.end,
        sector=label_out(proposal.sector),
        topic=label_out(proposal.topic),
        agency=label_out(proposal.agency),
        deadline_hours=proposal.deadline_hours,
    )


def label_out(proposal: Proposal) -> LabelProposal:
    """A label as it goes over the wire."""
    return LabelProposal(label=proposal.label, confidence=round(proposal.confidence, 4))
