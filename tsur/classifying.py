"""The command that classifies files: one or many, on this machine or on a cluster."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
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
ONE, MANY = "decisions.csv", "decisions"
"""Where decisions go: of one file, and of several."""


@app.command()
def classify(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE…", help="Exports: CSV, XLSX, JSON or JSONL; paths, or addresses as s3://…"),
    ],
    source: Source = None,
    out: Annotated[
        str | None,
        typer.Option(
            help="Where the decisions go: a CSV; of several files a folder with one of each. An address too.",
            show_default=False,
        ),
    ] = None,
    region: RegionName = None,
    date: RowDate = None,
    engine: EngineName = "local",
    address: ClusterAddress = None,
) -> None:
    """Classify every row of exports with the champion; a run that was killed goes on where it was."""
    from batch.buckets import brought_here, is_address, local_place, with_addresses
    from data.settings import settings
    from registry.client import open_registry
    from registry.names import classifier_name

    own, copies = read_region(region), settings().home / "classify"
    outs = outputs(files, out)
    places = [local_place(each, copies) if is_address(each) else Path(each) for each in outs]
    heartbeat.step("looking for the champion")
    name, registry = classifier_name(own.id), open_registry(own.id)
    bundle, version = registry.champion_bundle(name)
    heartbeat.step("looking for the files")
    with brought_here(files, copies) as paths, _engine(engine, address, bundle, registry.encoders) as classify_chunks:
        runs = _opened(paths, places, read_source(own, source).without_labels(), date, f"{name} {version}")
        _complete(runs, classify_chunks, _expected(paths))
    for run, each in zip(runs, outs, strict=True):
        if is_address(each):
            _put(run, each)
    _tell(runs, own, partial(with_addresses, addresses=[*files, *outs], folder=copies))


def outputs(files: Sequence[str], out: str | None) -> list[str]:
    """Where the decisions of each file go: a path or an address; of several files, or behind a slash, a folder.

    Raises:
        InputError: two files have one name, or decisions would overwrite a file.
    """
    if len(files) == 1 and not (out or ONE).endswith("/"):
        outs = [out or ONE]
    else:
        outs = [f"{(out or MANY).rstrip('/')}/{Path(file).stem}.csv" for file in files]
    for place, count in Counter(outs).items():
        if count > 1:
            raise InputError(f"{count} files are called {Path(place).stem!r}: rename them, or classify them one by one")
    for file, place in zip(files, outs, strict=True):
        if file == place or Path(file).resolve() == Path(place).resolve():
            raise InputError(f"the decisions would overwrite {file}: name another place by --out")
    return outs


def _put(run: "ClassifyRun", out: str) -> None:
    """What a run has written goes to its address, and what it set aside beside it; an earlier run's goes away.

    Raises:
        FileError: it cannot be written there; the chunks stay, and the same command goes on with that.
    """
    from batch.buckets import put, remove
    from batch.classify import failed_path, rejects_path

    if not run.out.exists():
        return
    heartbeat.step(f"writing to {out}")
    for path in (rejects_path(run.out), failed_path(run.out), run.out):
        there = f"{out.rpartition('/')[0]}/{path.name}"
        if path.exists():
            put(path, there)
            path.unlink()
        else:
            remove(there)


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


def _complete(runs: "Sequence[ClassifyRun]", engine: "Engine", expected: int | None) -> None:
    """Classify what is missing, under a bar.

    Raises:
        FileError: the disk is full, or gone.
    """
    from batch.classify import complete
    from tsur.show import rows_bar

    with rows_bar("classifying", expected, sum(run.done.read for run in runs)) as progress:
        try:
            complete(runs, engine, progress, joining=lambda rows: heartbeat.step("writing the decisions"))
        except OSError as error:
            raise FileError(
                f"{error.filename or runs[0].out.parent}: {error.strerror or error}; finished chunks stay, and the "
                "same command goes on with the others"
            ) from None


def _expected(files: Sequence[Path]) -> int | None:
    """About how many rows there are; None where a file does not say."""
    from data.tables.readers import estimated_rows

    rows = [estimated_rows(file) if file.is_file() else 0 for file in files]
    return None if None in rows else sum(each or 0 for each in rows)


def _tell(runs: "Sequence[ClassifyRun]", region: "Region", named: Callable[[str], str]) -> None:
    """What came of each file; `named` puts addresses in place of their copies.

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
            error.message = named(error.message)
            if len(runs) == 1:
                raise
            failed.append(error.message)
            continue
        for note in run.notes:
            console.print(f"note: {named(note)}")
        mend = (
            f"write its name under `aliases` in {region.catalogue or 'the catalogue'}, then train the classifier again"
        )
        tell_unknown_places(run.unknown_places, run.done.unplaced, mend)
        done = run.done
        console.print(
            f"{done.routed} of {done.rows} to route, {done.rows - done.routed} to review → {named(str(run.out))}"
        )
        if done.rejected:
            console.print(f"{done.rejected} rows set aside → {named(str(rejects_path(run.out)))}")
    if failed:
        raise PartsFailedError(f"{len(failed)} of {len(runs)} files could not be classified whole: {'; '.join(failed)}")
