"""The tables of a run, in Markdown: figures of each head, and what is routed."""

from typing import Any

from benchmarks.results import markdown_table

FIGURES = ("accuracy", "macro_f1", "top3")
SHARES = {
    "coverage": "share of all",
    "agency": "agency right",
    "topic": "topic right",
    "both": "both right",
    "sure": "topic told as sure",
    "sure_topic": "right of these",
}


def markdown(measured: dict[str, Any]) -> str:
    """Two tables a corpus: the figures with their 95 % intervals, and what each promise routes."""
    sections = []
    for corpus, figures in measured.items():
        judged = f"{corpus.capitalize()}, {figures['judged']} of {figures['rows']} complaints judged"
        sections += [f"{judged}:\n", _heads(figures)]
        if any(block["routing"] for block in figures["contenders"].values()):
            sections += ["Routed without an operator:\n", _routing(figures)]
    note = (
        "All rows and labels count; < 5 rows: accuracy on the rows whose label had fewer than five training rows. "
        "Δ: gain on the head's rival, in points, paired by row. In brackets 95 % bootstrap intervals.\n"
    )
    return "\n".join([*sections, note])


def _heads(figures: dict[str, Any]) -> str:
    header = ["", "contender", "accuracy", "macro-F1", "top-3", "< 5 rows", "ECE", "Δ accuracy", "Δ macro-F1"]
    rows = []
    for head, of_head in figures["heads"].items():
        place = f"{head} ({of_head['labels']} labels, {of_head['rows']} rows, {of_head['rare_rows']} of rare labels)"
        for block in figures["contenders"].values():
            ours = block["heads"][head]
            difference = ours.get("difference", {})
            cells = [between(ours[key]) for key in FIGURES[:2]]
            cells += [f"{ours['top3']['value']:.3f}", "" if ours["rare"] is None else f"{ours['rare']['value']:.3f}"]
            cells += [f"{ours['ece']:.3f}" if "ece" in ours else ""]
            cells += [points(difference.get(key)) for key in FIGURES[:2]]
            rows.append([place, block["title"], *cells])
    return markdown_table(header, rows)


def _routing(figures: dict[str, Any]) -> str:
    header = ["contender", "promised", *SHARES.values()]
    rows = [
        [block["title"], f"{float(promise):.0%}", *[percent(routed[share]) for share in SHARES]]
        for block in figures["contenders"].values()
        for promise, routed in block["routing"].items()
    ]
    return markdown_table(header, rows)


def between(figure: dict[str, float]) -> str:
    """0.812 (0.801 … 0.823)."""
    return f"{figure['value']:.3f} ({figure['low']:.3f} … {figure['high']:.3f})"


def points(figure: dict[str, float] | None) -> str:
    """+1.5 (+0.3 … +2.6); nothing where there is none."""
    if figure is None:
        return ""
    value, low, high = (100 * figure[key] for key in ("value", "low", "high"))
    return f"{value:+.1f} ({low:+.1f} … {high:+.1f})"


def percent(figure: dict[str, float] | None) -> str:
    """81.2 % (80.1 … 82.3); a dash where there is none."""
    if figure is None:
        return "—"
    value, low, high = (100 * figure[key] for key in ("value", "low", "high"))
    return f"{value:.1f} % ({low:.1f} … {high:.1f})"
