"""Commands that bring a region's next model about: retrain, promote, rollback, and what became champion when."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tsur.heartbeat import heartbeat
from tsur.options import (
    CataloguePath,
    ConfigPath,
    NoCatalogue,
    RegionName,
    catalogue_path,
    config_of,
    console,
    overridden,
    read_region,
    say,
)

if TYPE_CHECKING:
    from data.store.promotions import Promotion
    from registry.client import Registry
    from training.retrain.retraining import Retrained

app = typer.Typer()
Who = Annotated[str | None, typer.Option("--by", help="Who decides; default: the user of this machine.")]
Why = Annotated[str, typer.Option("--why", help="A reason, kept for good beside the promotion.")]
Model = Annotated[str, typer.Option("--model", help="`classifier` or `forecaster`.")]


@app.command()
def retrain(
    dataset: Annotated[
        str | None, typer.Argument(help="A dataset version: its folder, or its name; default: the newest.")
    ] = None,
    promote: Annotated[bool, typer.Option("--promote", help="Make the challenger champion if it passes.")] = False,
    folder: Annotated[
        Path | None, typer.Option("--datasets", help="Folder of the versions; default: datasets/REGION in TSUR_HOME.")
    ] = None,
    region: RegionName = None,
    catalogue: CataloguePath = None,
    no_catalogue: NoCatalogue = False,
    config: ConfigPath = None,
    override: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a key of configs/gate.yaml, as in --set tolerance=0.02; repeatable."),
    ] = None,
    recipe: Annotated[
        list[str] | None,
        typer.Option("--recipe", help="Another key of the champion's recipe, as in --recipe epochs=0; repeatable."),
    ] = None,
    by: Who = None,
) -> None:
    """Train a challenger by the champion's recipe on a dataset version, and hold it against the champion.

    Status 1 where the gate refuses it.
    """
    from data.settings import settings
    from registry.client import open_registry
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
        changes=_changes(recipe),
        promoted_by=f"tsur retrain ({_who(by)})" if promote else None,
    )
    done = run(asked, settings().home, say, tracker=open_tracker(), registry=open_registry(own.id))
    _tell_retrained(done, asked.dataset.name)
    raise typer.Exit(0 if done.passed else 1)


def _tell_retrained(done: "Retrained", dataset: str) -> None:
    console.print(done.says, soft_wrap=True)
    if done.report is not None:
        held = f"version {done.challenger} against version {done.champion}, report: {done.report}"
        console.print(held, soft_wrap=True)
    if done.done_before:
        console.print(f"nothing to do: {dataset} was retrained on before")
    if done.note:
        console.print(done.note, soft_wrap=True)
    if done.promoted is not None:
        console.print(f"champion: {done.promoted.model} version {done.promoted.version}")


@app.command()
def promote(
    version: Annotated[int | None, typer.Argument(help="Of the registered model; default: the challenger's.")] = None,
    model: Model = "classifier",
    why: Why = "",
    without_gate: Annotated[
        bool, typer.Option("--without-gate", help="Whatever the gate said, or did not; needs --why.")
    ] = False,
    by: Who = None,
    region: RegionName = None,
) -> None:
    """Make a version champion that the gate has passed; a running service takes it within seconds."""
    from training.retrain.promotion import promote as run

    registry, name = _model(region, model)
    heartbeat.step("promoting")
    _tell(run(registry, name, version, why, _who(by), without_gate))


@app.command()
def rollback(
    why: Annotated[str, typer.Option("--why", help="A reason, kept for good beside the promotion.")],
    model: Model = "classifier",
    by: Who = None,
    region: RegionName = None,
) -> None:
    """Make the version champion that was it before; a running service takes it within seconds."""
    from registry.taking_back import roll_back

    registry, name = _model(region, model)
    heartbeat.step("going back")
    _tell(roll_back(registry, name, why, _who(by)))


@app.command()
def promotions(model: Model = "classifier", region: RegionName = None) -> None:
    """Which version became champion when, in place of which, by whom and why, the newest last."""
    from registry.taking_back import ROLLBACK, WHY

    registry, name = _model(region, model)
    kept = registry.promotions(name)
    for each in kept:
        what = "taken back to" if each.evidence.get(ROLLBACK) else "promoted"
        before = "" if each.previous_version is None else f" in place of {each.previous_version}"
        why = each.evidence.get(WHY) or (each.evidence.get("gate") or {}).get("says") or ""
        when = f"{each.promoted_at:%Y-%m-%d %H:%M:%S} UTC"
        console.print(f"{when}  {what} version {each.version}{before} by {each.promoted_by}: {why}", soft_wrap=True)
    if not kept:
        console.print(f"no version of {name} was ever promoted")


@app.command("suggest-labels")
def suggest_labels(
    complaints: Annotated[Path, typer.Argument(help="Complaints as `tsur import` writes them, labelled or not.")],
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 100,
    out: Annotated[Path, typer.Option(help="The table to fill in (CSV).")] = Path("to-label.csv"),
    folder: Annotated[
        Path | None, typer.Option("--datasets", help="Folder of the versions, whose texts are known.")
    ] = None,
    region: RegionName = None,
) -> None:
    """Choose the complaints whose labels would teach the classifier most, as a table that an operator fills in."""
    from data.tables.csv_writer import write_csv
    from models.classifier.classifier import Classifier
    from registry.client import open_registry
    from registry.names import classifier_name
    from training.classifier.splits import text_keys
    from training.retrain.suggest import suggest
    from training.retrain.versions import newest_version
    from tsur.datasets import versions_folder
    from tsur.options import complaints_of
    from tsur.show import counter

    own = read_region(region)
    frame = complaints_of(own, complaints)
    newest = newest_version(versions_folder(folder, own.id))
    known = set() if newest is None else set(text_keys(newest.rows["text"]).tolist())
    heartbeat.step("loading the champion")
    classifier = Classifier.load(open_registry(own.id).champion_bundle(classifier_name(own.id))[0])
    with counter("reading") as progress:
        chosen = suggest(frame, classifier, count, known, progress)
    write_csv(chosen, out)
    console.print(f"{len(chosen)} of {len(frame)} complaints to label → {out}: fill in sector, topic, agency, then")
    console.print(f"  tsur dataset build {out} --source generic --add --from-store", soft_wrap=True)


@app.command()
def drift(
    now: Annotated[Path, typer.Argument(help="Complaints of the last weeks, as `tsur import` writes them.")],
    then: Annotated[
        Path | None, typer.Option("--then", help="Earlier ones; default: those of the newest dataset version.")
    ] = None,
    level: Annotated[float, typer.Option(help="Share of reports that may alarm where nothing has changed.")] = 0.05,
    out: Annotated[Path | None, typer.Option(help="Write the report there (Markdown) instead of printing it.")] = None,
    region: RegionName = None,
) -> None:
    """Say whether complaints are other ones than those that the champion was taught; status 1 where they are.

    Complaints that it was taught itself are left out on both sides: it is surer of them.
    """
    from models.classifier.classifier import Classifier
    from registry.client import open_registry
    from registry.names import classifier_name
    from training.retrain.complaint_drift import drift as run
    from training.retrain.complaint_drift import not_taught, readings
    from tsur.datasets import named_version
    from tsur.options import complaints_of

    own = read_region(region)
    earlier = named_version(own.id, None, None).rows if then is None else complaints_of(own, then)
    later = complaints_of(own, now)
    heartbeat.step("loading the champion")
    registry, name = open_registry(own.id), classifier_name(own.id)
    bundle, version = registry.champion_bundle(name)
    classifier = Classifier.load(bundle)
    heartbeat.step("reading the complaints")
    before, after = (readings(not_taught(each, registry, name, version), classifier) for each in (earlier, later))
    report = run(before, after, level)
    if out is None:
        console.print(report.as_markdown(), soft_wrap=True)
    else:
        out.write_text(report.as_markdown(), encoding="utf-8")
        console.print(f"{report.first_line} → {out}", soft_wrap=True)
    raise typer.Exit(1 if report.alarm else 0)


@app.command()
def lineage(
    complaint: Annotated[str, typer.Argument(metavar="ID", help="The id of a complaint.")],
    folder: Annotated[Path | None, typer.Option("--datasets", help="Folder of the versions.")] = None,
    region: RegionName = None,
) -> None:
    """From a complaint's decisions back to model, run, commit and rows; forward to the models that it taught."""
    from data.store.store import open_store
    from registry.client import open_registry
    from training.retrain.lineage import Lineage
    from tsur.datasets import versions_folder

    own = read_region(region)
    heartbeat.step("looking it up")
    for line in Lineage(own.id, open_store(), open_registry(own.id), versions_folder(folder, own.id)).of(complaint):
        console.print(line, soft_wrap=True)


@app.command("demo-retraining")
def demo_retraining(
    short: Annotated[bool, typer.Option("--short", help="A fifth of the sample, for a test.")] = False,
    port: Annotated[int, typer.Option(help="Port of the service.")] = 3000,
    override: Annotated[
        list[str] | None, typer.Option("--set", help="A key of configs/classifier.yaml for the first champion.")
    ] = None,
) -> None:
    """Show the loop: corrections teach a topic, poisoned ones are refused, a rollback; in a home of its own."""
    from data.settings import settings
    from tsur.demo_retraining import run_demo_retraining

    heartbeat.rest()
    run_demo_retraining(short, override or [], port, settings().home / "demo-retraining", console)


def _model(region: str | None, model: str) -> "tuple[Registry, str]":
    from data.errors import ConfigError
    from registry.client import open_registry
    from registry.names import classifier_name, forecaster_name

    own = read_region(region)
    names = {"classifier": classifier_name(own.id), "forecaster": forecaster_name(own.id)}
    if model not in names:
        raise ConfigError(f"--model {model!r}: known are {', '.join(names)}")
    return open_registry(own.id), names[model]


def _who(given: str | None) -> str:
    return given or getpass.getuser()


def _tell(promotion: "Promotion") -> None:
    before = "" if promotion.previous_version is None else f", in place of version {promotion.previous_version}"
    console.print(f"champion: {promotion.model} version {promotion.version}{before}")


def _changes(recipe: list[str] | None) -> dict[str, Any]:
    """Keys of the recipe that are named, checked."""
    from training.arguments import ClassifierTraining

    if not recipe:
        return {}
    changed = overridden(ClassifierTraining(), recipe, "--recipe")
    return {key: getattr(changed, key) for key in (item.partition("=")[0] for item in recipe)}
