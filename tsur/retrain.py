"""Commands that train a region's next model and hold it against the champion; without a word, a classifier."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from tsur.count_columns import USUAL, Columns, with_count_columns
from tsur.engines import executor_of
from tsur.forecasting import SERIES_A_TASK
from tsur.options import (
    CataloguePath,
    ClusterAddress,
    ConfigPath,
    Counts,
    EngineName,
    NoCatalogue,
    RegionName,
    Regressors,
    Who,
    catalogue_path,
    config_of,
    console,
    counts_or_sample,
    overridden,
    read_region,
    regressors_or_none,
    say,
    who,
)

if TYPE_CHECKING:
    from data.config import Config
    from training.retrain.trial import Retrained

CLASSIFIER = "classifier"


class ClassifierByDefault(TyperGroup):
    """`tsur retrain 3` is `tsur retrain classifier 3`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the model first where none is named; `ctx` is Click's context, of which Typer has its own copy."""
        named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else [CLASSIFIER, *args])


app = typer.Typer(
    cls=ClassifierByDefault,
    help="Train a challenger and hold it against the champion: `classifier` (without a word too) or `forecaster`.",
)
Promote = Annotated[bool, typer.Option("--promote", help="Make the challenger champion if it passes.")]
Limits = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a key of configs/gate.yaml, as in --set tolerance=0.02; repeatable."),
]
Recipe = Annotated[
    list[str] | None,
    typer.Option("--recipe", help="Another key of the champion's recipe, as in --recipe epochs=0; repeatable."),
]


@app.command("classifier")
def retrain_classifier(
    dataset: Annotated[
        str | None, typer.Argument(help="A dataset version: its folder, or its name; default: the newest.")
    ] = None,
    promote: Promote = False,
    folder: Annotated[
        Path | None, typer.Option("--datasets", help="Folder of the versions; default: datasets/REGION in TSUR_HOME.")
    ] = None,
    region: RegionName = None,
    catalogue: CataloguePath = None,
    no_catalogue: NoCatalogue = False,
    config: ConfigPath = None,
    override: Limits = None,
    recipe: Recipe = None,
    by: Who = None,
) -> None:
    """Train a challenger by the champion's recipe on a dataset version, and hold it against the champion.

    Status 1 where the gate refuses it.
    """
    from data.settings import settings
    from registry.client import open_registry
    from training.arguments import ClassifierTraining
    from training.retrain.gate_limits import GateLimits
    from training.retrain.retraining import Retraining
    from training.retrain.retraining import retrain as run
    from training.tracker import open_tracker
    from tsur.datasets import named_version

    own = read_region(region)
    asked = Retraining(
        region=own.id,
        dataset=named_version(own.id, dataset, folder),
        catalogue=catalogue_path(own, catalogue, no_catalogue),
        limits=config_of("gate.yaml", GateLimits, config, override),
        changes=_changes(recipe, ClassifierTraining()),
        promoted_by=f"tsur retrain ({who(by)})" if promote else None,
    )
    done = run(asked, settings().home, say, tracker=open_tracker(), registry=open_registry(own.id))
    tell_retrained(done, asked.dataset.name)
    raise typer.Exit(0 if done.passed else 1)


@app.command("forecaster")
@with_count_columns
def retrain_forecaster(
    counts: Counts = None,
    promote: Promote = False,
    region: RegionName = None,
    columns: Columns = USUAL,
    regressors: Regressors = None,
    config: ConfigPath = None,
    override: Limits = None,
    recipe: Recipe = None,
    engine: EngineName = "local",
    address: ClusterAddress = None,
    by: Who = None,
) -> None:
    """Train a challenger by the champion's recipe on newer counts, and hold both against what came in the last weeks.

    Status 1 where the gate refuses it.
    """
    from data.settings import settings
    from models.forecasting.config import ForecasterConfig
    from registry.client import open_registry
    from training.retrain.forecaster_retraining import ForecasterRetraining
    from training.retrain.forecaster_retraining import retrain_forecaster as run
    from training.retrain.gate_limits import GateLimits
    from training.tracker import open_tracker
    from tsur.show import series_bars

    own = read_region(region)
    asked = ForecasterRetraining(
        region=own.id,
        counts=counts_or_sample(own, counts, columns),
        limits=config_of("gate.yaml", GateLimits, config, override).forecaster,
        changes=_changes(recipe, ForecasterConfig()),
        regressors=regressors_or_none(own, regressors),
        promoted_by=f"tsur retrain forecaster ({who(by)})" if promote else None,
    )
    home, tracker, registry = settings().home, open_tracker(), open_registry(own.id)
    with executor_of(engine, address, SERIES_A_TASK) as executor, series_bars() as bar:
        done = run(asked, home, say, bar, executor, tracker=tracker, registry=registry)
    tell_retrained(done, "these counts")
    raise typer.Exit(0 if done.passed else 1)


def tell_retrained(done: "Retrained", taught: str) -> None:
    """Print what came of a retrain; `taught` says what the challenger was trained on."""
    console.print(done.says, soft_wrap=True)
    if done.report is not None:
        held = f"version {done.challenger} against version {done.champion}, report: {done.report}"
        console.print(held, soft_wrap=True)
    if done.done_before:
        console.print(f"nothing to do: {taught} was retrained on before")
    if done.note:
        console.print(done.note, soft_wrap=True)
    if done.promoted is not None:
        console.print(f"champion: {done.promoted.model} version {done.promoted.version}")


def _changes(recipe: list[str] | None, default: "Config") -> dict[str, Any]:
    """Keys of the recipe that are named, checked, nested as in the config."""
    changed = overridden(default, recipe or [], "--recipe").model_dump()
    out: dict[str, Any] = {}
    for item in recipe or []:
        *path, inner = item.partition("=")[0].split(".")
        source, target = changed, out
        for part in path:
            source, target = source[part], target.setdefault(part, {})
        target[inner] = source[inner]
    return out
