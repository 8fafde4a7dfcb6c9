"""Versions of a region's dataset on disk: frozen once, told apart by a fingerprint, read back whole.

In: labelled rows with their origins. Out: a folder `NUMBER-FINGERPRINT` beside the earlier ones, renamed into place
when all of it is written. `rows.jsonl` is what `tsur train classifier` reads, `row_list.jsonl` says of each row
whether it is held out and where its labels come from, and the fingerprint is the SHA-256 of both. Nothing in a version
changes afterwards, but for complaints that are erased (`training/retrain/erasing.py`).
"""

import hashlib
import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import ValidationError

from data.atomic import atomic_file
from data.complaints.files import read_complaints, write_complaints
from data.complaints.schema import COLUMNS
from data.config import Config
from data.errors import InputError
from training.classifier.splits import Splits, stable_split, text_keys
from training.retrain.gathering import ORIGINS
from training.retrain.lock import alone
from training.retrain.operators import Key
from training.retrain.todays_labels import TodaysLabels

ROWS, ROW_LIST, MANIFEST, FINDINGS = "rows.jsonl", "row_list.jsonl", "version.json", "findings.csv"
REPORT, REPORT_JSON = "report.md", "report.json"
ERASED = "erased.txt"
TEST, TRAIN = "test", "train"
ERASED_KEY = "erased"
"""In the row list: this entry is a tombstone."""


class Input(Config):
    """A file that was read."""

    name: str
    sha256: str
    rows: int


class State(Config):
    """What a version was from this moment on; all but the first are left by an erasing.

    `data_fingerprint` is what training on `rows.jsonl` calls its rows: a bundle holds it, and so names its version.
    """

    at: datetime
    fingerprint: str
    data_fingerprint: str
    rows: int
    erased: int = 0


class Manifest(Config):
    """`version.json`.

    Attributes:
        parent: name of the version before; None of the first one.
        test_share: of the texts, held out for good by `split_key`; versions of one folder share both.
        catalogue: SHA-256 of the catalogue whose labels these are; None without one.
        corrections: number of the newest correction of the store; None where it was not asked.
        history: what it was frozen as, and what every erasing left.
    """

    format: Literal[1] = 1
    number: int
    region: str
    parent: str | None
    created_at: datetime
    test_share: float
    split_key: str
    catalogue: str | None
    inputs: list[Input]
    corrections: int | None
    history: list[State]


@dataclass(frozen=True)
class DatasetVersion:
    """A frozen version."""

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """`NUMBER-FINGERPRINT`, as its folder is called."""
        return version_name(self.manifest.number, self.manifest.history[0].fingerprint)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Columns of COMPLAINTS, then `split, topic_id` and each label's origin; in the order of the file."""
        if not self.manifest.history[-1].rows:  # all of them were erased
            return pd.DataFrame(columns=[*COLUMNS, "split", "topic_id", *ORIGINS])
        frame = read_complaints(self.folder / ROWS)
        listed = pd.DataFrame([entry for entry in read_row_list(self.folder) if ERASED_KEY not in entry])
        return frame.join(listed[["split", "topic_id", *ORIGINS]])

    @property
    def split(self) -> Splits:
        """Positions of the taught rows and of those held out for good."""
        held_out = (self.rows["split"] == TEST).to_numpy()
        return Splits(np.flatnonzero(~held_out), np.flatnonzero(held_out))


def version_name(number: int, fingerprint: str) -> str:
    """What a version's folder is called."""
    return f"{number:04d}-{fingerprint}"


def write_rows(folder: Path, rows: pd.DataFrame, names: TodaysLabels, test_share: float, split_key: str) -> None:
    """Write `rows.jsonl` and `row_list.jsonl`; `rows` has the columns of `Gathered.rows`."""
    write_complaints(rows[COLUMNS], folder / ROWS)
    held_out = set(stable_split(rows, test_share, split_key).test.tolist())
    listed = rows[["source", "id", *ORIGINS]].astype(object)
    listed = listed.where(listed.notna(), None).assign(text_key=text_keys(rows["text"]))
    labels = rows[["sector", "topic"]].astype(object).where(rows[["sector", "topic"]].notna(), None)
    entries = [
        {"source": record["source"], "id": record["id"], "split": TEST if place in held_out else TRAIN}
        | {"text_key": record["text_key"], "topic_id": names.topic_id(sector, topic)}
        | {origin: record[origin] for origin in ORIGINS}
        for place, (record, (sector, topic)) in enumerate(
            zip(listed.to_dict("records"), labels.itertuples(index=False), strict=True)
        )
    ]
    write_row_list(folder, entries)


def write_row_list(folder: Path, entries: list[dict[str, str | None]]) -> None:
    """Write the row list, one JSON object a line."""
    with atomic_file(folder / ROW_LIST) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)


def read_row_list(folder: Path) -> list[dict[str, str | None]]:
    """The row list; an entry with `erased` is a tombstone, and no row stands for it."""
    return [json.loads(line) for line in (folder / ROW_LIST).read_text(encoding="utf-8").splitlines()]


def content_fingerprint(folder: Path) -> str:
    """SHA-256 (16 hex digits) of the rows and of the row list, as they lie there."""
    digest = hashlib.sha256()
    for name in (ROWS, ROW_LIST):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:16]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `version.json`."""
    with atomic_file(folder / MANIFEST) as partial:
        partial.write_text(manifest.model_dump_json(indent=1), encoding="utf-8")


def read_version(folder: Path) -> DatasetVersion:
    """A version, its files checked against its fingerprint.

    Raises:
        InputError: there is none in this folder, or its files are not what was frozen.
    """
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_text(encoding="utf-8"))
        found = content_fingerprint(folder)
    except FileNotFoundError as error:
        raise InputError(f"{folder}: no dataset version is there ({Path(error.filename).name} is missing)") from None
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        sentence = " ".join(str(error).split())[:200]
        raise InputError(f"{folder}: {MANIFEST} is broken: {sentence}") from None
    frozen = manifest.history[-1].fingerprint
    if found != frozen:
        raise InputError(
            f"{folder}: {ROWS} or {ROW_LIST} is not what was frozen ({found} instead of {frozen}): restore them; "
            "where an erasing was interrupted, erase again"
        )
    return DatasetVersion(folder, manifest)


def find_version(folder: Path, name: str) -> DatasetVersion:
    """The version that a folder is, or the one of that name in it: `NUMBER-FINGERPRINT`, or either of the two.

    Raises:
        InputError: there is none, or it is broken; lists the ones that there are.
    """
    if (folder / MANIFEST).is_file():
        return read_version(folder)
    there = version_folders(folder)
    for path in there:
        number, _, fingerprint = path.name.partition("-")
        if name in (path.name, number, number.lstrip("0"), fingerprint):
            return read_version(path)
    known = ", ".join(path.name for path in there) or "none: `tsur dataset build` makes one"
    raise InputError(f"{name!r} is no dataset version of {folder}: known are {known}")


def version_folders(folder: Path) -> list[Path]:
    """The versions of a folder, the oldest first, by their numbers: a clock may go back."""
    return sorted(path.parent for path in folder.glob(f"[0-9]*-*/{MANIFEST}"))


def newest_version(folder: Path) -> DatasetVersion | None:
    """The version with the highest number; None where there is none.

    Raises:
        InputError: it is broken.
    """
    folders = version_folders(folder)
    return read_version(folders[-1]) if folders else None


def version_of_data(folder: Path, name: str | None, data_fingerprint: str) -> DatasetVersion | None:
    """The version of a folder with this name, or with rows of this fingerprint, now or before an erasing; or None.

    Raises:
        InputError: it is broken.
    """
    for path in version_folders(folder):
        version = read_version(path)
        if path.name == name or data_fingerprint in [state.data_fingerprint for state in version.manifest.history]:
            return version
    return None


def version_frozen_as(folder: Path, fingerprint: str) -> Path | None:
    """The version of a folder that was frozen with this fingerprint."""
    return next((path for path in version_folders(folder) if path.name.endswith(f"-{fingerprint}")), None)


def erased_mark(key: Key) -> str:
    """What an erased complaint is known by: a hash of its source and id, so that it does not come back."""
    return hashlib.sha256("\n".join(key).encode()).hexdigest()[:32]


def erased_marks(folder: Path) -> frozenset[str]:
    """Marks of all complaints that were erased from versions of this folder."""
    path = folder / ERASED
    return frozenset(path.read_text(encoding="utf-8").split()) if path.is_file() else frozenset()


def locked(folder: Path) -> AbstractContextManager[None]:
    """Alone among those who change the versions of a folder; a killed process leaves no lock behind.

    Raises:
        InputError: another one is at work there.
    """
    return alone(folder, "these dataset versions")
