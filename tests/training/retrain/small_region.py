"""A region of two places and three topics for the tests of dataset versions, its complaints and its corrections."""

import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from data.complaints.files import complaints_frame
from data.complaints.masking import masked
from data.complaints.schema import Complaint
from data.regions.region import Region
from data.store.corrections import CorrectedComplaint, Labels
from tests.data.catalogue.small import SMALL, written
from training.arguments import DatasetBuild
from training.retrain.build import Built, Sources, build_version

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
REGION = Region("oblast", "Область", "Europe/Moscow", None, "generic", ())
HOLES, SIGNS, YARDS = ("Дороги", "Ямы"), ("Дороги", "Знаки"), ("Дворы", "Ямы")
QUICK = DatasetBuild(wrong_labels=False)
WORDS = {
    HOLES: "Яма на дороге у дома",
    SIGNS: "Упал знак на перекрёстке",
    YARDS: "Во дворе провалился асфальт у подъезда",
}


def complaint(number: int, label: tuple[str | None, str | None] = HOLES, **changes: Any) -> Complaint:
    text = WORDS.get(label, "Непонятно что")  # type: ignore[arg-type]
    values = {
        "id": str(number),
        "text": f"{text} {number}",
        "source": "pos",
        "created_at": NOON + timedelta(hours=number),
    }
    values |= {"municipality": "Север", "sector": label[0], "topic": label[1], "agency": "Дорожный комитет"}
    return Complaint(**(values | changes))


def complaints(count: int = 60, start: int = 0) -> list[Complaint]:
    """Of all three topics in turn."""
    return [complaint(start + number, (HOLES, SIGNS, YARDS)[number % 3]) for number in range(count)]


def correction(number: int, complaint_id: str, **changes: Any) -> CorrectedComplaint:
    """What operator-1 said of a complaint that a model had taken for a hole in a road."""
    values: dict[str, Any] = {
        "number": number,
        "region": REGION.id,
        "source": "pos",
        "complaint_id": complaint_id,
        "text": masked(f"Яма на дороге {complaint_id}"),
        "municipality": "Юг",
        "created_at": NOON,
        "model_version": "1",
        "decided": Labels(*HOLES, "Дорожный комитет"),
        "corrected": Labels(None, None, None),
        "operator": "operator-1",
        "received_at": NOON + timedelta(days=30),
    }
    return CorrectedComplaint(**(values | changes))


def catalogue(folder: Path, **changes: Any) -> Path:
    """The small catalogue, with some of its keys changed."""
    folder.mkdir(parents=True, exist_ok=True)
    return written(folder, copy.deepcopy(SMALL) | changes)


def build(
    folder: Path,
    *files: list[Complaint],
    corrections: list[CorrectedComplaint] | None = None,
    adding: bool = False,
    catalogue_path: Path | None = None,
    arguments: DatasetBuild = QUICK,
) -> Built:
    """Freeze a version of `folder / versions` from files of these complaints."""
    folder.mkdir(parents=True, exist_ok=True)
    read: list[tuple[Path, pd.DataFrame]] = []
    for place, file in enumerate(files):
        path = folder / f"file-{place}.jsonl"
        path.write_text("".join(each.model_dump_json() + "\n" for each in file), encoding="utf-8")
        read.append((path, complaints_frame(file)))
    path = catalogue(folder / "catalogue") if catalogue_path is None else catalogue_path
    sources = Sources(read, corrections, adding)
    return build_version(folder / "versions", REGION, path, sources, arguments, say=lambda line: None)
