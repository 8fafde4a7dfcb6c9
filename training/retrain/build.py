"""`tsur dataset build`: labelled rows gathered, checked and frozen as a region's next version.

In: complaints of files, operators' corrections, the catalogue. Out: a version with its report, or the one that holds
the same rows already. One build at a time works on a folder; one that is killed leaves nothing that counts, and the
next one, of the same input, ends with the same version.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from data.atomic import atomic_folder
from data.catalogue.checks import load_catalogue
from data.errors import InputError
from data.regions.region import Region
from data.store.corrections import CorrectedComplaint
from data.tables.csv_writer import write_csv
from training.arguments import DatasetBuild
from training.classifier.splits import fingerprint
from training.retrain.checks import Checked, check
from training.retrain.dataset_report import write_report
from training.retrain.findings import findings_frame
from training.retrain.gathering import Gathered, gather
from training.retrain.operators import Operators, what_operators_say
from training.retrain.todays_labels import TodaysLabels
from training.retrain.versions import (
    FINDINGS,
    DatasetVersion,
    Input,
    Manifest,
    State,
    content_fingerprint,
    erased_mark,
    erased_marks,
    locked,
    newest_version,
    read_version,
    version_frozen_as,
    version_name,
    write_manifest,
    write_rows,
)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Sources:
    """What a version is made of.

    Attributes:
        files: complaints and the files that they were read from.
        corrections: of the store, in the order of writing; None where it is not asked.
        adding: the rows of the newest version stay, below the others.
    """

    files: Sequence[tuple[Path, pd.DataFrame]]
    corrections: Sequence[CorrectedComplaint] | None
    adding: bool = False


@dataclass(frozen=True)
class Built:
    """A version; `is_new` says whether it was frozen now, `checked` what was found then."""

    version: DatasetVersion
    is_new: bool
    checked: Checked | None = None


def build_version(
    folder: Path, region: Region, catalogue: Path | None, sources: Sources, arguments: DatasetBuild, say: Say
) -> Built:
    """Freeze the next version of `folder`.

    Raises:
        InputError: nothing to read, no row has a label, another build is at work, or another test share was asked for.
        CatalogueError: the catalogue contradicts itself.
    """
    if not sources.files and sources.corrections is None and not sources.adding:
        raise InputError("name files of complaints, or --from-store, or both")
    with locked(folder):
        parent = newest_version(folder)
        _check_share(parent, arguments)
        names = TodaysLabels(None if catalogue is None else load_catalogue(catalogue))
        operators = what_operators_say(sources.corrections or (), names)
        gathered = _gathered(folder, region, sources, names, operators, parent)
        say(f"{gathered.counts['rows']} labelled complaints")
        with tempfile.TemporaryDirectory() as draft:
            split_key = region.id if parent is None else parent.manifest.split_key
            write_rows(Path(draft), gathered.rows, names, arguments.test_share, split_key)
            frozen_as = content_fingerprint(Path(draft))
            existing = version_frozen_as(folder, frozen_as)
            if existing is not None:
                return Built(read_version(existing), is_new=False)
            manifest = _manifest(region, parent, catalogue, sources, arguments, gathered, split_key, frozen_as)
            place = folder / version_name(manifest.number, frozen_as)
            checked = check(gathered, operators, names, Path(draft), parent, arguments, say)
            with atomic_folder(place) as partial:
                shutil.copytree(draft, partial, dirs_exist_ok=True)
                write_csv(findings_frame(checked.findings, gathered.rows), partial / FINDINGS)
                write_report(partial, manifest, checked)
                write_manifest(partial, manifest)
        return Built(read_version(place), is_new=True, checked=checked)


def _gathered(
    folder: Path,
    region: Region,
    sources: Sources,
    names: TodaysLabels,
    operators: Operators,
    parent: DatasetVersion | None,
) -> Gathered:
    if sources.adding and parent is None:
        raise InputError(f"{folder} holds no version yet that rows could be added to: leave --add out")
    marks = erased_marks(folder)
    return gather(
        [frame for _, frame in sources.files],
        operators,
        names,
        region.zone,
        is_erased=lambda key: bool(marks) and erased_mark(key) in marks,
        earlier=parent.rows if sources.adding and parent is not None else None,
    )


def _check_share(parent: DatasetVersion | None, arguments: DatasetBuild) -> None:
    """Another share would hold out rows that models were taught, or teach rows that they are tested on."""
    if parent is not None and parent.manifest.test_share != arguments.test_share:
        raise InputError(
            f"test_share is {arguments.test_share}, but {parent.name} holds out {parent.manifest.test_share} for good; "
            "leave it as it is, or begin another folder with --out"
        )


def _manifest(
    region: Region,
    parent: DatasetVersion | None,
    catalogue: Path | None,
    sources: Sources,
    arguments: DatasetBuild,
    gathered: Gathered,
    split_key: str,
    frozen_as: str,
) -> Manifest:
    now = datetime.now(UTC)
    corrections = None if sources.corrections is None else max((each.number for each in sources.corrections), default=0)
    return Manifest(
        number=1 if parent is None else parent.manifest.number + 1,
        region=region.id,
        parent=None if parent is None else parent.name,
        created_at=now,
        test_share=arguments.test_share,
        split_key=split_key,
        catalogue=None if catalogue is None else hashlib.sha256(catalogue.read_bytes()).hexdigest(),
        inputs=[
            Input(name=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), rows=len(frame))
            for path, frame in sources.files
        ],
        corrections=corrections,
        history=[
            State(
                at=now,
                fingerprint=frozen_as,
                data_fingerprint=fingerprint(gathered.rows),
                rows=len(gathered.rows),
            )
        ],
    )
