"""Tables and targets of the speed benchmark.

In: the figures that `classifier_speed` has measured. Out: Markdown, and the list of targets.
"""

from typing import Any

from benchmarks.results import Target, markdown_table
from models.classifier.labels import HEADS

LENGTHS = (50, 100, 200, 400, 800, 1600)
"""Characters of the texts that show how cost grows."""
BY_LENGTH = "milliseconds_by_characters"
MILLION = 1_000_000
FLAT_MIB = 64.0
"""Growth behind the first tenth that still counts as flat: the words of the n-grams fill their memory up."""


def targets(figures: dict[str, Any], is_student: bool) -> list[Target]:
    """What should be reached; what was not measured is not met."""
    contenders = figures["contenders"]
    rival = max(of["texts_per_second"] for name, of in contenders.items() if name.startswith("pipeline"))
    student = contenders.get("student int8", {}) if is_student else {}

    def by_rival(of: dict[str, Any]) -> float | None:
        return of["texts_per_second"] / rival if "texts_per_second" in of else None

    goals = [Target.at_least("teacher int8 by pipeline's best", by_rival(contenders["teacher int8"]), 4.0)]
    goals += [Target.at_least(f"{head}: int8 decides as fp32", figures["agreement"][head], 0.99) for head in HEADS]
    goals.append(Target.at_least("student int8 by pipeline's best", by_rival(student), 20.0))
    goals.append(Target.at_least("student's share of the ceiling", student.get("share_of_ceiling"), 0.5))
    http = figures.get("http", {})
    goals.append(Target.at_most("one complaint over HTTP by the engine alone, p50", http.get("by_engine"), 1.5))
    goals.append(Target.at_most("twice the knee: accepted but not stored", http.get("lost"), 0.0))
    goals.append(Target.at_most("twice the knee: crashes and other statuses", http.get("failures"), 0.0))
    goals.append(Target.at_most("p99 at twice the knee by p99 at the knee", http.get("p99_ratio"), 3.0))
    million: dict[str, Any] = next((of for of in figures["rows"] if of["rows"] == MILLION), {})
    unique = million.get("no text twice", {})
    goals.append(Target.at_least("a million rows: last tenth by first", unique.get("last_tenth_by_first"), 0.9))
    goals.append(Target.at_most("a million rows: growth of memory, MiB", unique.get("growth_mib"), FLAT_MIB))
    return goals


def markdown(figures: dict[str, Any]) -> str:
    """The tables."""
    contenders = figures["contenders"]
    rival = max(of["texts_per_second"] for name, of in contenders.items() if name.startswith("pipeline"))
    rows: list[list[str]] = []
    for name, of in contenders.items():
        if name != "ceilings":
            title = f"{name} ({figures['student']})" if name == "student int8" else name
            cells = [f"{of['texts_per_second']:.1f}", f"{of['texts_per_second'] / rival:.1f}"]
            cells += [f"{of['texts_per_core_second']:.1f}"]
            cells += [_shown(of.get(key), "{:.1f}") for key in ("p50_ms", "p99_ms")]
            rows.append([title, *cells, f"{of['peak_mib']:.0f}", _shown(of.get("share_of_ceiling"), "{:.0%}")])
    header = [
        "contender",
        "texts/s",
        "× pipeline's best",
        "texts/core-s",
        "p50, ms",
        "p99, ms",
        "peak MiB",
        "of the ceiling",
    ]
    parts = [f"{figures['texts']['count']} texts of {figures['texts']['corpus']}:\n\n{markdown_table(header, rows)}"]
    lengths = {
        name: of["milliseconds_by_characters"] for name, of in contenders.items() if "milliseconds_by_characters" in of
    }
    growth = [[name, *(f"{of[str(length)]:.2f}" for length in LENGTHS)] for name, of in lengths.items()]
    parts.append("Milliseconds by characters:\n\n" + markdown_table(["", *map(str, LENGTHS)], growth))
    header = ["rows", "", "rows/s", "last tenth by first", "peak MiB", "growth MiB"]
    keys = {"rows_per_second": "{:.0f}", "last_tenth_by_first": "{:.2f}", "peak_mib": "{:.0f}", "growth_mib": "{:.0f}"}
    lines = [
        [str(of["rows"]), name, *(form.format(values[key]) for key, form in keys.items())]
        for of in figures["rows"]
        for name, values in of.items()
        if name != "rows"
    ]
    parts.append("`tsur classify`:\n\n" + markdown_table(header, lines))
    if "http" in figures:
        parts.append(_http_table(figures["http"]))
    return "\n".join(parts)


def _http_table(http: dict[str, Any]) -> str:
    keys = ("rate", "throughput", "p50_ms", "p99_ms")
    cells = [
        [*(f"{of[key]:.1f}" for key in keys), f"{of['refused']:.0%}"]
        for of in [*http["rising"], http["knee"], http["twice"]]
    ]
    header = ["offered a second", "accepted a second", "p50, ms", "p99, ms", "refused"]
    alone = f"One complaint over HTTP: {http['single_ms']:.1f} ms, the engine alone {http['engine_ms']:.1f} ms.\n\n"
    return f"{alone}Open loop; the last two are the knee and twice the knee:\n\n{markdown_table(header, cells)}"


def _shown(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
