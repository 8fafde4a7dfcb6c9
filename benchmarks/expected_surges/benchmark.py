"""Are expected surges probabilities? Skill, reliability and lead time, rolling origin, beside base rates and Prophet.

In: `series/` in the folder of real data. Out: tables, and `results/expected_surges.json`. Every week of the judged
days, of every series whose level is at least 7 a week, is judged by what was known on the day before. What of the
regression goes into the probability was chosen on these same weeks, among a dozen sets of features that lay within 0.02
of each other; its weights never saw them.
"""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from benchmarks.expected_surges.figures import CONTENDERS, figures_of, warnings_of
from benchmarks.expected_surges.rivals import prophet_weeks
from benchmarks.expected_surges.weeks import SETS, judged_weeks, load
from benchmarks.results import RESULTS, Target, console, markdown_table, targets_line, write_results
from benchmarks.surge_quality.sets import fingerprint
from data.settings import settings
from models.forecasting.config import SurgeConfig

NAME = "expected_surges"
LIBRARIES = ("numpy", "pandas", "prophet", "scikit-learn", "scipy")
SKILL, RELIABILITY, ROC = 0.10, 0.02, 0.75
SETS_TO_MEET = 3
PROPHET_SERIES, PROPHET_EVERY = 10, 4
"""Prophet judges the largest series, every so many weeks."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    sets: Annotated[str, typer.Option(help="Sets of counts, comma-separated.")] = ",".join(SETS),
    out: Annotated[Path, typer.Option(help="The JSON of results.")] = RESULTS / f"{NAME}.json",
) -> None:
    """Judge the probabilities of expected surges; Prophet's are kept in TSUR_HOME."""
    names = [name.strip() for name in sets.split(",")]
    if unknown := [name for name in names if name not in SETS]:
        raise typer.BadParameter(f"{unknown[0]!r} is not one of {', '.join(SETS)}")
    measured, data = {}, {}
    for name in names:
        counts = load(name)
        data[name] = fingerprint(counts)
        rows = judged_weeks(counts, SETS[name])
        path = settings().home / "benchmarks" / NAME / f"{name}-{data[name]}.parquet"
        few = rows.merge(prophet_weeks(counts, rows, path, PROPHET_SERIES, PROPHET_EVERY), on=["series", "start"])
        measured[name] = set_figures(rows, few)
        console.print(markdown(name, measured[name]))
    goals = targets(measured)
    if set(names) != set(SETS):
        console.print(f"only {', '.join(names)}: no JSON written")
        return
    protocol = {"prophet_series": PROPHET_SERIES, "prophet_every_weeks": PROPHET_EVERY}
    write_results(out, data, LIBRARIES, {"protocol": protocol, "sets": measured}, goals)
    console.print(f"results → {out}\n{targets_line(goals)}")


def set_figures(rows: pd.DataFrame, few: pd.DataFrame) -> dict[str, Any]:
    """All figures of a set: of all its weeks, and of those that Prophet judged too."""
    return {
        "weeks": len(rows),
        "passed": int(rows["passed"].sum()),
        "figures": figures_of(rows, list(CONTENDERS)),
        "warnings": warnings_of(rows, SurgeConfig().min_probability),
        "beside_prophet": {
            "weeks": len(few),
            "passed": int(few["passed"].sum()),
            "figures": figures_of(few, ["tsur", "prophet"]),
        },
    }


def markdown(name: str, of_set: dict[str, Any]) -> str:
    """The tables of a set."""
    header = [name, "Brier skill", "95 %", "reliability error", "ROC"]
    rows = [_row(title, of_set["figures"][key]) for key, title in CONTENDERS.items()]
    beside = of_set["beside_prophet"]
    rows += [
        _row(f"{title}, {beside['weeks']} weeks", beside["figures"][key])
        for key, title in (("tsur", "TSUR"), ("prophet", "Prophet"))
    ]
    told = of_set["warnings"]
    came, ahead = (told[key] for key in ("came_true", "median_days_ahead"))
    return (
        f"{of_set['weeks']} weeks, {of_set['passed']} passed their level\n\n{markdown_table(header, rows)}\n"
        f"warned of {told['warned']}: came true {'–' if came is None else f'{came:.2f}'}, found {told['found']:.2f}, "
        f"days until the level was passed {'–' if ahead is None else f'{ahead:g}'}\n"
    )


def _row(title: str, figures: dict[str, Any]) -> list[str]:
    low, high = figures["skill_interval"]
    return [
        title,
        f"{figures['skill']:+.3f}",
        f"{low:+.3f} … {high:+.3f}",
        f"{figures['reliability_error']:.3f}",
        f"{figures['roc_auc']:.3f}",
    ]


def targets(measured: dict[str, Any]) -> list[Target]:
    """Each set's figures against the targets, and in how many sets all are met."""
    goals = []
    met = 0
    for name, of_set in measured.items():
        own = of_set["figures"]["tsur"]
        of_this = [
            Target.at_least(f"{name}: Brier skill over the base rate", own["skill"], SKILL),
            Target.at_most(f"{name}: reliability error", own["reliability_error"], RELIABILITY),
            Target.at_least(f"{name}: ROC", own["roc_auc"], ROC),
        ]
        met += all(target.met for target in of_this)
        goals += of_this
    return [*goals, Target.at_least("sets with all three", met, SETS_TO_MEET)]
