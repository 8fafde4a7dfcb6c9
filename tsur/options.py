"""What the commands share: the console, the options, and the files and configs that options name."""

import getpass
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from data.errors import ConfigError, InputError
from tsur.count_columns import USUAL, Columns
from tsur.heartbeat import heartbeat

if TYPE_CHECKING:
    from data.regions.region import Region

console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 140)
train_app = typer.Typer(no_args_is_help=True, help="Train a model and register it as champion.")

Complaints = Annotated[
    Path | None, typer.Argument(help="Complaints as `tsur import` writes them; default: the bundled sample.")
]
Counts = Annotated[
    Path | None, typer.Argument(help="Daily counts, CSV, XLSX, JSON or Parquet; default: the simulated sample.")
]
RegionName = Annotated[
    str | None, typer.Option("--region", help="The region; default: TSUR_REGION, or the only one in configs/regions.")
]
CataloguePath = Annotated[
    Path | None, typer.Option("--catalogue", help="Another catalogue than the region's, to try it.")
]
Source = Annotated[
    str | None, typer.Option(help="The name of a source map, or a YAML file; default: `source` of the region.")
]
RowDate = Annotated[
    datetime | None, typer.Option("--date", help="Date of the rows, where the export has none.", formats=["%Y-%m-%d"])
]
NoCatalogue = Annotated[
    bool, typer.Option("--no-catalogue", help="The region has no catalogue yet: take labels as they come.")
]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", help="Override a config key, as in --set epochs=3; repeatable.")
]
ConfigPath = Annotated[Path | None, typer.Option("--config", help="Another YAML than the one in configs.")]
Model = Annotated[str, typer.Option("--model", help="`classifier` or `forecaster`.")]
Who = Annotated[str | None, typer.Option("--by", help="Who decides; default: the user of this machine.")]
EngineName = Annotated[
    Literal["local", "ray"], typer.Option("--engine", help="Compute on this machine, or on a Ray cluster.")
]
ClusterAddress = Annotated[
    str | None, typer.Option("--address", help="HOST:PORT of the Ray cluster's head; default: one is started here.")
]
Regressors = Annotated[
    Path | None,
    typer.Option("--regressors", help="What is known of the coming days: date[, municipality] and columns of numbers."),
]


def model_name(region: str, model: str) -> str:
    """The registered model of a region that `--model` names.

    Raises:
        ConfigError: it is neither.
    """
    from registry.names import classifier_name, forecaster_name

    names = {"classifier": classifier_name(region), "forecaster": forecaster_name(region)}
    if model not in names:
        raise ConfigError(f"--model {model!r}: known are {', '.join(names)}")
    return names[model]


def who(given: str | None) -> str:
    """Who decides: the one named, or the user of this machine."""
    return given or getpass.getuser()


def read_region(name: str | None) -> "Region":
    """The region that was named, or this installation's."""
    from data.regions.region import load_region

    return load_region(name)


def catalogue_path(region: "Region", given: Path | None, absent: bool) -> Path | None:
    """The catalogue that was named, or the region's; None where there is none."""
    return None if absent else given or region.catalogue


def read_catalogue(region: "Region", given: Path | None, absent: bool) -> Any:
    """The catalogue of `catalogue_path`, loaded."""
    from data.catalogue.checks import load_catalogue

    path = catalogue_path(region, given, absent)
    return None if path is None else load_catalogue(path)


def read_source(region: "Region", given: str | None) -> Any:
    """The source map that was named, or the region's."""
    from data.complaints.sources import load_source

    return load_source(given or region.source, *region.source_folders, timezone=region.timezone)


def note_aside(note: str) -> None:
    """Tell what of a file was not read, beside what the command prints."""
    typer.echo(f"note: {note}", err=True)


def say(line: str) -> None:
    """Print what the command is at from now on."""
    console.print(line)
    heartbeat.step(line)


def complaints_of(region: "Region", path: Path, source: str | None = None) -> Any:
    """The complaints of a file that `tsur import` wrote, or of an export (of a `source`) that has no bad row.

    Raises:
        InputError: a row cannot be used; says that `tsur import` sets such rows aside.
    """
    from data.complaints.files import JSONL, read_complaints
    from data.complaints.importing import import_complaints
    from data.errors import InputError

    heartbeat.step(f"reading {path}")
    if path.suffix.lower() in JSONL:
        return read_complaints(path)
    imported = import_complaints(path, read_source(region, source))
    for note in imported.notes:
        note_aside(note)
    if len(imported.rejects):
        first = imported.rejects.iloc[0]
        raise InputError(
            f"{path}: line {first['line']}: {first['reason']} ({len(imported.rejects)} of {imported.rows} rows); "
            "`tsur import` sets such rows aside"
        )
    return imported.complaints


def complaints_or_sample(region: "Region", given: Path | None) -> Any:
    """The complaints of a file, or the bundled sample.

    Raises:
        InputError: no file is named, and the region is not the sample's.
    """
    from tsur.samples import sample_complaints

    if given is not None:
        return complaints_of(region, given)
    _check_sample(region, "complaints, as `tsur import` writes them")
    return sample_complaints()


def _check_sample(region: "Region", what: str) -> None:
    from tsur.samples import SAMPLE_REGION

    if region.id != SAMPLE_REGION:
        raise InputError(
            f"region {region.id!r} has no bundled sample, only {SAMPLE_REGION!r} has: name a file of {what}"
        )


def counts_or_sample(region: "Region", given: Path | None, columns: Columns = USUAL) -> Any:
    """The daily counts of a file, every day of every series, or the simulated sample.

    Raises:
        InputError: no file is named, and the region is not the sample's.
    """
    from data.counts.daily import complete
    from data.counts.reading import CountColumns, read_counts
    from tsur.samples import sample_counts

    if given is None:
        _check_sample(region, "daily counts")
        return sample_counts()
    heartbeat.step(f"reading {given}")
    return complete(read_counts(given, CountColumns.model_validate(columns), region.timezone, tell=note_aside))


def regressors_or_none(region: "Region", given: Path | None) -> Any:
    """What is known of the coming days, if a file says so."""
    from models.forecasting.regressors import read_regressors

    return None if given is None else read_regressors(given, region.timezone)


def config_of(name: str, kind: Any, given: Path | None, override: list[str] | None) -> Any:
    """The config of a file, or of `name` in configs, with its keys overridden."""
    from data.config import load_config
    from data.settings import settings

    return overridden(load_config(given or settings().configs / name, kind), override or [], "--set")


def forecaster_config(given: Path | None, override: list[str] | None, calendar: str | None = None) -> Any:
    """The forecaster's config, with the calendar that `--calendar` names."""
    from models.forecasting.config import ForecasterConfig

    config = config_of("forecaster.yaml", ForecasterConfig, given, override)
    return config if calendar is None else overridden(config, [f"calendar={calendar}"], "--calendar")


def with_pinned_encoder(config: Any, registry: Any) -> Any:
    """A config whose `encoder` means one content for ever, where it named a version or an alias of the registry."""
    from registry.encoder_names import pinned

    encoder = pinned(config.encoder, registry)
    if encoder != config.encoder:
        say(f"{config.encoder} is {encoder.rpartition('@')[2][:20]}")
    return config.model_copy(update={"encoder": encoder})


def overridden(config: Any, override: list[str], option: str) -> Any:
    """A config with some keys set anew; `option` is what an error names."""
    import yaml

    from data.config import parse_config

    content = config.model_dump()
    for item in override:
        key, equals, value = item.partition("=")
        if not equals:
            raise ConfigError(f"{option} {item!r}: expected key=value")
        inner, *path = reversed(key.split("."))
        target = content
        for part in reversed(path):
            target = target.setdefault(part, {})
        target[inner] = yaml.safe_load(value)
    return parse_config(content, type(config), option)
