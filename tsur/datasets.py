"""Commands on dataset versions: build one, compare two."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tsur.heartbeat import heartbeat
from tsur.options import (
    CataloguePath,
    ConfigPath,
    NoCatalogue,
    Overrides,
    RegionName,
    catalogue_path,
    complaints_of,
    config_of,
    console,
    read_region,
    say,
)

if TYPE_CHECKING:
    from data.store.corrections import CorrectedComplaint
    from training.retrain.versions import DatasetVersion

app = typer.Typer(no_args_is_help=True, help="Frozen versions of the labelled rows that a region's models learn from.")
Folder = Annotated[
    Path | None, typer.Option("--out", help="The folder of the versions; default: datasets/REGION in TSUR_HOME.")
]


@app.command()
def build(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Complaints as `tsur import` writes them; the later ones hold.")
    ] = None,
    from_store: Annotated[
        bool, typer.Option("--from-store", help="Operators' corrections and confirmations too; they beat the files.")
    ] = False,
    add: Annotated[bool, typer.Option("--add", help="Keep the rows of the newest version below the others.")] = False,
    out: Folder = None,
    region: RegionName = None,
    source: Annotated[
        str | None,
        typer.Option(help="The source map of files that `tsur import` has not written; default: the region's."),
    ] = None,
    catalogue: CataloguePath = None,
    no_catalogue: NoCatalogue = False,
    config: ConfigPath = None,
    override: Overrides = None,
) -> None:
    """Gather labelled rows, check them, and freeze them as the region's next dataset version."""
    from training.arguments import DatasetBuild
    from training.retrain.build import Sources, build_version
    from training.retrain.dataset_report import first_line
    from training.retrain.versions import REPORT

    own = read_region(region)
    arguments = config_of("dataset.yaml", DatasetBuild, config, override)
    read = [(file, complaints_of(own, file, source)) for file in files or []]
    sources = Sources(read, _corrections(own.id) if from_store else None, add)
    folder = versions_folder(out, own.id)
    built = build_version(folder, own, catalogue_path(own, catalogue, no_catalogue), sources, arguments, say)
    if built.checked is None:
        console.print(f"nothing new: these rows are {built.version.name} → {built.version.folder}")
        return
    console.print(first_line(built.checked))
    console.print(f"{built.version.name} → {built.version.folder}")
    console.print(f"report: {built.version.folder / REPORT}")
    console.print(f"train on it: tsur retrain {built.version.manifest.number}")


@app.command()
def diff(
    first: Annotated[str, typer.Argument(metavar="A", help="A version's folder, or its name in the folder of --out.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The version to compare it with.")],
    out: Folder = None,
    region: RegionName = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what became of rows and labels between two versions."""
    from training.retrain.diff import diff_text, diff_versions
    from training.retrain.versions import find_version

    heartbeat.step("comparing the versions")
    folders = [
        Path(name) if Path(name).is_dir() else versions_folder(out, read_region(region).id) for name in (first, second)
    ]
    versions = [find_version(folder, name) for folder, name in zip(folders, (first, second), strict=True)]
    found = diff_versions(versions[0], versions[1])
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=1))
    else:
        console.print(diff_text(found), soft_wrap=True)


def named_version(region: str, name: str | None, folder: Path | None) -> "DatasetVersion":
    """The version that a folder is, or of that name among a region's; without a name the newest.

    Raises:
        InputError: there is none, or it is broken.
    """
    from data.errors import InputError
    from training.retrain.versions import find_version, newest_version

    place = versions_folder(folder, region)
    if name is not None:
        return find_version(Path(name) if Path(name).is_dir() else place, name)
    newest = newest_version(place)
    if newest is None:
        raise InputError(f"{place} holds no dataset version yet: `tsur dataset build` makes one")
    return newest


def versions_folder(given: Path | None, region: str) -> Path:
    """Where a region's versions lie."""
    from data.settings import settings

    return settings().home / "datasets" / region if given is None else given


def _corrections(region: str) -> "list[CorrectedComplaint]":
    """All that operators said in a region, in the order of writing: what the clock showed then plays no part."""
    from datetime import UTC, datetime

    from data.store.store import open_store

    heartbeat.step("reading the store")
    store = open_store()
    try:
        return store.corrections.since(region, datetime(1, 1, 2, tzinfo=UTC))
    finally:
        store.close()
