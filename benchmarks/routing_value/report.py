"""The table of a run, in Markdown, and what should have been reached."""

from typing import Any

from benchmarks.classifier_quality.tables import percent, points
from benchmarks.results import Target, markdown_table

MAIN, COVERAGE, SLACK = "0.95", 0.35, 0.02
"""The promise that the targets are for, the least share of all complaints, and within how much a promise is kept."""


def markdown(measured: dict[str, Any]) -> str:
    """One row a promise, and a sentence on what it rests on."""
    header = [
        "promised", "routed of all", "agency right: TSUR", "the portal's first", "gain", "topic right: TSUR",
        "the portal's first", "re-routings avoided − caused, of 1,000", "days of waiting saved, of 1,000",
        "the same inside topics",
    ]  # fmt: skip
    rows = []
    for promise, figures in measured["promises"].items():
        agency, topic, reroutings = figures["agency"], figures["topic"], figures["reroutings_per_1000"]
        rows.append(
            [
                f"{float(promise):.0%}", percent(figures["coverage"]), percent(agency["tsur"]),
                percent(agency["portal"]), points(agency["gain"]), percent(topic["tsur"]), percent(topic["portal"]),
                f"{reroutings['avoided']['value']:.1f} − {reroutings['caused']['value']:.1f} = "
                f"{_number(reroutings['net'])}",
                _number(figures["days_saved_per_1000"]), _number(figures["days_saved_per_1000_same_topic"]),
            ]
        )  # fmt: skip
    waits, portal = measured["waiting_days"], measured["portal"]
    return (
        f"{measured['judged']} complaints, {measured['judged_with_agency']} of them with a final agency. "
        f"The portal's first agency was right in {percent(portal['agency'])}, the citizen's topic in "
        f"{percent(portal['topic'])}. First answer, median: {_number(waits['never'])} days never re-routed, "
        f"{_number(waits['once'])} re-routed once; inside topics a re-routing costs {_number(waits['same topic'])}.\n\n"
        + markdown_table(header, rows)
        + "\nBoth are measured on the same complaints, those that TSUR routes; in brackets 95 % bootstrap intervals.\n"
    )


def targets(measured: dict[str, Any]) -> list[Target]:
    """Promises kept, enough routed, and more of it rightly than the portal did."""
    goals = []
    for promise, figures in measured["promises"].items():
        precision = figures["agency"]["tsur"]
        name, least = f"precision at {promise} promised", round(float(promise) - SLACK, 4)
        goals.append(Target.at_least(name, precision and precision["value"], least))
    main = measured["promises"].get(MAIN)
    coverage = main["coverage"]["value"] if main else None
    gain = main["agency"]["gain"] if main else None
    goals.append(Target.at_least(f"share of all routed at {MAIN} promised", coverage, COVERAGE))
    title = f"agency right where TSUR routes at {MAIN}: gain on the portal's first routing"
    goals.append(Target.above(title, gain and gain["value"], 0.0))
    goals.append(Target.above(f"{title}, lower end", gain and gain["low"], 0.0))
    return goals


def _number(figure: dict[str, float]) -> str:
    return f"{figure['value']:.1f} ({figure['low']:.1f} … {figure['high']:.1f})"
