"""The command that trains a registered model once more and says whether its figures come out the same."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tsur.count_columns import USUAL, Columns, with_count_columns
from tsur.heartbeat import heartbeat
from tsur.options import (
    Model,
    RegionName,
    Regressors,
    complaints_or_sample,
    console,
    counts_or_sample,
    model_name,
    read_region,
    regressors_or_none,
    say,
)

if TYPE_CHECKING:
    from data.regions.region import Region
    from registry.client import Registry
    from training.reproduce.figures import Reproduction
    from training.reproduce.recorded import Recorded

app = typer.Typer()


@app.command()
@with_count_columns
def reproduce(
    run: Annotated[str, typer.Argument(metavar="RUN", help="An MLflow run's id, or a version of --model.")],
    file: Annotated[
        Path | None,
        typer.Argument(help="Complaints or counts that it was trained on; default: a dataset version, or the sample."),
    ] = None,
    model: Model = "classifier",
    tolerance: Annotated[float, typer.Option(min=0, help="By so much a figure may differ; default: exactly.")] = 0.0,
    folder: Annotated[Path | None, typer.Option("--datasets", help="Folder of the dataset versions.")] = None,
    region: RegionName = None,
    columns: Columns = USUAL,
    regressors: Regressors = None,
) -> None:
    """Train once more what a run or a version was, registering nothing: are the figures the same?

    Status 1 where one is not.
    """
    from data.settings import settings
    from registry.client import open_registry
    from registry.names import FORECASTER, region_of
    from training.reproduce.recorded import recorded_training
    from training.reproduce.reproduce import reproduce_classifier, reproduce_forecaster
    from tsur.show import series_bars

    own = read_region(region)
    registry = open_registry(own.id)
    heartbeat.step("looking the run up")
    recorded = recorded_training(registry, model_name(own.id, model), run)
    own = read_region(region_of(recorded.name))  # a run's id says which region's it is
    with tempfile.TemporaryDirectory(prefix="tsur-reproduce-") as place:
        scratch = Path(place)
        if recorded.name.endswith(FORECASTER):
            counts = counts_or_sample(own, file, columns)
            known = regressors_or_none(own, regressors)
            with series_bars() as bar:
                done = reproduce_forecaster(recorded, counts, known, registry, scratch, tolerance, say, bar)
        else:
            rows = _rows(own, recorded, registry, file, folder)
            done = reproduce_classifier(recorded, rows, registry, settings().home, scratch, tolerance, say)
    _tell(done)
    raise typer.Exit(0 if done.same else 1)


def _rows(own: "Region", recorded: "Recorded", registry: "Registry", file: Path | None, folder: Path | None) -> Any:
    """The rows of the file that is named, or the dataset version that was taught, or the sample.

    Raises:
        InputError: no file is named, no dataset version is the one, and the region is not the sample's.
    """
    from training.retrain.challenger import dataset_of
    from tsur.datasets import versions_folder

    if file is None:
        dataset = dataset_of(registry, recorded.name, recorded.version, versions_folder(folder, own.id))
        if dataset is not None:
            return dataset
    return complaints_or_sample(own, file)


def _tell(done: "Reproduction") -> None:
    """The figures as a table, what else differs in a sentence each, and the answer last."""
    from rich.table import Table

    table = Table("figure", "then", "now", "")
    for figure in done.figures:
        now = "—" if figure.now is None else f"{figure.now:.6g}"
        table.add_row(figure.name, f"{figure.then:.6g}", now, "same" if figure.same else "differs")
    console.print(table)
    for sentence in done.differences:
        console.print(sentence, soft_wrap=True)
    console.print(done.says, soft_wrap=True)
