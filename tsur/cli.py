"""Commands: each reads its files and configs, calls one function, and shows what came out.

An error of the user's ends with one sentence and status 2. Heavy imports live inside the
commands, so that `tsur --help` answers at once.
"""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from data.errors import ConfigError, TsurError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Routing of citizens' complaints and forecasts of their surges.",
)
train_app = typer.Typer(no_args_is_help=True, help="Train a model and register it as champion.")
app.add_typer(train_app, name="train")
console = Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 140)

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


def main() -> None:
    """Run the command line; a `TsurError` becomes one sentence and status 2."""
    # Threads that spin while they wait make training several times slower as soon as anything else
    # runs on the machine. OpenMP reads this when torch is loaded, which is after this line.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app()
    except TsurError as error:
        Console(stderr=True, soft_wrap=True, markup=False, highlight=False).print(
            f"error ({error.code}): {error.message}", style="red"
        )
        sys.exit(2)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="An export: CSV, XLSX, JSON or JSONL.")],
    source: Annotated[str, typer.Option(help="A name in configs/sources, or a YAML file.")] = "generic",
    out: Annotated[Path, typer.Option(help="Where the complaints go (JSONL).")] = Path("complaints.jsonl"),
    rejects: Annotated[Path | None, typer.Option(help="Where bad rows go (CSV); default: beside OUT.")] = None,
    catalogue: CataloguePath = None,
    no_catalogue: NoCatalogue = False,
    date: Annotated[
        datetime | None,
        typer.Option(help="Date of the rows, where the export has none.", formats=["%Y-%m-%d"]),
    ] = None,
) -> None:
    """Read an export into checked, cleaned and masked complaints; bad rows go to a file of their own."""
    from data.importing import import_complaints, write_complaints, write_rejects
    from data.settings import settings
    from data.sources import load_source
    from tsur.show import counter

    with counter("reading") as progress:
        imported = import_complaints(
            file,
            load_source(source, settings().configs / "sources"),
            _catalogue(catalogue, no_catalogue),
            date,
            progress,
        )
    write_complaints(imported.complaints, out)
    console.print(f"{len(imported.complaints)} of {imported.rows} rows → {out}")
    if len(imported.rejects):
        rejects = rejects or out.with_suffix(".rejects.csv")
        write_rejects(imported.rejects, rejects)
        first = imported.rejects.iloc[0]
        console.print(f"{len(imported.rejects)} rows set aside → {rejects} (line {first['line']}: {first['reason']})")


@app.command()
def counts(
    complaints: Annotated[Path, typer.Argument(help="Complaints as `tsur import` writes them.")],
    out: Annotated[Path, typer.Option(help="Where the counts go (CSV).")] = Path("daily_counts.csv"),
) -> None:
    """Count complaints per day, municipality and sector."""
    from data.counts import daily_counts
    from data.importing import read_complaints

    frame = daily_counts(read_complaints(complaints))
    frame.to_csv(out, index=False)
    console.print(f"{len(frame)} rows, {frame['date'].min():%Y-%m-%d} to {frame['date'].max():%Y-%m-%d} → {out}")


@app.command()
def delays(
    file: Annotated[Path, typer.Argument(help="Complaints with both dates, CSV or Parquet.")],
    created: Annotated[str, typer.Option(help="Column of when a complaint was made.")] = "created_at",
    entered: Annotated[str, typer.Option(help="Column of when it was entered.")] = "entered_at",
    days: Annotated[int, typer.Option(min=1, max=60, help="Ages to measure, at most.")] = 14,
) -> None:
    """Measure how late complaints are entered: the key `completeness` of configs/forecaster.yaml."""
    from data.counts import read_days
    from models.forecasting.learnable import completeness_curve

    curve = completeness_curve(read_days(file, created), read_days(file, entered), days)
    console.print(f"completeness: [{', '.join(f'{share:g}' for share in curve)}]")


@train_app.command("classifier")
def train_classifier_(
    complaints: Complaints = None,
    catalogue: CataloguePath = None,
    no_catalogue: NoCatalogue = False,
    config: ConfigPath = None,
    override: Overrides = None,
    fresh: Annotated[bool, typer.Option(help="Start over instead of continuing an interrupted run.")] = False,
) -> None:
    """Fine-tune the encoder, measure it beside TF-IDF + SVM, register the bundle as champion."""
    from data.settings import settings
    from training.arguments import ClassifierTraining
    from training.train_classifier import train_classifier
    from tsur.show import comparison

    trained = train_classifier(
        _complaints(complaints),
        None if no_catalogue else _catalogue_path(catalogue),
        _config("classifier.yaml", ClassifierTraining, config, override),
        settings().home,
        console.print,
        fresh,
    )
    console.print(comparison(trained.evaluation, trained.lexical))
    console.print(f"champion: complaint-classifier version {trained.version}, MLflow run {trained.run_id}")


@app.command()
def distill(
    complaints: Complaints = None,
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
    from training.arguments import ClassifierTraining, Distillation
    from training.distill import distill as run
    from tsur.show import likeness_table

    chosen = _config("distill.yaml", Distillation, config, override)
    if layers is not None:
        chosen = _overridden(chosen, [f"layers={layers}"], "--layers")
    recipe = _config("classifier.yaml", ClassifierTraining, None, None)
    more = [_complaints(file) for file in unlabelled or []]
    done = run(_complaints(complaints), more, chosen, recipe, settings().home, console.print, promote, fresh)
    console.print(likeness_table(done.comparison, done.fidelity))
    console.print(f"student encoder → {done.encoder}")
    console.print(f"{done.alias}: complaint-classifier version {done.version}, MLflow run {done.run_id}")


@train_app.command("forecaster")
def train_forecaster_(
    counts: Counts = None,
    date: DateColumn = "date",
    sector: SectorColumn = "sector",
    count: CountColumn = "count",
    municipality: PlaceColumn = None,
    config: ConfigPath = None,
    override: Overrides = None,
    regressors: Regressors = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Keep the champions; fit only what changed, until a backtest is due.")
    ] = False,
) -> None:
    """Backtest every series, fit its champion, register the forecasts as champion."""
    from data.settings import settings
    from models.forecasting.config import ForecasterConfig
    from training.train_forecaster import train_forecaster
    from tsur.show import series_bars, wape_table

    frame = _counts(counts, date, sector, count, municipality)
    settled = _config("forecaster.yaml", ForecasterConfig, config, override)
    known = _regressors(regressors)
    with series_bars() as bar:
        trained = train_forecaster(frame, settled, settings().home, console.print, bar, known, refresh)
    if trained.result is not None:
        console.print(wape_table(trained.result))
    console.print(f"champion: complaint-forecaster version {trained.version}, MLflow run {trained.run_id}")


@app.command()
def backtest(
    counts: Counts = None,
    date: DateColumn = "date",
    sector: SectorColumn = "sector",
    count: CountColumn = "count",
    municipality: PlaceColumn = None,
    config: ConfigPath = None,
    override: Overrides = None,
    calendar: Annotated[str | None, typer.Option(help="russia or none: whose days off explain the counts.")] = None,
    largest: Annotated[int | None, typer.Option(help="Only the series with the most complaints.")] = None,
    regressors: Regressors = None,
    plots: Annotated[
        Path | None, typer.Option(help="Write plots there: forecasts against what came, decompositions.")
    ] = None,
) -> None:
    """Compare the forecasters by rolling origin on daily counts, without registering anything."""
    from data.settings import settings
    from models.forecasting.config import ForecasterConfig
    from training.forecast_plots import backtest_figures, write_figures
    from training.train_forecaster import largest_series, run_backtest
    from tsur.show import series_bars, wape_table

    frame = _counts(counts, date, sector, count, municipality)
    settled = _config("forecaster.yaml", ForecasterConfig, config, override)
    if calendar is not None:
        settled = _overridden(settled, [f"calendar={calendar}"], "--calendar")
    if largest is not None:
        frame = largest_series(frame, largest, settled.scored_daily_mean)
    with series_bars() as bar:
        run_id, result = run_backtest(frame, settled, settings().home, bar, _regressors(regressors))
    console.print(wape_table(result))
    if plots is not None:
        written = write_figures(backtest_figures(frame, settled, result, _regressors(regressors)), plots)
        console.print(f"{len(written)} plots → {plots}")
    console.print(f"MLflow run {run_id}")


@app.command()
def evaluate(
    complaints: Complaints = None,
    report: Annotated[Path | None, typer.Option(help="Write tables, plots and misread samples there.")] = None,
) -> None:
    """Measure the champion on labelled complaints; on its own training file, only on the test rows."""
    from training.evaluate import evaluate_champion
    from tsur.show import comparison

    evaluation, rows, note = evaluate_champion(_complaints(complaints), report)
    console.print(note)
    console.print(comparison(evaluation, None))
    if report is not None:
        console.print(f"report on {rows} rows → {report}")


@app.command()
def classify(
    file: Annotated[Path, typer.Argument(help="An export: CSV, XLSX, JSON or JSONL.")],
    source: Annotated[str, typer.Option(help="A name in configs/sources, or a YAML file.")] = "generic",
    out: Annotated[Path, typer.Option(help="Where the decisions go (CSV).")] = Path("decisions.csv"),
    date: Annotated[
        datetime | None,
        typer.Option(help="Date of the rows, where the export has none.", formats=["%Y-%m-%d"]),
    ] = None,
) -> None:
    """Classify every row of an export with the champion; a run that was killed goes on where it was."""
    from data.readers import estimated_rows
    from data.settings import settings
    from data.sources import load_source
    from models.classifier import Classifier
    from training.classify import ClassifyRun, rejects_path
    from training.tracking import CLASSIFIER, champion_bundle
    from tsur.show import rows_bar

    folder, version = champion_bundle(CLASSIFIER)
    classifier = Classifier.load(folder)
    read = load_source(source, settings().configs / "sources").without_labels()
    run = ClassifyRun(classifier, str(version), file, read, date, out)
    if run.done.read:
        console.print(f"continuing after row {run.done.read}")
    with rows_bar("classifying", estimated_rows(file) if file.is_file() else None, run.done.read) as progress:
        done = run.finish(progress)
    console.print(f"{done.routed} of {done.rows} to route, {done.rows - done.routed} to review → {out}")
    if done.rejected:
        console.print(f"{done.rejected} rows set aside → {rejects_path(out)}")


@app.command()
def emerging(
    complaints: Annotated[Path, typer.Argument(help="Complaints as `tsur import` writes them, with their dates.")],
    days: Annotated[int | None, typer.Option(help="The last days; default: emerging.days in serving.yaml.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a report.")] = False,
) -> None:
    """Propose new topics: complaints of the last days that fit no topic, look alike and have become more."""
    from contextlib import nullcontext

    from data.importing import read_complaints
    from models.classifier import Classifier
    from serving.config import load_serving_config
    from training.emerging import emerging_in
    from training.tracking import CLASSIFIER, champion_bundle
    from tsur.show import counter, emerging_csv, emerging_report

    config = load_serving_config()
    settled = config.emerging if days is None else _overridden(config.emerging, [f"days={days}"], "--days")
    frame = read_complaints(complaints)
    classifier = Classifier.load(champion_bundle(CLASSIFIER)[0])
    with nullcontext(lambda rows: None) if csv else counter("classifying") as progress:
        found = emerging_in(frame, classifier, settled, config.timezone, progress)
    if csv:
        sys.stdout.write(emerging_csv(found))
    else:
        console.print(emerging_report(found), soft_wrap=True)


@app.command()
def forecast(
    municipality: Annotated[str | None, typer.Option(help="A municipality; absent: the region.")] = None,
    sector: Annotated[str | None, typer.Option(help="A sector; absent: all of them.")] = None,
    horizon: Annotated[int, typer.Option(help="Days ahead.")] = 14,
    out: Annotated[Path | None, typer.Option(help="Write CSV there instead of a table here.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Write a plot there too: PNG, SVG or PDF.")] = None,
) -> None:
    """Look up the champion's forecast: a mean and quantiles for each coming day."""
    from models.forecasting.forecast import Forecasts
    from training.forecast_plots import write_forecast
    from training.tracking import FORECASTER, champion_bundle
    from tsur.show import frame_table

    folder, version = champion_bundle(FORECASTER)
    forecasts = Forecasts.load(folder)
    found = forecasts.forecast(municipality, sector, horizon=horizon)
    if plot is not None:
        write_forecast(forecasts, municipality, sector, horizon, plot)
        console.print(f"plot → {plot}")
    if out is not None:
        found.to_csv(out, index=False)
        console.print(f"{len(found)} days → {out}")
    else:
        console.print(frame_table(found, f"{municipality or 'region'} · {sector or 'all sectors'} (version {version})"))


@app.command()
def surges(
    counts: Annotated[
        Path | None, typer.Argument(help="Daily counts, CSV or Parquet; default: what the champion knows.")
    ] = None,
    municipality: Annotated[str | None, typer.Option(help="Only this municipality.")] = None,
    sector: Annotated[str | None, typer.Option(help="Only this sector.")] = None,
    since: Annotated[
        datetime | None, typer.Option(help="Leave out what was over before that day.", formats=["%Y-%m-%d"])
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the timeline there (PNG, SVG or PDF).")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
    date: DateColumn = "date",
    sector_column: SectorColumn = "sector",
    count: CountColumn = "count",
    municipality_column: PlaceColumn = None,
    config: ConfigPath = None,
    override: Overrides = None,
) -> None:
    """Tell the surges: open, closed and expected, one line an event."""
    from models.forecasting.config import ForecasterConfig
    from models.forecasting.forecast import Forecasts
    from training.surges import only, surge_figure, surge_frame, surges_of_counts, surges_of_forecasts
    from training.tracking import FORECASTER, champion_bundle
    from tsur.show import surge_table

    first = None if since is None else since.date()
    if plot is not None and plot.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise ConfigError(f"--plot {plot}: a picture ends in .png, .svg or .pdf")
    if counts is None:
        forecasts = Forecasts.load(champion_bundle(FORECASTER)[0])
        known, found = forecasts.series, surges_of_forecasts(forecasts, first)
    else:
        settled = _config("forecaster.yaml", ForecasterConfig, config, override)
        known = _counts(counts, date, sector_column, count, municipality_column)
        found = surges_of_counts(known, settled, first)
    found = only(found, municipality, sector, known)
    if plot is not None:
        surge_figure(found).savefig(plot, dpi=120)
    if csv:
        sys.stdout.write(surge_frame(found).to_csv(index=False))
        return
    console.print(surge_table(found, f"Всплески: {len(found)}"))
    if plot is not None:
        console.print(f"timeline → {plot}")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; off loopback, TSUR_API_KEYS is required.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 3000,
) -> None:
    """Start the HTTP service with the registered champions."""
    from serving.run import serve as run

    raise typer.Exit(run(host, port))


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the answers instead of staying up.")] = False,
    port: Annotated[int, typer.Option(help="Port of the service.")] = 3000,
) -> None:
    """Train the sample's champions if there are none, start the service, send it requests, stay up."""
    from tsur.demo import run_demo

    run_demo(once, port, console)


@app.command()
def mlflow(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 5000,
) -> None:
    """Start the MLflow interface on the tracking store."""
    from training.tracking import serve_interface

    raise typer.Exit(serve_interface(host, port))


def _catalogue_path(given: Path | None) -> Path:
    from data.settings import settings

    return given or settings().configs / "catalogue.yaml"


def _catalogue(given: Path | None, absent: bool) -> Any:
    from data.catalogue import load_catalogue

    return None if absent else load_catalogue(_catalogue_path(given))


def _complaints(given: Path | None) -> Any:
    from data.importing import read_complaints
    from tsur.samples import sample_complaints

    return sample_complaints() if given is None else read_complaints(given)


def _counts(given: Path | None, date: str, sector: str, count: str, municipality: str | None) -> Any:
    from data.counts import CountColumns, complete, read_counts
    from tsur.samples import sample_counts

    if given is None:
        return sample_counts()
    columns = CountColumns(date=date, sector=sector, count=count, municipality=municipality)
    return complete(read_counts(given, columns))


def _regressors(given: Path | None) -> Any:
    from models.forecasting.regressors import read_regressors

    return None if given is None else read_regressors(given)


def _config(name: str, kind: Any, given: Path | None, override: list[str] | None) -> Any:
    from data.config import load_config
    from data.settings import settings

    return _overridden(load_config(given or settings().configs / name, kind), override or [], "--set")


def _overridden(config: Any, override: list[str], option: str) -> Any:
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
