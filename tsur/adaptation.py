"""The command on encoders: adapt one to the complaints of several regions."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from data.errors import InputError
from tsur.heartbeat import heartbeat
from tsur.options import (
    ConfigPath,
    Overrides,
    complaints_of,
    config_of,
    console,
    read_region,
    say,
    with_pinned_encoder,
)

app = typer.Typer()


@app.command()
def adapt(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Complaints of each region as `tsur import` writes them, or REGION=FILE: an export of that region."
        ),
    ],
    config: ConfigPath = None,
    override: Overrides = None,
    fresh: Annotated[bool, typer.Option(help="Start over instead of continuing an interrupted run.")] = False,
) -> None:
    """Fine-tune one encoder on several regions at once and register it: `registry:complaint-encoder@champion`."""
    from data.settings import settings
    from registry.client import open_registry
    from registry.encoders import ENCODER
    from training.adaptation.adapt import adapt as run
    from training.arguments import EncoderAdaptation
    from training.tracker import open_tracker
    from tsur.show import adaptation_table

    registry = open_registry("")
    arguments = with_pinned_encoder(config_of("adapt.yaml", EncoderAdaptation, config, override), registry)
    home, tracker = settings().home.resolve(), open_tracker()
    done = run(complaints_by_region(files), arguments, home, say, fresh, tracker=tracker, registry=registry)
    console.print(adaptation_table(done.figures))
    console.print(f"champion: {ENCODER} version {done.version}, MLflow run {done.run_id}")
    console.print("fit a region's heads on it: tsur train classifier --set encoder=registry:complaint-encoder@champion")


def complaints_by_region(files: list[str]) -> dict[str, Any]:
    """The complaints of `FILE` or `REGION=FILE` arguments, by the region's id or the file's name.

    Raises:
        InputError: two regions have one name, or a file cannot be used.
    """
    by_region: dict[str, Any] = {}
    for argument in files:
        region, _, file = argument.rpartition("=")
        if Path(argument).exists():
            region, file = "", argument
        name = region or re.sub(r"[^\w.-]+", "-", Path(file).stem)
        if name in by_region:
            raise InputError(f"two files are called {name!r}: say REGION=FILE, as in kursk={file}")
        by_region[name] = _complaints(region or None, Path(file))
    return by_region


def _complaints(region: str | None, path: Path) -> Any:
    """The complaints of a file; only an export needs a region, for its source map and time zone."""
    from data.complaints.files import JSONL, read_complaints

    heartbeat.step(f"reading {path}")
    return read_complaints(path) if path.suffix.lower() in JSONL else complaints_of(read_region(region), path)
