"""What the commands share: the console, the options, and the files and configs that options name."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from data.errors import ConfigError

console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 140)
train_app = typer.Typer(no_args_is_help=True, help="Train a model and register it as champion.")

Complaints = Annotated[
    Path | None, typer.Argument(help="Complaints as `tsur import` writes them; default: the bundled sample.")
]
Counts = Annotated[Path | None, typer.Argument(help="Daily counts, CSV or Parquet; default: the simulated sample.")]
CataloguePath = Annotated[
    Path | None,
    typer.Option("--catalogue", help="The region's catalogue; default: catalogue.yaml in configs."),
]
NoCatalogue = Annotated[
    bool, typer.Option("--no-catalogue", help="The region has no catalogue yet: take labels as they come.")
]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", help="Override a config key, as in --set epochs=3; repeatable.")
]
ConfigPath = Annotated[Path | None, typer.Option("--config", help="Another YAML than the one in configs.")]
DateColumn = Annotated[str, typer.Option(help="Column of the day.")]
SectorColumn = Annotated[str, typer.Option(help="Column of the sector or category.")]
CountColumn = Annotated[str, typer.Option(help="Column of the number of complaints.")]
Regressors = Annotated[
    Path | None,
    typer.Option("--regressors", help="What is known of the coming days: date[, municipality] and columns of numbers."),
]
PlaceColumn = Annotated[str | None, typer.Option(help="Column of the municipality; absent: one region.")]


def catalogue_path(given: Path | None) -> Path:
    """The catalogue that was named, or the one in configs."""
    from data.settings import settings

    return given or settings().configs / "catalogue.yaml"


def read_catalogue(given: Path | None, absent: bool) -> Any:
    """The catalogue that was named, or the one in configs; None where the region has none."""
    from data.catalogue.model import load_catalogue

    return None if absent else load_catalogue(catalogue_path(given))


def complaints_or_sample(given: Path | None) -> Any:
    """The complaints of a file, or the bundled sample."""
    from data.complaints.importing import read_complaints
    from tsur.samples import sample_complaints

    return sample_complaints() if given is None else read_complaints(given)


def counts_or_sample(given: Path | None, date: str, sector: str, count: str, municipality: str | None) -> Any:
    """The daily counts of a file, every day of every series, or the simulated sample."""
    from data.counts.daily import CountColumns, complete, read_counts
    from tsur.samples import sample_counts

    if given is None:
        return sample_counts()
    columns = CountColumns(date=date, sector=sector, count=count, municipality=municipality)
    return complete(read_counts(given, columns))


def regressors_or_none(given: Path | None) -> Any:
    """What is known of the coming days, if a file says so."""
    from models.forecasting.regressors import read_regressors

    return None if given is None else read_regressors(given)


def config_of(name: str, kind: Any, given: Path | None, override: list[str] | None) -> Any:
    """The config of a file, or of `name` in configs, with its keys overridden."""
    from data.config import load_config
    from data.settings import settings

    return overridden(load_config(given or settings().configs / name, kind), override or [], "--set")


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
