"""The last report on drift of each region: `tsur drift` leaves it in the home, the service shows it.

In: a report. Out: `drift/REGION.json` in the home, in place of the one before.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from data.atomic import atomic_file


@dataclass(frozen=True)
class KeptReport:
    """A report on drift: when it was made, whether it is an alarm, its first line, and all of it as Markdown."""

    at: datetime
    alarm: bool
    says: str
    report: str


def keep_report(home: Path, region: str, report: KeptReport) -> None:
    """Write it in place of the one before."""
    with atomic_file(_path(home, region)) as partial:
        said = asdict(report) | {"at": report.at.isoformat()}
        partial.write_text(json.dumps(said, ensure_ascii=False, indent=1), encoding="utf-8")


def last_report(home: Path, region: str) -> KeptReport | None:
    """The last one; None where there is none."""
    path = _path(home, region)
    if not path.is_file():
        return None
    said = json.loads(path.read_text(encoding="utf-8"))
    return KeptReport(**said | {"at": datetime.fromisoformat(said["at"])})


def _path(home: Path, region: str) -> Path:
    return home / "drift" / f"{region}.json"
