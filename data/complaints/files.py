"""Files of complaints: what an import writes and later commands read, and the rows it set aside.

In: a `COMPLAINTS` frame, or the JSONL that it was written to. Out: the same the other way round. JSONL, for machines:
UTF-8, one object a line. The rejects are a table for people: a CSV that Excel opens.
"""

import json
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from data.atomic import atomic_file
from data.complaints.quoting import quoted
from data.complaints.schema import COLUMNS, LABELS, Complaint, check_complaints
from data.errors import FileError, InputError
from data.tables.csv_writer import write_csv
from data.tables.readers import read_rows
from data.tables.rows import BadRow, Expected

JSONL = (".jsonl", ".ndjson")


def write_complaints(frame: pd.DataFrame, path: Path) -> None:
    """Write complaints as JSONL: UTF-8, ISO dates, one object a line; the folder is made.

    Raises:
        InputError: the frame is not one of complaints.
    """
    frame = check_complaints(frame)
    with atomic_file(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        for record in frame.to_dict("records"):
            record["created_at"] = record["created_at"].isoformat()
            cells = {name: None if pd.isna(record.get(name)) else record[name] for name in COLUMNS}
            file.write(json.dumps(cells, ensure_ascii=False) + "\n")


def read_complaints(path: Path) -> pd.DataFrame:
    """Read complaints that `write_complaints` wrote (or a program did: every line is checked).

    Raises:
        FileError: absent, empty, or not UTF-8 JSONL.
        InputError: a line is not a complaint, or repeats an id; gives its number.
    """
    if path.suffix.lower() not in JSONL:
        raise FileError(f"{path}: not JSONL; `tsur import` makes it from an export")
    complaints: list[Complaint] = []
    seen: dict[tuple[str, str], int] = {}
    for line, row in read_rows(path, Expected(encoding="utf-8")):
        if isinstance(row, BadRow):
            raise InputError(f"{path}: line {line}: {row.reason}")
        try:
            complaint = Complaint.model_validate(row)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "complaint"
            raise InputError(f"{path}: line {line}: {quoted(where)[1:-1]}: {first['msg']}") from None
        key = (complaint.source, complaint.id)
        if key in seen:
            raise InputError(f"{path}: line {line}: id {quoted(complaint.id)} is on line {seen[key]} too")
        seen[key] = line
        complaints.append(complaint)
    return complaints_frame(complaints)


def write_rejects(rejects: pd.DataFrame, path: Path) -> None:
    """Write the rows set aside as CSV (`line; reason; row`) that Excel opens."""
    write_csv(rejects, path)


def complaints_frame(complaints: list[Complaint]) -> pd.DataFrame:
    """Complaints as a checked frame (schema COMPLAINTS)."""
    frame = pd.DataFrame([complaint.model_dump() for complaint in complaints], columns=COLUMNS)
    frame = frame.assign(created_at=pd.to_datetime(frame["created_at"], utc=True).astype("datetime64[ns, UTC]"))
    optional = ["municipality", *LABELS]
    frame[optional] = frame[optional].astype(object).where(frame[optional].notna(), None)
    return check_complaints(frame)
