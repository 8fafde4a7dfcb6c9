"""What the portal did with each complaint: whom it went to first, who answered in the end, and how long that took.

In: `petersburg.csv` of the real data. Out: a `Portal`: frames of the weeks that teach and of those that are judged.
"""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from data.errors import ColumnsError, FileError

COLUMNS = ("id", "created_at", "answered_at", "reroutings", "agency", "topic", "first_agency", "first_topic")


@dataclass(frozen=True)
class Portal:
    """Complaints with what became of them.

    Columns of both frames: `id, topic, reroutings, days` (from its date to the first answer; NaN while there is none),
    `knows_agency, knows_topic` (whether the final one is known), `agency_right, topic_right` (whether the first one was
    it).
    """

    past: pd.DataFrame
    judged: pd.DataFrame


def read_portal(path: Path, judged_from: pd.Timestamp) -> Portal:
    """Read the history; rows from `judged_from` on (local time, as the file's) are judged.

    Raises:
        FileError: no such file.
        ColumnsError: a column is missing.
    """
    if not path.is_file():
        raise FileError(f"TSUR_REAL_DATA holds no {path.parent.name}/{path.name}")
    raw = pd.read_csv(path, dtype="string")
    missing = [name for name in COLUMNS if name not in raw]
    if missing:
        raise ColumnsError(f"{path.name}: column {missing[0]!r} is missing; there are {list(raw)}")
    created, answered = pd.to_datetime(raw["created_at"]), pd.to_datetime(raw["answered_at"])
    frame = pd.DataFrame(
        {
            "id": raw["id"].astype(str),
            "topic": raw["topic"].astype(object),
            "reroutings": raw["reroutings"].astype(int),
            "days": (answered - created) / pd.Timedelta(days=1),
            "knows_agency": raw["agency"].notna(),
            "knows_topic": raw["topic"].notna(),
            "agency_right": (raw["first_agency"] == raw["agency"]).fillna(False).astype(bool),
            "topic_right": (raw["first_topic"] == raw["topic"]).fillna(False).astype(bool),
        }
    )
    late = created >= judged_from.tz_localize(None)
    return Portal(frame[~late].reset_index(drop=True), frame[late].reset_index(drop=True))
