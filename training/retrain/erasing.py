"""Erasing complaints from frozen versions: the one change that a version takes (152-ФЗ, article 21).

In: sources and ids. Out: versions without these rows, a tombstone in place of each in the row list, and a line of
history with the fingerprints that hold from now on. Marks are written first, so that no build brings a complaint back;
each file is then replaced as a whole. An erasing that was interrupted is ended by erasing the same again.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pandas as pd

from data.atomic import atomic_file
from data.complaints.files import read_complaints
from data.tables.csv_writer import write_csv
from training.classifier.splits import fingerprint
from training.retrain.operators import Key
from training.retrain.versions import (
    ERASED,
    ERASED_KEY,
    FINDINGS,
    MANIFEST,
    ROWS,
    Manifest,
    State,
    content_fingerprint,
    erased_mark,
    erased_marks,
    locked,
    read_row_list,
    version_folders,
    write_manifest,
    write_row_list,
)


def erase_complaints(folder: Path, complaints: Iterable[Key], now: datetime) -> dict[str, int]:
    """Take complaints (source and id) out of all versions of a folder; how many rows left each version that had some.

    Raises:
        InputError: another command is at work on these versions.
    """
    keys = set(complaints)
    with locked(folder):
        _mark(folder, keys)
        erased = {path.name: _erase(path, keys, now) for path in version_folders(folder)}
    return {name: rows for name, rows in erased.items() if rows}


def _mark(folder: Path, keys: set[Key]) -> None:
    marks = erased_marks(folder) | {erased_mark(key) for key in keys}
    with atomic_file(folder / ERASED) as partial:
        partial.write_text("".join(f"{mark}\n" for mark in sorted(marks)), encoding="utf-8")


def _erase(version: Path, keys: set[Key], now: datetime) -> int:
    """Replace the files that hold one of the complaints, then the manifest."""
    _filter_rows(version / ROWS, keys)
    _filter_findings(version / FINDINGS, keys)
    entries = read_row_list(version)
    left = [_tombstone(entry, now) if _key(entry) in keys else entry for entry in entries]
    if left != entries:
        write_row_list(version, left)
    manifest = Manifest.model_validate_json((version / MANIFEST).read_text(encoding="utf-8"))
    tombstones = sum(ERASED_KEY in entry for entry in left)
    erased = tombstones - sum(state.erased for state in manifest.history)
    if erased:
        rows = len(left) - tombstones
        state = State(
            at=now,
            fingerprint=content_fingerprint(version),
            data_fingerprint=fingerprint(read_complaints(version / ROWS)) if rows else "",
            rows=rows,
            erased=erased,
        )
        write_manifest(version, manifest.model_copy(update={"history": [*manifest.history, state]}))
    return erased


def _key(entry: dict[str, str | None]) -> Key | None:
    source, id_ = entry.get("source"), entry.get("id")
    return None if source is None or id_ is None else (source, id_)


def _tombstone(entry: dict[str, str | None], now: datetime) -> dict[str, str | None]:
    """What is left of a row: that there was one, on which side of the split, and when it went."""
    key = _key(entry)
    assert key is not None
    return {ERASED_KEY: erased_mark(key), "split": entry["split"], "at": now.isoformat()}


def _filter_rows(path: Path, keys: set[Key]) -> None:
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if _key(json.loads(line)) not in keys]
    if len(kept) < len(lines):
        with atomic_file(path) as partial:
            partial.write_text("".join(kept), encoding="utf-8")


def _filter_findings(path: Path, keys: set[Key]) -> None:
    findings = pd.read_csv(path, sep=";", dtype=str, keep_default_na=False, encoding="utf-8-sig")
    gone = [key in keys for key in zip(findings["source"], findings["id"].str.removeprefix("'"), strict=True)]
    if any(gone):
        write_csv(findings[[not each for each in gone]], path)
