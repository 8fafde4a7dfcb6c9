"""Commands on a region's next model: promote, rollback, and what became champion when; `tsur/retrain.py` trains it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tsur.heartbeat import heartbeat
from tsur.options import Model, RegionName, Who, console, model_name, read_region, who

if TYPE_CHECKING:
    from data.store.promotions import Promotion
    from registry.client import Registry

app = typer.Typer()
Why = Annotated[str, typer.Option("--why", help="A reason, kept for good beside the promotion.")]


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
    _tell(run(registry, name, version, why, who(by), without_gate))


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
    _tell(roll_back(registry, name, why, who(by)))


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

    Complaints that it was taught itself are left out on both sides: it is surer of them. The report is kept for the
    console's page «Модели».
    """
    from datetime import UTC, datetime

    from data.settings import settings
    from models.classifier.classifier import Classifier
    from registry.client import open_registry
    from registry.drift_reports import KeptReport, keep_report
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
    text = report.as_markdown()
    keep_report(settings().home, own.id, KeptReport(datetime.now(UTC), report.alarm, report.first_line, text))
    if out is None:
        console.print(text, soft_wrap=True)
    else:
        out.write_text(text, encoding="utf-8")
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
    from registry.client import open_registry

    own = read_region(region)
    return open_registry(own.id), model_name(own.id, model)


def _tell(promotion: "Promotion") -> None:
    before = "" if promotion.previous_version is None else f", in place of version {promotion.previous_version}"
    console.print(f"champion: {promotion.model} version {promotion.version}{before}")
