"""The weeks that are judged: what the product and its rivals say of each on the day before it, and what came.

In: a panel of daily counts of whole sets. Out: one row a series and week. Everything is known on the day before the
week: levels, forecasts (by the harmonic regression, which most champions are or contain), and the weights of the
probability, learned anew every `RELEARNED` weeks from the weeks before, as training does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.results import real_data
from data.counts.daily import complete
from data.counts.reading import CountColumns, read_counts
from data.errors import FileError
from models.forecasting.config import ForecasterConfig, SurgeConfig
from models.forecasting.distribution import tail_probability
from models.forecasting.forecasters.harmonic import HarmonicForecaster
from models.forecasting.series import panel, trimmed
from models.surges.exceedance import LEAST_LEVEL, WEEK, coming_weeks, past_levels, probabilities, worth_telling
from models.surges.past import Past

Floats = npt.NDArray[np.float64]

RELEARNED = 4
SEASON_WEEKS = 3
"""The base rate by season is that of so many weeks around the same week of the years before."""
PRIOR_WEEKS = 12
"""A series' own base rate leans on that of all series, worth so many weeks."""


@dataclass(frozen=True)
class Counts:
    """A set: its file in `series/`, its columns, first and last judged day, and its calendar."""

    file: str
    columns: CountColumns
    first: str
    last: str
    calendar: Literal["russia", "none"] = "none"


OF_CITY = CountColumns(sector="category")
SETS = {
    "chicago": Counts("chicago_sanitation_daily.csv", OF_CITY, "2013-01-01", "2014-12-31"),
    "boston": Counts("boston311_2015_daily.csv", OF_CITY, "2015-08-01", "2015-12-31"),
    "nyc": Counts("nyc_council_daily.csv", OF_CITY, "2018-01-01", "2019-12-31"),
    "petersburg": Counts(
        "petersburg_daily_district.csv", CountColumns(municipality="municipality"), "2021-01-04", "2021-03-14", "russia"
    ),
}


def load(name: str) -> pd.DataFrame:
    """The panel of a set up to its last judged day.

    Raises:
        FileError: the folder of real data does not hold it.
    """
    of = SETS[name]
    path = real_data() / "series" / of.file
    if not path.is_file():
        raise FileError(f"TSUR_REAL_DATA holds no series/{of.file}")
    return panel(complete(read_counts(path, of.columns))).loc[: of.last]


def judged_weeks(counts: pd.DataFrame, of: Counts) -> pd.DataFrame:
    """One row a judged series and week.

    Columns: `series, start, total, level, passed` (what came), `outlook` (forecast total), `tsur, raw, base, season`
    (probabilities: the product's, the forecast's own distribution, how often the series passed before, how often all
    did in this season), `told` (whether the product would tell it, were it probable enough), `days` (until the level
    was passed).
    """
    config = ForecasterConfig(calendar=of.calendar)
    levels, totals = past_levels(counts, config.surges), counts.rolling(WEEK).sum().shift(1 - WEEK)
    passed = (totals > np.floor(levels)).where(totals.notna() & (levels >= LEAST_LEVEL))
    starts = _starts(counts, of)
    parts = []
    for number, start in enumerate(starts):
        if number % RELEARNED == 0:
            learned = _Learned.of(counts.iloc[:start], config, passed.iloc[: start - WEEK + 1])
        series = np.flatnonzero(passed.iloc[start].notna().to_numpy(dtype=bool))
        parts.append(_week(counts, levels, start, series, learned, config))
    rows = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return rows.assign(passed=rows["total"] > np.floor(rows["level"]))


def _starts(counts: pd.DataFrame, of: Counts) -> list[int]:
    first = int(counts.index.searchsorted(pd.Timestamp(of.first)))
    return list(range(first, len(counts) - WEEK + 1, WEEK))


@dataclass(frozen=True)
class _Learned:
    """What the days before a week teach."""

    surges: SurgeConfig
    weekly: Floats
    base: Floats
    season: "pd.Series[float]"

    @classmethod
    def of(cls, counts: pd.DataFrame, config: ForecasterConfig, passed: pd.DataFrame) -> "_Learned":
        past = Past.of(counts, config.calendar, config.surges.window_days)
        everywhere = float(np.nanmean(passed.to_numpy(dtype=np.float64)))
        seen = passed.notna().sum().to_numpy()
        own = (passed.sum().to_numpy(dtype=np.float64) + PRIOR_WEEKS * WEEK * everywhere) / (seen + PRIOR_WEEKS * WEEK)
        by_day = passed.mean(axis=1)
        weekly = past.baseline.weekly.iloc[-1, : past.base].to_numpy(dtype=np.float64)
        return cls(config.surges.model_copy(update={"exceedance": past.exceedance(config.surges)}), weekly, own, by_day)

    def season_rate(self, start: pd.Timestamp) -> float:
        """The share of weeks that passed their level around this one in the years before; else in all weeks."""
        around = pd.Timedelta(weeks=SEASON_WEEKS)
        rates = [
            self.season.loc[start - pd.DateOffset(years=years) - around : start - pd.DateOffset(years=years) + around]
            for years in range(1, 4)
        ]
        known = pd.concat(rates).dropna()
        return float(known.mean()) if len(known) else float(self.season.mean())


def _week(
    counts: pd.DataFrame,
    levels: pd.DataFrame,
    start: int,
    series: npt.NDArray[np.int64],
    learned: _Learned,
    config: ForecasterConfig,
) -> pd.DataFrame:
    """The rows of one week."""
    past, week = counts.iloc[:start], counts.iloc[start : start + WEEK]
    outlook = np.full(counts.shape[1], np.nan)
    raw = np.full(counts.shape[1], np.nan)
    for column in series:
        forecaster = HarmonicForecaster(config.harmonic, config.calendar)
        history = trimmed(past.iloc[:, column])
        outlook[column] = forecaster.fit(history, WEEK).predict().sum()
        least = np.floor(levels.iloc[start, column]) + 1
        raw[column] = tail_probability(least, outlook[column], learned.weekly[column])
    known = counts.iloc[start - 5 * WEEK : start + 1]
    panel_of = pd.DataFrame(np.tile(outlook, (len(known), 1)), index=known.index, columns=known.columns)
    weeks = coming_weeks(known, panel_of, levels.loc[known.index])
    exceedance = learned.surges.exceedance
    said, last = np.full(counts.shape[1], np.nan), slice(-counts.shape[1], None)
    if exceedance is not None:
        said = probabilities(exceedance, weeks)[last]
    usual = past.rolling(WEEK).sum().iloc[-WEEK * config.surges.level_weeks :].median().to_numpy()
    large = worth_telling(levels.iloc[start].to_numpy(), usual, config.surges)
    rows = {
        "series": [" · ".join(map(str, counts.columns[column])) for column in series],
        "start": counts.index[start],
        "total": week.iloc[:, series].sum().to_numpy(),
        "level": levels.iloc[start, series].to_numpy(),
        "outlook": outlook[series],
        "tsur": np.where(np.isfinite(said[series]), said[series], learned.base[series]),
        "told": large[series] & (exceedance is not None and exceedance.has_skill),
        "raw": raw[series],
        "base": learned.base[series],
        "season": learned.season_rate(counts.index[start]),
        "days": list(_days_until(week.iloc[:, series], levels.iloc[start, series].to_numpy())),
    }
    return pd.DataFrame(rows)


def _days_until(week: pd.DataFrame, levels: Floats) -> Iterator[float]:
    """The day of the week, from 1, on which each series passed its level; infinite where it did not."""
    for column, level in enumerate(levels):
        over = np.flatnonzero(week.iloc[:, column].fillna(0).cumsum().to_numpy() > np.floor(level))
        yield float(over[0] + 1) if len(over) else float("inf")
