"""Gathering: labelled rows of files and of the store as one frame, each label with where it comes from.

In: frames of complaints, what operators said, the catalogue. Out: a `Gathered`: rows in one order whatever order the
files came in, under today's names and masked, and findings about single rows. An operator's label beats the file's; of
two files the later one's row holds; what a model decided is a label only once an operator has said so too.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from data.complaints.identifiers import why_refused
from data.complaints.masking import masked
from data.complaints.schema import COLUMNS, LABELS, check_complaints
from data.errors import InputError
from training.retrain.findings import Finding
from training.retrain.operators import Key, Operators, Word
from training.retrain.todays_labels import TodaysLabels, Unknown

FILE = "file"
"""Origin of a label: an export says so."""
ORIGINS = [f"{head}_origin" for head in LABELS]


@dataclass
class Row:
    """One complaint while it is put together; labels and origins by head, those that there are."""

    text: str
    created_at: datetime
    municipality: str | None
    labels: dict[str, str] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    def take(self, words: dict[str, Word]) -> None:
        """Operators' words over what there was; a topic of another sector than theirs goes."""
        if "sector" in words and "topic" not in words and words["sector"].label != self.labels.get("sector"):
            self.labels.pop("topic", None)
            self.origins.pop("topic", None)
        for head, word in words.items():
            self.labels[head], self.origins[head] = word.label, word.origin


@dataclass
class Gathered:
    """Labelled rows and what there is to say of them.

    Attributes:
        rows: columns of COMPLAINTS and each label's origin (`sector_origin`, …); the oldest first.
        findings: about single rows, those that were set aside among them.
        counts: rows by what happened to them.
    """

    rows: pd.DataFrame
    findings: list[Finding]
    counts: "Counter[str]"


def gather(
    files: Sequence[pd.DataFrame],
    operators: Operators,
    names: TodaysLabels,
    zone: ZoneInfo,
    is_erased: Callable[[Key], bool] = lambda key: False,
    earlier: pd.DataFrame | None = None,
) -> Gathered:
    """Rows that have a label, from files (schema COMPLAINTS; the later ones over the earlier) and from operators.

    Below all stand the rows of an `earlier` version, where one is given. A day ends at midnight in `zone`. Complaints
    that are erased do not come back.

    Raises:
        InputError: not one row has a label.
    """
    rows: dict[Key, Row] = {}
    findings: list[Finding] = []
    counts: Counter[str] = Counter()
    if earlier is not None:
        _take_version(rows, earlier, names, zone, findings, counts)
    for frame in files:
        _take_file(rows, frame, names, zone, findings, counts)
    _take_operators(rows, operators, findings, counts)
    labelled: dict[Key, Row] = {}
    for key, row in rows.items():
        if is_erased(key):
            counts["erased"] += 1
        elif (finding := _why_left_out(key, row)) is not None:
            counts[finding.kind] += 1
            findings.append(finding)
        else:
            labelled[key] = row
    if not labelled:
        raise InputError(_nothing_labelled(counts, findings))
    masked_before = frozenset() if earlier is None else frozenset(earlier["text"])
    for row in labelled.values():
        row.text = row.text if row.text in masked_before else masked(row.text)
        row.municipality = names.municipality(row.municipality)
    counts["rows"] = len(labelled)
    return Gathered(_frame(labelled), findings, counts)


def _take_version(
    rows: dict[Key, Row],
    earlier: pd.DataFrame,
    names: TodaysLabels,
    zone: ZoneInfo,
    findings: list[Finding],
    counts: "Counter[str]",
) -> None:
    """The rows of an earlier version, each label with the origin that it had."""
    earlier = earlier.astype(object).where(earlier.notna(), None)
    for record in earlier.to_dict("records"):
        key = (record["source"], record["id"])
        said, day = (record["sector"], record["topic"], record["agency"]), record["created_at"].astimezone(zone).date()
        labels, unknown = names.of_version(said, record["topic_id"], day)
        findings += [_unknown_label(key, each) for each in unknown]
        given = {head: label for head, label in zip(LABELS, labels, strict=True) if label is not None}
        origins = {head: record[f"{head}_origin"] or FILE for head in given}
        rows[key] = Row(record["text"], record["created_at"], record["municipality"], given, origins)
        counts["of_earlier_version"] += 1


def _take_file(
    rows: dict[Key, Row],
    frame: pd.DataFrame,
    names: TodaysLabels,
    zone: ZoneInfo,
    findings: list[Finding],
    counts: "Counter[str]",
) -> None:
    frame = frame.astype(object).where(frame.notna(), None)
    days = frame["created_at"].map(lambda moment: moment.astimezone(zone).date())
    for record, day in zip(frame.to_dict("records"), days, strict=True):
        key = (record["source"], record["id"])
        labels, unknown = names.of((record.get("sector"), record.get("topic"), record.get("agency")), day)
        findings += [_unknown_label(key, each) for each in unknown]
        given = {head: label for head, label in zip(LABELS, labels, strict=True) if label is not None}
        counts["read"] += 1
        if key in rows:
            counts["given_again"] += 1
            counts["given_again_otherwise"] += rows[key].labels != given
        rows[key] = Row(
            record["text"], record["created_at"], record.get("municipality"), given, dict.fromkeys(given, FILE)
        )


def _take_operators(
    rows: dict[Key, Row], operators: Operators, findings: list[Finding], counts: "Counter[str]"
) -> None:
    findings += [_unknown_label(key, each) for key, each in operators.unknown]
    findings += [
        Finding(
            "conflict", *each.key, each.head, each.overruled.label, each.holds.label, reason="a later operator said so"
        )
        for each in operators.conflicts
    ]
    counts["conflicts"] = len(operators.conflicts)
    for key, words in operators.words.items():
        complaint = operators.complaints[key]
        if key not in rows:
            counts["from_store_alone"] += 1
            rows[key] = Row(str(complaint.text), complaint.created_at, complaint.municipality)
        rows[key].take(words)


def _why_left_out(key: Key, row: Row) -> Finding | None:
    refused = why_refused(key[1])
    if refused is not None:
        return Finding("refused_id", key[0], "", reason=refused)
    if not row.labels:
        return Finding("no_label", *key, reason="nobody has given it a label that the catalogue knows")
    return None


def _unknown_label(key: Key, unknown: Unknown) -> Finding:
    return Finding("unknown_label", *key, unknown.head, unknown.label, reason=unknown.reason)


def _nothing_labelled(counts: "Counter[str]", findings: list[Finding]) -> str:
    """Why there is no dataset, by the first label that was left out."""
    unknown = next((finding.reason for finding in findings if finding.kind == "unknown_label"), None)
    hint = "--catalogue names another catalogue, --no-catalogue takes labels as they come"
    read = counts["read"] + counts["from_store_alone"] + counts["of_earlier_version"]
    because = "" if unknown is None else f"; {unknown}; {hint}"
    return f"none of {read} complaints has a label to learn from{because}"


def _frame(rows: dict[Key, Row]) -> pd.DataFrame:
    """The columns of `Gathered.rows`."""
    records = [
        {"id": id_, "source": source, "text": row.text, "created_at": row.created_at, "municipality": row.municipality}
        | {head: row.labels.get(head) for head in LABELS}
        | {origin: row.origins.get(head) for head, origin in zip(LABELS, ORIGINS, strict=True)}
        for (source, id_), row in rows.items()
    ]
    frame = pd.DataFrame(records, columns=[*COLUMNS, *ORIGINS], dtype=object)
    frame = frame.assign(created_at=pd.to_datetime(frame["created_at"], utc=True).astype("datetime64[ns, UTC]"))
    frame = frame.sort_values(["created_at", "source", "id"], ignore_index=True)
    return check_complaints(frame[COLUMNS]).join(frame[ORIGINS])
