"""`python -m benchmarks.surge_quality.pictures`: the pictures of docs/surges.md, drawn from real counts.

In: `series/` in the folder of real data. Out: `docs/surges/told.png`, three surges that are known to be some, and
`docs/surges/left-alone.png`, three rises that are none; counts alone, without a word of the data. Each panel has the
counts of a day (grey), what was to be expected (blue), the event's days (red) and the evening on which it was noticed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from benchmarks.results import console, real_data, run
from benchmarks.surge_quality.sets import SETS
from data.counts.daily import complete
from data.counts.reading import CountColumns, read_counts
from data.settings import CHECKOUT
from models.forecasting.config import ForecasterConfig
from models.forecasting.series import SeriesKey, keys_of, panel
from models.surges.baseline import rolling_baseline
from models.surges.detection import past_surges
from models.surges.types import Surge

BEFORE, AFTER = 42, 28
LARGE = 5.0
"""A day, of series in which a rise can be seen."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Watched:
    """Counts, what was expected of them, and what was told."""

    counts: pd.DataFrame
    means: pd.DataFrame
    surges: list[Surge]

    @classmethod
    def of(cls, name: str) -> "Watched":
        """A set of the benchmark, watched as the product does by default."""
        counts = panel(complete(read_counts(real_data() / "series" / SETS[name][0], CountColumns(sector="category"))))
        return cls(
            counts, rolling_baseline(counts, "none").means, past_surges(counts, ForecasterConfig().surges, "none")
        )

    def most_important(self, first: str, last: str) -> Surge:
        """Of the events of single series that began in those days."""
        inside = [s for s in self.surges if pd.Timestamp(first) <= pd.Timestamp(s.start) <= pd.Timestamp(last)]
        return max((s for s in inside if (s.municipality, s.sector) in self.counts), key=lambda surge: surge.importance)

    def quiet(self) -> pd.DataFrame:
        """Which days × series no event covers."""
        free = pd.DataFrame(True, index=self.counts.index, columns=self.counts.columns)
        for surge in self.surges:
            for key in free.columns:
                if key[1] in (surge.sector, *surge.sectors):
                    free.loc[pd.Timestamp(surge.start) : pd.Timestamp(surge.end), key] = False
        return free


Panel = tuple[Watched, SeriesKey, pd.Timestamp, Surge | None]
"""Counts, the series, the day in the middle, and the event if one was told."""


@app.command()
def main(out: Annotated[Path, typer.Argument(help="Folder of the pictures.")] = CHECKOUT / "docs" / "surges") -> None:
    """Draw what was told and what was left alone."""
    sets = {name: Watched.of(name) for name in SETS}
    out.mkdir(parents=True, exist_ok=True)
    for name, panels in (("told", told(sets)), ("left-alone", left_alone(sets))):
        draw(panels, out / f"{name}.png")
        console.print(f"{name}: {', '.join(f'{day:%Y-%m-%d}' for _, _, day, _ in panels)}")


def told(sets: dict[str, Watched]) -> list[Panel]:
    """The record winter of Boston, the pandemic in New York, the largest event of Chicago's judged years."""
    nyc = sets["nyc"]
    pandemic = [s for s in nyc.surges if s.sector == "COVID-19" and s.noticed and s.noticed.year == 2020]
    events = [
        (sets["boston"], sets["boston"].most_important("2015-01-20", "2015-03-15")),
        (nyc, min(pandemic, key=lambda surge: surge.start)),
        (sets["chicago"], sets["chicago"].most_important(*SETS["chicago"][1:])),
    ]
    return [(of, SeriesKey(s.municipality, s.sector), pd.Timestamp(s.start), s) for of, s in events]


def left_alone(sets: dict[str, Watched]) -> list[Panel]:
    """Bulk entry at a year's end, a day on which all rise together, a day of a wild series that the next took back."""
    nyc, chicago, boston = sets["nyc"], sets["chicago"], sets["boston"]
    year_end = pd.Timestamp("2019-12-23")
    typed = keys_of(nyc.counts)[int(np.nanargmax(nyc.counts.loc[year_end].to_numpy()))]
    together, most = _all_together(chicago)
    alone, wild = _one_day(boston)
    return [(nyc, typed, year_end, None), (chicago, most, together, None), (boston, wild, alone, None)]


def _ratios(of: Watched, first: str, last: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts over what was expected of the large series on some days, and which of these no event covers."""
    counts, means, quiet = (frame.loc[first:last] for frame in (of.counts, of.means, of.quiet()))
    large = of.counts.mean().to_numpy() >= LARGE
    return (counts / means.clip(lower=LARGE)).loc[:, large], quiet.loc[:, large]


def _all_together(of: Watched) -> tuple[pd.Timestamp, SeriesKey]:
    """The day on which most of the large series rise, with nothing told; and the one that rose most."""
    ratios, quiet = _ratios(of, "2013-01-15", "2014-11-15")
    ratios = ratios[quiet.all(axis=1)]
    day = int(np.nanargmax(ratios.median(axis=1).to_numpy()))
    return pd.Timestamp(ratios.index[day]), keys_of(ratios)[int(np.nanargmax(ratios.iloc[day].to_numpy()))]


def _one_day(of: Watched) -> tuple[pd.Timestamp, SeriesKey]:
    """The highest day of a large series, with nothing told, whose neighbours were as usual."""
    ratios, quiet = _ratios(of, "2015-04-01", "2015-12-15")
    lone = ratios.where(quiet & (ratios.shift(-1) < 1.2) & (ratios.shift(1) < 1.5)).fillna(0.0).to_numpy()
    day, series = np.unravel_index(int(lone.argmax()), lone.shape)
    return pd.Timestamp(ratios.index[int(day)]), keys_of(ratios)[int(series)]


def draw(panels: list[Panel], path: Path) -> None:
    """A panel below the other: counts, expectation, event."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 2.1 * len(panels)), layout="constrained")
    for axes, (of, key, day, surge) in zip(figure.subplots(len(panels), 1), panels, strict=True):
        last = day if surge is None else min(pd.Timestamp(surge.end), day + pd.Timedelta(days=BEFORE))
        days = slice(day - pd.Timedelta(days=BEFORE), last + pd.Timedelta(days=AFTER))
        counts, means = of.counts.loc[days, tuple(key)], of.means.loc[days, tuple(key)]
        axes.bar(counts.index, counts, color="tab:grey", width=0.9)
        axes.plot(means.index, means, color="tab:blue", linewidth=1.4)
        if surge is not None:
            inside = counts.loc[pd.Timestamp(surge.start) : pd.Timestamp(surge.end)]
            axes.bar(inside.index, inside, color="tab:red", width=0.9)
            axes.plot(
                [pd.Timestamp(surge.noticed or surge.start)],
                [np.nanmax(counts) * 1.06],
                "v",
                color="black",
                markersize=6,
            )
        axes.set_xlim(counts.index[0] - pd.Timedelta(days=1), counts.index[-1] + pd.Timedelta(days=1))
        axes.set_xticks([])
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    run(app)
