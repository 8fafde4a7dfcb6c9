"""`tsur backup` and `tsur restore`: store and registry as one folder, checked file by file before it is put back.

In: the installation that the settings name. Out: a folder with a manifest. Not in it: files of jobs, for uploads are
as citizens wrote them; and what can be made again (caches, encoders, which the registry holds).
"""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data.atomic import atomic_folder
from data.errors import FileError, StoreError
from data.settings import settings
from data.store.copying import copy_store, restore_store
from data.store.erasure import Erasure
from registry.copying import copy_registry, restore_registry

MANIFEST = "backup.json"
FORMAT = 1
PRIVATE = 0o700


def back_up(folder: Path, with_registry: bool) -> dict[str, Any]:
    """Write a backup; its manifest.

    Raises:
        FileError: something lies there already.
        StoreError, ConfigError: store or registry cannot be copied.
    """
    if folder.exists():
        raise FileError(f"{folder} is there already: name a new folder")
    own = settings()
    with atomic_folder(folder) as partial:
        partial.chmod(PRIVATE)
        copy_store(own.database_url, partial)
        if with_registry:
            copy_registry(own.mlflow_uri, own.artifacts, partial)
        manifest = {
            "format": FORMAT,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "artifacts": str(own.artifacts) if with_registry else None,
            "files": {str(path.relative_to(partial)): _digest(path) for path in _files(partial)},
        }
        (partial / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    return manifest


def restore(folder: Path) -> dict[str, Any]:
    """Put a backup in place of store and registry; its manifest. No service or worker may run meanwhile.

    Complaints that the store in place was told to erase since the backup are erased in the restored one too:
    `erased_again` of the manifest says how many there were; None: there was no store to tell.

    Raises:
        FileError: it is no backup, or a file of it is broken or missing; nothing was changed.
        StoreError, ConfigError: store or registry cannot be written.
    """
    manifest = read_backup(folder)
    own = settings()
    erased = _erased_here()
    restore_store(own.database_url, folder)
    manifest["erased_again"] = None if erased is None else _erase_again(erased)
    if manifest["artifacts"] is not None:
        restore_registry(own.mlflow_uri, own.artifacts, folder, manifest["artifacts"])
    return manifest


def _erased_here() -> list[Erasure] | None:
    """What was erased in the store that is in place; None where there is none that can be read."""
    from data.store.store import open_store

    store = open_store()
    try:
        return store.erasures.all() if store.version()[0] is not None else None
    except StoreError:
        return None
    finally:
        store.close()


def _erase_again(erased: list[Erasure]) -> int:
    from data.store.store import open_store

    store = open_store()
    try:
        return store.erasures.repeat(erased)
    finally:
        store.close()


def read_backup(folder: Path) -> dict[str, Any]:
    """The manifest of a backup all of whose files are as they were written. Raises as `restore`."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise FileError(f"{folder} is no backup: it has no readable {MANIFEST}") from None
    if manifest.get("format") != FORMAT:
        raise FileError(f"{folder} has format {manifest.get('format')}, this version reads {FORMAT}")
    for name, digest in manifest["files"].items():
        path = folder / name
        if not path.is_file() or _digest(path) != digest:
            raise FileError(f"{path} is missing or is not what was backed up; nothing was restored")
    return manifest


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
