"""The report's figures as PNG files: confusions, risk–coverage, reliability. Frames in, one file out."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from training.retrain.paired_bootstrap import Compared

LARGEST_MATRIX = 30
LONGEST_NAME = 40
DPI = 110
"""Labels and characters of their names that a picture as wide as a page leaves legible."""


def plot_confusions(matrix: pd.DataFrame, head: str, path: Path) -> None:
    """Row-normalised confusion matrix of the most frequent labels (at most 30)."""
    from matplotlib.figure import Figure

    largest = matrix.sum(axis=1).sort_values(ascending=False).index[:LARGEST_MATRIX]
    shown = matrix.reindex(index=largest, columns=largest, fill_value=0)
    shares = shown.div(matrix.loc[largest].sum(axis=1).clip(lower=1), axis=0)
    size = 3 + 0.32 * len(largest)
    figure = Figure(figsize=(size + 2, size), layout="constrained")
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    short = [_shortened(label) for label in largest]
    axes.set_xticks(range(len(largest)), short, rotation=90, fontsize=7)
    axes.set_yticks(range(len(largest)), short, fontsize=7)
    counts, tints = shown.to_numpy(), shares.to_numpy()
    for row, column in np.argwhere(counts):
        ink = "white" if tints[row, column] > 0.5 else "black"
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=6, color=ink)
    axes.set(xlabel="predicted", ylabel="true", title=f"{head}: rows, coloured by share of each true label")
    figure.colorbar(image, ax=axes, shrink=0.6)
    figure.savefig(path, dpi=DPI)


def _shortened(label: str) -> str:
    """Cut in the middle: long names of bodies begin alike and end with their place."""
    return label if len(label) <= LONGEST_NAME else f"{label[:23].rstrip()}…{label[-16:].lstrip()}"


def plot_risk_coverage(
    curves: Mapping[str, Mapping[str, pd.DataFrame]],
    promised: float,
    operating: tuple[float, float] | None,
    path: Path,
) -> None:
    """Precision against coverage: a panel a head, a line a model (`curves[head][model]`).

    `operating` is coverage and precision of what the agency's panel really routes.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * len(curves), 3.8), layout="constrained")
    panels: list[Axes] = list(figure.subplots(1, len(curves), sharey=True, squeeze=False)[0])
    for axes, (head, models) in zip(panels, curves.items(), strict=True):
        for (name, curve), style in zip(models.items(), ("-", "--", ":"), strict=False):
            axes.plot(curve["coverage"], curve["precision"], style, label=name)
        axes.axhline(promised, color="grey", linewidth=0.8, label=f"promised {promised:.0%}")
        if head == "agency" and operating is not None:
            axes.plot(*operating, "o", color="k", label="routed")
        axes.set(title=head, xlabel="coverage", xlim=(0, 1), ylim=(0, 1.02))
        axes.grid(alpha=0.3)
        axes.legend(loc="lower left", fontsize=8)
    panels[0].set_ylabel("precision of the answered rows")
    figure.savefig(path, dpi=DPI)


def plot_reliability(bins: pd.DataFrame, head: str, error: float, path: Path) -> None:
    """Accuracy against confidence of equal-mass bins, each with its 95 % interval (Wilson), and the diagonal."""
    from matplotlib.figure import Figure

    low, high = wilson(bins["accuracy"], bins["rows"])
    figure = Figure(figsize=(4.2, 4.2), layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8)
    spread = np.clip([bins["accuracy"] - low, high - bins["accuracy"]], 0, None)
    axes.errorbar(
        bins["confidence"], bins["accuracy"], yerr=spread, fmt="o-", markersize=4, linewidth=1, elinewidth=0.8
    )
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1.02), aspect="equal")
    axes.set_title(f"{head}: ECE {error:.3f}, {len(bins)} bins of {bins['rows'].median():.0f} rows", fontsize=10)
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=DPI)


def wilson(share: pd.Series, rows: pd.Series, z: float = 1.96) -> tuple[pd.Series, pd.Series]:
    """Wilson's interval of a share of `rows`."""
    middle = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z * np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2)) / (1 + z**2 / rows)
    return middle - half, middle + half


def plot_differences(compared: "Mapping[str, Compared]", path: Path, what: str = "points of accuracy") -> None:
    """Challenger less champion, in points with 95 % intervals: a line a comparison, red where it lies below zero."""
    from matplotlib.figure import Figure

    names = list(compared)[::-1]
    figure = Figure(figsize=(8, 1.2 + 0.26 * len(names)), layout="constrained")
    axes = figure.add_subplot()
    for place, name in enumerate(names):
        each = compared[name]
        tint = "tab:red" if each.is_worse else "tab:green" if each.low > 0 else "tab:gray"
        axes.plot([100 * each.low, 100 * each.high], [place, place], color=tint)
        axes.plot(100 * each.difference, place, "o", color=tint, markersize=4)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(names)), [_shortened(name) for name in names], fontsize=7)
    axes.set(xlabel=f"{what}, challenger less champion, 95 % intervals")
    figure.savefig(path, dpi=DPI)
