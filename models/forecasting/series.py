"""From a frame of counts to series: base ones, and the sums above them.

In: `DAILY_COUNTS`. Out: a panel, dates × (municipality, sector), NaN where nothing was observed.
Sums over municipalities (`REGION`) and over sectors (`ALL_SECTORS`) are always made bottom-up, so that
a region's forecast is the sum of its municipalities' forecasts. Where a member is silent, a sum of
counts is compared with what was forecast for the others alone.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.counts.daily import REGION

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

ALL_SECTORS = "все отрасли"
"""The sector of sums over all sectors."""

NAMES = ["municipality", "sector"]

ENOUGH_OBSERVED = 0.5
"""A sum says nothing on a day when less than this share of what was forecast for it was observed."""


class SeriesKey(NamedTuple):
    """Which series: a place or `REGION`, and a sector or `ALL_SECTORS`."""

    municipality: str
    sector: str


def panel(counts: pd.DataFrame) -> pd.DataFrame:
    """Dates × base series, every day from the first to the last; NaN: not observed."""
    wide = counts.pivot(index="date", columns=NAMES, values="count").astype("float64")
    return wide.reindex(pd.date_range(wide.index[0], wide.index[-1], freq="D", name="date")).sort_index(axis=1)


def keys_of(frame: pd.DataFrame) -> list[SeriesKey]:
    """The series of a panel, in its order."""
    return [SeriesKey(str(column[0]), str(column[1])) for column in frame.columns]


def trimmed(series: "pd.Series[float]") -> "pd.Series[float]":
    """The series from its first observed day on."""
    first = series.first_valid_index()
    return series.iloc[:0] if first is None else series.loc[first:]


def sums(base: list[SeriesKey]) -> dict[SeriesKey, list[SeriesKey]]:
    """Every sum above the base series, with its members; a sum of one series only is left out."""
    groups: dict[SeriesKey, list[SeriesKey]] = {}
    for key in base:
        for sum_key in (
            SeriesKey(REGION, key.sector),
            SeriesKey(key.municipality, ALL_SECTORS),
            SeriesKey(REGION, ALL_SECTORS),
        ):
            groups.setdefault(sum_key, []).append(key)
    known = set(base)
    return {key: list(dict.fromkeys(members)) for key, members in groups.items() if key not in known}


def are_base(keys: Sequence[SeriesKey]) -> Bools:
    """Which series are no sums: of a place where places are known, of a sector where sectors are."""
    places_known = any(key.municipality != REGION for key in keys)
    sectors_known = any(key.sector != ALL_SECTORS for key in keys)
    return np.array(
        [
            (key.municipality != REGION or not places_known) and (key.sector != ALL_SECTORS or not sectors_known)
            for key in keys
        ],
        dtype=bool,
    )


def is_member(base: SeriesKey, total: SeriesKey) -> bool:
    """Whether a sum counts a base series."""
    return total.municipality in (REGION, base.municipality) and total.sector in (ALL_SECTORS, base.sector)


def with_sums(base: pd.DataFrame) -> pd.DataFrame:
    """A panel with its sums beside it; a sum is NaN on days when a member is."""
    values = base.to_numpy(dtype=np.float64)
    return _beside(base, {key: values[:, members].sum(axis=1) for key, members in _members(base).items()})


def sums_of_observed(counts: pd.DataFrame, means: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts and their forecasts with the sums of both, each over the members that were observed that day.

    Args:
        counts: dates × base series, NaN where nothing was observed.
        means: dates × base series: forecasts; only days and series of `counts` are used.

    Returns:
        Two panels on the days and series of `counts`, sums beside them. A sum is NaN where what was
        observed carries less than `ENOUGH_OBSERVED` of its forecast (on days without forecasts: of its
        members' average counts).
    """
    means = means.reindex(index=counts.index, columns=counts.columns)
    seen = counts.notna().to_numpy()
    weights = means.fillna(counts.mean()).fillna(0.0).to_numpy()
    carried = np.where(seen, weights, 0.0)
    seen_counts, seen_means = (np.where(seen, each.to_numpy(dtype=np.float64), 0.0) for each in (counts, means))
    count_sums, mean_sums = {}, {}
    for key, members in _members(counts).items():
        enough = carried[:, members].sum(axis=1) >= ENOUGH_OBSERVED * weights[:, members].sum(axis=1)
        enough &= seen[:, members].any(axis=1)
        count_sums[key] = np.where(enough, seen_counts[:, members].sum(axis=1), np.nan)
        mean_sums[key] = np.where(enough, seen_means[:, members].sum(axis=1), np.nan)
    return _beside(counts, count_sums), _beside(means, mean_sums)


def _members(base: pd.DataFrame) -> dict[SeriesKey, list[int]]:
    """Every sum above the columns of a panel, with the positions of its members."""
    keys = keys_of(base)
    positions = {key: position for position, key in enumerate(keys)}
    return {key: [positions[member] for member in members] for key, members in sums(keys).items()}


def long_form(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """A panel as rows `date, municipality, sector, <value>`; NaN stay, so that no day or series is lost."""
    tall = pd.Series(frame.rename_axis(index="date", columns=NAMES).stack([0, 1], future_stack=True))
    return tall.reset_index(name=value)


def wide_form(frame: pd.DataFrame, value: str) -> pd.DataFrame:
    """The opposite of `long_form`."""
    wide = frame.pivot(index="date", columns=NAMES, values=value).sort_index(axis=1)
    return wide.reindex(pd.date_range(wide.index[0], wide.index[-1], freq="D", name="date"))


def _beside(base: pd.DataFrame, added: dict[SeriesKey, Floats]) -> pd.DataFrame:
    """The base series with sums to their right."""
    if not added:
        return base
    above = pd.DataFrame(added, index=base.index)
    above.columns = pd.MultiIndex.from_tuples(list(added), names=NAMES)
    return pd.concat([base, above], axis=1)
