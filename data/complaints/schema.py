"""The `Complaint` and the two frames that cross module boundaries: complaints and daily counts.

A complaint is validated once, where it enters. Frames are checked with pandera at the edges.
"""

from datetime import UTC, datetime
from typing import Any, Literal

import pandas as pd
import pandera.pandas as pa
from pydantic import BaseModel, ConfigDict, Field, field_validator

from data.complaints.quoting import quoted
from data.errors import CountsError, InputError

SourceName = Literal["incident", "pos", "dobrodel", "hotline", "municipality", "other"]
MAX_CHARACTERS = 20_000
"""A longer text is refused: no citizen writes it, and it is the price of one request's tokens."""
MAX_COUNT = 10_000_000
"""A higher count is refused: no place writes so much in a day."""


class Complaint(BaseModel):
    """One message from a citizen; labels are absent until somebody gives them."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, cache_strings="keys")

    id: str = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1, max_length=MAX_CHARACTERS)
    source: SourceName = "other"
    created_at: datetime
    municipality: str | None = None
    sector: str | None = None
    topic: str | None = None
    agency: str | None = None

    @field_validator("created_at")
    @classmethod
    def in_utc(cls, value: datetime) -> datetime:
        """Times are stored in UTC; a naive one is taken as UTC."""
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class UnplacedComplaint(Complaint):
    """A complaint whose place the catalogue does not know: it goes on without one.

    Attributes:
        unknown_place: as the source calls it, masked; told in summaries and no column.
    """

    unknown_place: str = Field(exclude=True)


COLUMNS = list(Complaint.model_fields)
LABELS = ["sector", "topic", "agency"]

_text = pa.Column(str, nullable=False, coerce=True)
_label = pa.Column(object, nullable=True, required=False)

COMPLAINTS = pa.DataFrameSchema(
    {
        "id": pa.Column(str, coerce=True),
        "text": _text,
        "source": _text,
        "created_at": pa.Column(pd.DatetimeTZDtype("ns", "UTC"), coerce=True),
        "municipality": _label,
        "sector": _label,
        "topic": _label,
        "agency": _label,
    },
    strict=True,
    unique=["source", "id"],
)
"""Columns as in `Complaint`; one row a complaint, ids are unique in their source; labels are strings or None."""

DAILY_COUNTS = pa.DataFrameSchema(
    {
        "date": pa.Column("datetime64[ns]", coerce=True),
        "municipality": pa.Column(str),
        "sector": pa.Column(str),
        "count": pa.Column("int64", pa.Check.ge(0)),
    },
    strict=True,
    unique=["date", "municipality", "sector"],
)
"""Complaints per day × municipality × sector; a missing day is no observation, not a zero."""


def nothing_yet() -> pd.DataFrame:
    """The complaints of a region that has none."""
    return check_complaints(pd.DataFrame({column: pd.Series(dtype=object) for column in COLUMNS}))


def check_complaints(frame: pd.DataFrame) -> pd.DataFrame:
    """Validate a frame of complaints.

    Raises:
        InputError: the first column or value that does not fit.
    """
    try:
        return COMPLAINTS.validate(frame)
    except (pa.errors.SchemaError, pa.errors.SchemaErrors) as error:
        raise InputError(f"complaints: {_first_problem(error)}") from None


def check_counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Validate daily counts and sort them by series and date.

    Raises:
        CountsError: a count is negative or fractional, a day is given twice, a column is missing.
    """
    missing = [name for name in ("date", "municipality", "sector", "count") if name not in frame]
    if missing:
        raise CountsError(f"daily counts: column {missing[0]!r} is missing; there are {list(frame)}")
    counts = pd.to_numeric(frame["count"], errors="coerce")
    bad = frame[counts.isna() | (counts < 0) | (counts % 1 != 0) | (counts > MAX_COUNT)]
    if len(bad):
        row = bad.iloc[0]
        raise CountsError(
            f"daily counts: {quoted(row['count'])} on {str(row['date'])[:10]} in {_place(row)} "
            f"is not a whole number of complaints, 0 to {MAX_COUNT:,}"
        )
    nameless = [name for name in ("date", "municipality", "sector") if frame[name].isna().any()]
    if nameless:
        raise CountsError(f"daily counts: column {nameless[0]!r} has empty cells")
    frame = frame.assign(count=counts.astype("int64"))[["date", "municipality", "sector", "count"]]
    try:
        days = pd.to_datetime(frame["date"], errors="coerce").dt.normalize().dt.tz_localize(None)
    except (ValueError, TypeError, AttributeError):
        raise CountsError("daily counts: the column 'date' holds more than dates") from None
    if days.isna().any():
        unread = frame["date"][days.isna()].iloc[0]
        raise CountsError(f"daily counts: a date cannot be read: {quoted(unread)}")
    frame = frame.assign(date=days)
    twice = frame[frame.duplicated(["date", "municipality", "sector"])]
    if len(twice):
        row = twice.iloc[0]
        raise CountsError(f"daily counts: {row['date']:%Y-%m-%d} in {_place(row)} is given twice")
    try:
        checked = DAILY_COUNTS.validate(frame)
    except (pa.errors.SchemaError, pa.errors.SchemaErrors) as error:
        raise CountsError(f"daily counts: {_first_problem(error)}") from None
    return checked.sort_values(["municipality", "sector", "date"], ignore_index=True)


def _place(row: "pd.Series[Any]") -> str:
    return f"{quoted(row['municipality'])[1:-1]} · {quoted(row['sector'])[1:-1]}"


def _first_problem(error: pa.errors.SchemaError | pa.errors.SchemaErrors) -> str:
    """Which column fails which check; pandera's own message repeats the cells."""
    first = error.schema_errors[0] if isinstance(error, pa.errors.SchemaErrors) else error
    if first.check in ("column_in_dataframe", "column_in_schema"):
        return (
            f"column {first.failure_cases!r} is {'missing' if first.check == 'column_in_dataframe' else 'one too many'}"
        )
    if first.check == "multiple_fields_uniqueness":
        return "an id is given twice in one source"
    return f"column {getattr(first.schema, 'name', None)!r}: {first.check}"
