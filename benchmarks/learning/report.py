"""Tables and targets of what `benchmark.py` measured; in: its JSON."""

from typing import Any

from benchmarks.adaptation.few_shot import MOST_ROWS, ROWS_A_TOPIC
from benchmarks.learning.cold_start import PRODUCT, RIVALS
from benchmarks.learning.label_efficiency import ENOUGH
from benchmarks.results import Target, markdown_table

LEAST_RETRAINS = 5
FEWER_ROWS = 0.6
"""Of the rows that random choice needs, chosen ones should be enough."""
LEAST_GAIN, GAIN_AT_MOST_ROWS = 0.0, 0.05
"""Above the best rival: at any number of rows, and at the largest."""
SHOWN = 3
"""Every so-many-th round of a curve stands in the table."""


def targets(measured: dict[str, dict[str, Any]]) -> list[Target]:
    """Never worse and better in the end; fewer labels by margin; above TF-IDF from the first row on."""
    goals = []
    for figures in measured.get("replay", {}).values():
        goals += _replay_targets(figures)
    for name, figures in measured.get("labels", {}).items():
        title = f"{name}: rows chosen by margin, of those that random choice needs"
        goals.append(Target.at_most(title, figures["share"], FEWER_ROWS))
    for name, figures in measured.get("cold", {}).items():
        for rows in ROWS_A_TOPIC:
            gain = min(of_rival[str(rows)]["difference"] for of_rival in figures["gain"].values())
            least = GAIN_AT_MOST_ROWS if rows == MOST_ROWS else LEAST_GAIN
            goals.append(Target.at_least(f"{name}: above the best rival at {rows} rows a topic", gain, least))
    return goals


def _replay_targets(figures: dict[str, Any]) -> list[Target]:
    promoted = [each for each in figures["retrains"] if each["passed"]]
    worse = sum(each["difference"]["high"] < 0 for each in promoted)
    return [
        Target.at_least("Petersburg: retrains", len(figures["retrains"]), LEAST_RETRAINS),
        Target.at_most("Petersburg: champions significantly worse than those that they replaced", worse, 0),
        Target.above("Petersburg: the last champion above the first, lower end", figures["last"]["low"], 0.0),
    ]


def replay_table(figures: dict[str, Any]) -> str:
    """A line a retrain, and the last champion against the first."""
    header = ["retrained on", "rows", "relabelled", "the gate", "champion, next two weeks", "challenger", "difference"]
    lines = [
        [
            each["day"],
            str(each["rows"]),
            str(each["corrected"]),
            "passes" if each["passed"] else "refuses",
            f"{each['champion']:.3f}",
            f"{each['challenger']:.3f}",
            _points(each["difference"]),
        ]
        for each in figures["retrains"]
    ]
    last = [["the last champion against the first, last two weeks", *[""] * 5, _points(figures["last"])]]
    served = [["whoever was champion against the first, all weeks", *[""] * 5, _points(figures["served"])]]
    return markdown_table(header, lines + last + served)


def efficiency_table(figures: dict[str, Any]) -> str:
    """Macro-F1 by labelled rows, and rows that are needed."""
    rounds = range(0, len(figures["labelled"]), SHOWN)
    header = [
        "macro-F1 of topics",
        *(str(figures["labelled"][n]) for n in rounds),
        f"rows for {ENOUGH:.0%}",
        "of random's",
    ]
    low, high = figures["interval"]
    lines = [
        [way, *(f"{curve[n]:.3f}" for n in rounds), f"{figures['rows_needed'][way]:.0f}", share]
        for (way, curve), share in zip(
            figures["macro_f1"].items(), ("", f"{figures['share']:.0%} ({low:.0%} … {high:.0%})"), strict=True
        )
    ]
    return markdown_table(header, lines)


def cold_table(figures: dict[str, Any]) -> str:
    """Topic accuracy by rows a topic; under the product's what it is above each rival, at the most rows."""
    header = ["topic accuracy", *(f"{rows} rows a topic" for rows in ROWS_A_TOPIC), f"TSUR above it at {MOST_ROWS}"]
    lines = []
    for way in (PRODUCT, *RIVALS):
        shares = [figures["accuracy"][way][str(rows)] for rows in ROWS_A_TOPIC]
        gain = "" if way == PRODUCT else _points(figures["gain"][way][str(MOST_ROWS)])
        lines.append([way, *(f"{share:.3f}" for share in shares), gain])
    lines.insert(
        1, [f"{PRODUCT}, among the first five", *(f"{each:.3f}" for each in figures["among_five"].values()), ""]
    )
    return markdown_table(header, lines)


def _points(compared: dict[str, float]) -> str:
    return f"{100 * compared['difference']:+.1f} ({100 * compared['low']:+.1f} … {100 * compared['high']:+.1f})"
