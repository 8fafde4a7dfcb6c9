"""The timeline of surges: a bar an event, what it was, and the counts around it.

In: surges, and the daily counts that they are of. Out: a matplotlib figure of two columns: when the events were, and
beside each the counts of its days with those before and after. The decision worth knowing: every row of counts has its
own scale, as a place has a hundredth of its region's.
"""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from models.forecasting.series import with_sums
from models.surges.types import Surge

MOST_SHOWN = 40
"""More bars than a page can hold are no timeline."""
COLOURS = {
    "pending": "tab:orange",
    "open": "tab:red",
    "recovering": "tab:olive",
    "closed": "tab:grey",
    "expected": "tab:blue",
}
IN_RUSSIAN = {
    "pending": "под вопросом",
    "open": "идёт",
    "recovering": "спадает",
    "closed": "завершён",
    "expected": "ожидается",
}
MOST_TIMES = 20.0
"""Beyond, a ratio says only that next to nothing is usual."""
BEFORE_DAYS, AFTER_DAYS = 28, 14
"""Counts drawn beside an event: so many days before its first and after its last."""


def ratio_text(surge: Surge) -> str:
    """How many times the usual, as an official reads it: ×1,7, or «более ×20»."""
    if surge.ratio > MOST_TIMES:
        return f"более ×{MOST_TIMES:.0f}"
    return f"×{surge.ratio:.1f}".replace(".", ",")


def surge_figure(surges: list[Surge], counts: pd.DataFrame | None = None) -> Any:
    """A bar a surge from its first to its last day, a dot where it was noticed; the newest on top.

    Args:
        surges: the most important ones first; of more than `MOST_SHOWN`, only these are shown.
        counts: dates × base series; with them the counts of each event are drawn beside it.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    shown = sorted(surges[:MOST_SHOWN], key=lambda surge: (surge.start, surge.end))
    figure = Figure(figsize=(13 if counts is not None else 10, 1.8 + 0.3 * len(shown)), layout="constrained")
    columns = 1 if counts is None else 2
    panels = figure.subplots(1, columns, squeeze=False, sharey=True, width_ratios=[3, 1][:columns])[0]
    _draw_timeline(panels[0], shown)
    if counts is not None:
        _draw_counts(panels[1], shown, with_sums(counts))
    more = f": {len(shown)} самых важных из {len(surges)}" if len(surges) > len(shown) else ""
    panels[0].set(title=f"Всплески обращений{more}", ylim=(-0.8, max(len(shown), 1) - 0.2))
    used = [state for state in COLOURS if any(surge.state == state for surge in shown)]
    if used:
        handles = [Patch(color=COLOURS[state], label=IN_RUSSIAN[state]) for state in used]
        figure.legend(handles=handles, loc="outside lower center", ncols=len(used), fontsize=7)
    return figure


def _draw_timeline(axes: Any, shown: list[Surge]) -> None:
    """The bars and their labels, each on the side of its bar that has more room."""
    from matplotlib.dates import AutoDateLocator, DateFormatter

    axes.set_yticks(range(len(shown)), [f"{surge.municipality} · {surge.sector}" for surge in shown], fontsize=7)
    if not shown:
        return
    first, last = min(surge.start for surge in shown), max(surge.end for surge in shown)
    span = max(last - first, timedelta(days=BEFORE_DAYS))
    for row, surge in enumerate(shown):
        days = (surge.end - surge.start).days + 1
        axes.barh(row, timedelta(days=days), left=surge.start, color=COLOURS[surge.state], height=0.6)
        if surge.noticed is not None:
            axes.plot([surge.noticed], [row], "o", color="black", markersize=3)
        level = ", новый уровень" if surge.new_level else ""
        text = f"{surge.count:.0f} вместо {surge.expected:.0f} ({ratio_text(surge)}){level}"
        before, after = surge.start - first, first + span - surge.end
        place, side = (surge.end + timedelta(days=1), "left") if after >= before else (surge.start, "right")
        axes.text(place, row, f" {text} ", va="center", ha=side, fontsize=7)
    axes.set_xlim(first - 0.03 * span, first + 1.03 * span)
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=8))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(DateFormatter("%d.%m.%y"))  # type: ignore[no-untyped-call]


def _draw_counts(axes: Any, shown: list[Surge], counts: pd.DataFrame) -> None:
    """The daily counts around each event, its own days in its colour; a row is as high as its largest count."""
    for row, surge in enumerate(shown):
        key = (surge.municipality, surge.sector)
        if key not in counts:
            continue
        first, last = surge.start - timedelta(days=BEFORE_DAYS), surge.end + timedelta(days=AFTER_DAYS)
        days = counts.loc[pd.Timestamp(first) : pd.Timestamp(last), key]
        values = days.to_numpy(dtype=np.float64)
        if not np.isfinite(values).any():
            continue
        place = np.arange(len(values)) / max(len(values) - 1, 1)
        height = row - 0.4 + 0.8 * values / max(float(np.nanmax(values)), 1.0)
        inside = (days.index >= pd.Timestamp(surge.start)) & (days.index <= pd.Timestamp(surge.end))
        axes.plot(place, height, color="tab:grey", linewidth=0.8)
        own = np.where(inside, height, np.nan)
        axes.plot(place, own, color=COLOURS[surge.state], linewidth=1.6, marker=".", markersize=2)
        axes.text(1.02, row, f"до {np.nanmax(values):.0f}", va="center", fontsize=6)
    axes.set(title="обращений в день, от четырёх недель до", xticks=[], xlim=(-0.02, 1.18))
    axes.title.set_fontsize(8)
