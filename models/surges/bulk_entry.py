"""Bulk entry: the backlog that somebody types in on one day, which is no evidence of a surge.

In: counts and means, days × series. Out: which of them are to be left out. The decision worth knowing: it is judged
on the day itself, as an alarm has to be. Complaints about different things do not explode together overnight in one
place; typed-in backlogs do.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.forecasting.series import ALL_SECTORS, SeriesKey, are_base, is_member

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

TOGETHER_RATIO, TOGETHER_MORE = 5.0, 10.0
"""So many times the usual and so many complaints more, in at least two sectors of a place at once…"""
ALONE_RATIO, ALONE_MORE = 25.0, 100.0
"""…or in one alone. Chosen on the tuning years of `benchmarks/surge_quality`; the price stands in docs/surges.md."""
HIGH_RATIO, HIGH_MORE = 2.0, 3.0
"""A day above so many times the usual and so many more is high; what comes after it had been rising."""
LONGEST_RUN = 3
"""So many days in a row may be bulk entry; what goes on is taken for what it says."""


def bulk_entry(counts: Floats, means: Floats, keys: Sequence[SeriesKey]) -> Bools:
    """Which days of which series look like bulk entry: too many at once, right after a usual day.

    A sum is left out on a day when one of its members is.
    """
    suspect = _suspect(counts, means, keys)
    usual = np.maximum(np.nan_to_num(means), 1.0)
    observed = np.isfinite(counts)
    high = observed & (np.nan_to_num(counts) > HIGH_RATIO * usual + HIGH_MORE)

    bulk = np.zeros(counts.shape, dtype=bool)
    run = np.zeros(counts.shape[1], dtype=np.int64)  # days of bulk entry up to yesterday
    after_usual = np.ones(counts.shape[1], dtype=bool)  # the last observed day was not high
    for day in range(len(counts)):
        bulk[day] = suspect[day] & np.where(run > 0, run < LONGEST_RUN, after_usual)
        run = np.where(bulk[day], run + 1, np.where(observed[day], 0, run))
        after_usual = np.where(observed[day], ~high[day], after_usual)
    return _spread_to_sums(bulk, keys)


def _suspect(counts: Floats, means: Floats, keys: Sequence[SeriesKey]) -> Bools:
    """Days with far too many complaints, in two sectors of a place together or in one alone."""
    usual, count = np.maximum(np.nan_to_num(means), 1.0), np.nan_to_num(counts)
    many = count >= TOGETHER_RATIO * usual + TOGETHER_MORE
    together = np.zeros(counts.shape, dtype=bool)
    for place in {key.municipality for key in keys}:
        here = [n for n, key in enumerate(keys) if key.municipality == place and key.sector != ALL_SECTORS]
        together[:, here] = (many[:, here].sum(axis=1) >= 2)[:, None]
    alone = count >= ALONE_RATIO * usual + ALONE_MORE
    return (many & together) | alone


def _spread_to_sums(bulk: Bools, keys: Sequence[SeriesKey]) -> Bools:
    """Bulk entry of the base series and of the sums above them."""
    base = are_base(keys)
    out = bulk.copy()
    for column, total in enumerate(keys):
        if not base[column]:
            members = [n for n, key in enumerate(keys) if base[n] and is_member(key, total)]
            out[:, column] |= bulk[:, members].any(axis=1)
    return out
