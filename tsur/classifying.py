"""The command that classifies files: one or many, on this machine or on a cluster."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import FileError, InputError, PartsFailedError
from tsur.classification import tell_unknown_places
from tsur.heartbeat import heartbeat
from tsur.options import ClusterAddress, EngineName, RegionName, RowDate, Source, console, read_region, read_source

if TYPE_CHECKING:
    from batch.classify import ClassifyRun, Engine
    from data.complaints.sources import SourceMap
    from data.regions.region import Region

app = typer.Typer()
ONE, MANY = Path("decisions.csv"), Path("decisions")
"""Where decisions go: of one file, and of several."""


@app.command()
def classify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Exports: CSV, XLSX, JSON or JSONL.")],
    source: Source = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where the decisions go: a CSV; of several files a folder with one of each.", show_default=False
        ),
    ] = None,
    region: RegionName = None,
    date: RowDate = None,
    engine: EngineName = "local",
    address: ClusterAddress = None,
) -> None:
    """Classify every row of exports with the champion; a run that was killed goes on where it was."""
    from batch.classify import complete
    from registry.client import open_registry
    from registry.names import classifier_name
    from tsur.show import rows_bar

    own = read_region(region)
    outs = output_paths(files, out)
    heartbeat.step("looking for the champion")
    name, registry = classifier_name(own.id), open_registry(own.id)
    bundle, version = registry.champion_bundle(name)
    with _engine(engine, address, bundle, registry.encoders) as classify_chunks:
        runs = _opened(files, outs, read_source(own, source).without_labels(), date, f"{name} {version}")
        done = sum(run.done.read for run in runs)
        with rows_bar("classifying", _expected(files), done) as progress:
            try:
                complete(runs, classify_chunks, progress, joining=lambda rows: heartbeat.step("writing the decisions"))
            except OSError as error:
                raise FileError(
                    f"{error.filename or outs[0].parent}: {error.strerror or error}; finished chunks stay, and the "
                    "same command goes on with the others"
                ) from None
    _tell(runs, own)


def output_paths(files: Sequence[Path], out: Path | None) -> list[Path]:
    """Where the decisions of each file go.

    Raises:
        InputError: two files have one name, or decisions would overwrite a file.
    """
    outs = [out or ONE] if len(files) == 1 else [(out or MANY) / f"{file.stem}.csv" for file in files]
    for place, count in Counter(outs).items():
        if count > 1:
            raise InputError(f"{count} files are called {place.stem!r}: rename them, or classify them one by one")
    for file, place in zip(files, outs, strict=True):
        if file.resolve() == place.resolve():
            raise InputError(f"the decisions would overwrite {file}: name another place by --out")
    return outs


@contextmanager
def _engine(engine: str, address: str | None, bundle: Path, encoders: Path) -> "Iterator[Engine]":
    """What classifies chunks, as long as the block runs."""
    from batch.classify_chunk import ClassifyChunk, classify_here
    from models.classifier.classifier import Classifier
    from tsur.engines import check_address, ray_cluster

    check_address(engine, address)
    if engine == "ray":
        with ray_cluster(address) as executor:
            yield partial(executor.attempts, ClassifyChunk(bundle.resolve(), encoders.resolve()))
        return
    heartbeat.step("loading the champion")
    yield partial(classify_here, Classifier.load(bundle))


def _opened(
    files: Sequence[Path],
    outs: Sequence[Path],
    source: "SourceMap",
    date: datetime | None,
    version: str,
) -> "list[ClassifyRun]":
    from batch.classify import ClassifyRun

    runs = []
    for file, out in zip(files, outs, strict=True):
        heartbeat.step(f"looking for an unfinished run of {file}")
        run = ClassifyRun(version, file, source, date, out)
        if run.done.read:
            console.print(f"continuing: {run.done.read} rows were classified before")
        elif run.changed:
            console.print(f"starting over: an unfinished run there had another {', '.join(run.changed)}")
        runs.append(run)
    return runs


def _expected(files: Sequence[Path]) -> int | None:
    """About how many rows there are; None where a file does not say."""
    from data.tables.readers import estimated_rows

    rows = [estimated_rows(file) if file.is_file() else 0 for file in files]
    return None if None in rows else sum(each or 0 for each in rows)


def _tell(runs: "Sequence[ClassifyRun]", region: "Region") -> None:
    """What came of each file.

    Raises:
        TsurError: of the only file, or of several which failed.
    """
    from batch.classify import rejects_path
    from data.errors import TsurError

    failed = []
    for run in runs:
        try:
            if run.error is not None:
                raise run.error
            run.remove_chunks()
            run.check()
        except TsurError as error:
            if len(runs) == 1:
                raise
            failed.append(error.message)
            continue
        for note in run.notes:
            console.print(f"note: {note}")
        mend = (
            f"write its name under `aliases` in {region.catalogue or 'the catalogue'}, then train the classifier again"
        )
        tell_unknown_places(run.unknown_places, run.done.unplaced, mend)
        done = run.done
        console.print(f"{done.routed} of {done.rows} to route, {done.rows - done.routed} to review → {run.out}")
        if done.rejected:
            console.print(f"{done.rejected} rows set aside → {rejects_path(run.out)}")
    if failed:
        raise PartsFailedError(f"{len(failed)} of {len(runs)} files could not be classified whole: {'; '.join(failed)}")
