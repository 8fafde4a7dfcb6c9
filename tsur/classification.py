"""Commands on complaints: import, train, distil, evaluate, new topics."""

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from tsur.heartbeat import heartbeat
from tsur.options import (
    CataloguePath,
    Complaints,
    ConfigPath,
    NoCatalogue,
    Overrides,
    RegionName,
    RowDate,
    Source,
    catalogue_path,
    complaints_of,
    complaints_or_sample,
    config_of,
    console,
    overridden,
    read_catalogue,
    read_region,
    read_source,
    say,
    train_app,
    with_pinned_encoder,
)

app = typer.Typer()
REASONS = 10
"""Kinds of reasons and unknown municipalities that are listed, the commonest first."""
PLACE_WIDTH = 60
"""Characters of an unknown municipality that are shown: a longer one is a text in the wrong column."""


def tell_unknown_places(places: Counter[str], rows: int, mend: str) -> None:
    """Say of how many rows the municipality is not known, which they are, and what mends it."""
    if not rows:
        return
    named = ", ".join(f"{place[:PLACE_WIDTH]!r} ({count})" for place, count in places.most_common(REASONS))
    console.print(f"note: {rows} rows name a municipality that the catalogue does not know, and go on without it")
    console.print(f"  {named}{' …' if len(places) > REASONS else ''}\n  {mend}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="An export: CSV, XLSX, JSON or JSONL.")],
    source: Source = None,
    out: Annotated[Path, typer.Option(help="Where the complaints go (JSONL).")] = Path("complaints.jsonl"),
    rejects: Annotated[Path | None, typer.Option(help="Where bad rows go (CSV); default: beside OUT.")] = None,
    region: RegionName = None,
    catalogue: CataloguePath = None,
    no_catalogue: NoCatalogue = False,
    date: RowDate = None,
) -> None:
    """Read an export into checked, cleaned and masked complaints; bad rows go to a file of their own."""
    from data.complaints.files import write_complaints, write_rejects
    from data.complaints.importing import import_complaints
    from tsur.show import counter

    own = read_region(region)
    with counter("reading") as progress:
        imported = import_complaints(
            file,
            read_source(own, source),
            read_catalogue(own, catalogue, no_catalogue),
            date,
            progress,
        )
    heartbeat.step(f"writing {out}")
    write_complaints(imported.complaints, out)
    for note in imported.notes:
        console.print(f"note: {note}")
    told_in = catalogue_path(own, catalogue, no_catalogue)
    mend = f"write its name under `aliases` in {told_in}; --no-catalogue takes places as they come"
    tell_unknown_places(imported.unknown_places, imported.unknown_places.total(), mend)
    console.print(f"{len(imported.complaints)} of {imported.rows} rows → {out}")
    if len(imported.rejects):
        rejects = rejects or out.with_suffix(".rejects.csv")
        write_rejects(imported.rejects, rejects)
        console.print(f"{len(imported.rejects)} rows set aside → {rejects}")
        for reason, count in imported.reasons[:REASONS]:
            console.print(f"  {count} × {reason}")


@train_app.command("classifier")
def train_classifier_(
    complaints: Complaints = None,
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", help="A dataset version instead of complaints; what it holds out is not taught."),
    ] = None,
    region: RegionName = None,
    catalogue: CataloguePath = None,
    no_catalogue: NoCatalogue = False,
    no_complaints: Annotated[
        bool,
        typer.Option("--no-complaints", help="The region has none yet: its catalogue's names and descriptions teach."),
    ] = False,
    config: ConfigPath = None,
    override: Overrides = None,
    fresh: Annotated[bool, typer.Option(help="Start over instead of continuing an interrupted run.")] = False,
) -> None:
    """Fine-tune the encoder, measure it beside TF-IDF + SVM, register the bundle as champion."""
    from data.complaints.schema import nothing_yet
    from data.errors import InputError
    from data.settings import settings
    from registry.client import open_registry
    from registry.names import classifier_name
    from training.arguments import ClassifierTraining
    from training.classifier.job import prepare
    from training.classifier.train import train_job
    from training.retrain.challenger import job_on, tags_of
    from training.tracker import open_tracker
    from tsur.datasets import named_version
    from tsur.show import comparison

    if (dataset is not None) + (complaints is not None) + no_complaints > 1:
        raise InputError("name a file of complaints, --dataset or --no-complaints, not several of them")
    own = read_region(region)
    registry = open_registry(own.id)
    arguments = with_pinned_encoder(config_of("classifier.yaml", ClassifierTraining, config, override), registry)
    place = catalogue_path(own, catalogue, no_catalogue)
    if dataset is None:
        rows = nothing_yet() if no_complaints else complaints_or_sample(own, complaints)
        job, tags = prepare(rows, place, arguments), {}
    else:
        version = named_version(own.id, dataset, None)
        job = job_on(version, place, arguments)
        tags = tags_of(job, version)
    by, tracker = "tsur train classifier", open_tracker()
    trained = train_job(job, own.id, settings().home, say, fresh, by, tags, tracker=tracker, registry=registry)
    if trained.evaluation is not None:
        console.print(comparison(trained.evaluation, trained.lexical))
    console.print(f"champion: {classifier_name(own.id)} version {trained.version}, MLflow run {trained.run_id}")


@app.command()
def distill(
    complaints: Complaints = None,
    region: RegionName = None,
    unlabelled: Annotated[
        list[Path] | None,
        typer.Option(help="More complaints, as `tsur import` writes them, labels unread; repeatable."),
    ] = None,
    layers: Annotated[int | None, typer.Option(help="Layers of the student; default: the config's.")] = None,
    config: ConfigPath = None,
    override: Overrides = None,
    promote: Annotated[bool, typer.Option("--promote", help="Make the student champion, not challenger.")] = False,
    fresh: Annotated[bool, typer.Option(help="Start over instead of continuing an interrupted run.")] = False,
) -> None:
    """Teach a small, fast classifier what the champion says, measure both, register it as challenger."""
    from data.settings import settings
    from registry.client import open_registry
    from registry.names import classifier_name
    from training.arguments import ClassifierTraining, Distillation
    from training.encoder.distill import distill as run
    from training.tracker import open_tracker
    from tsur.show import distillation_table

    arguments = config_of("distill.yaml", Distillation, config, override)
    if layers is not None:
        arguments = overridden(arguments, [f"layers={layers}"], "--layers")
    recipe = config_of("classifier.yaml", ClassifierTraining, None, None)
    own = read_region(region)
    labelled, more = complaints_or_sample(own, complaints), [complaints_of(own, file) for file in unlabelled or []]
    home, tracker, registry = settings().home, open_tracker(), open_registry(own.id)
    done = run(labelled, more, arguments, recipe, own.id, home, say, promote, fresh, tracker=tracker, registry=registry)
    console.print(distillation_table(done.comparison, done.fidelity))
    console.print(f"student encoder → {done.encoder}")
    console.print(f"{done.alias}: {classifier_name(own.id)} version {done.version}, MLflow run {done.run_id}")


@app.command()
def evaluate(
    complaints: Complaints = None,
    region: RegionName = None,
    report: Annotated[Path | None, typer.Option(help="Write tables, plots and misread samples there.")] = None,
    answers: Annotated[Path | None, typer.Option(help="Write what it answered to each row there (CSV).")] = None,
) -> None:
    """Measure the champion on labelled complaints that it did not learn from: every row, every label."""
    from registry.client import open_registry
    from training.evaluate.answers import write_answers
    from training.evaluate.evaluate import evaluate_champion
    from training.report.report import write_report
    from tsur.show import comparison, coverage_by_sector, promises

    own = read_region(region)
    rows = complaints_or_sample(own, complaints)
    heartbeat.step("measuring the champion")
    measured = evaluate_champion(rows, own.id, open_registry(own.id))
    if report is not None:
        heartbeat.step(f"writing the report to {report}")
        write_report(measured.evaluation, measured.classifier, measured.rows, report)
    console.print(measured.note)
    console.print(comparison(measured.evaluation, None))
    if measured.evaluation.promises:
        console.print(promises(measured.evaluation))
    console.print(coverage_by_sector(measured.evaluation))
    if answers is not None:
        write_answers(measured.evaluation, measured.rows, answers)
        console.print(f"answers to {len(measured.rows)} rows → {answers}")
    if report is not None:
        console.print(f"report on {len(measured.rows)} rows → {report}")


@app.command()
def emerging(
    complaints: Annotated[Path, typer.Argument(help="Complaints as `tsur import` writes them, with their dates.")],
    days: Annotated[int | None, typer.Option(help="The last days; default: emerging.days in serving.yaml.")] = None,
    region: RegionName = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a report.")] = False,
) -> None:
    """Propose new topics: complaints of the last days that fit no topic, look alike and have become more."""
    from contextlib import nullcontext

    from batch.emerging import emerging_in
    from models.classifier.classifier import Classifier
    from registry.client import open_registry
    from registry.names import classifier_name
    from serving.config import load_serving_config
    from tsur.show import counter, emerging_csv, emerging_report

    config = load_serving_config()
    settled = config.emerging if days is None else overridden(config.emerging, [f"days={days}"], "--days")
    own = read_region(region)
    frame = complaints_of(own, complaints)
    heartbeat.step("looking for new topics")
    classifier = Classifier.load(open_registry(own.id).champion_bundle(classifier_name(own.id))[0])
    with nullcontext(lambda rows: None) if csv else counter("classifying") as progress:
        search = emerging_in(frame, classifier, settled, own.timezone, progress)
    if csv:
        sys.stdout.write(emerging_csv(search))
    else:
        console.print(emerging_report(search), soft_wrap=True)
