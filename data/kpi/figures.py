"""Figures: a number with what it was counted of, its interval, and its change since the span before.

In: counts, or samples. Out: a `Figure`. Shares have Wilson's interval, quantiles the distribution-free one of order
statistics, changes of shares Newcombe's (1998, method 10), changes of counts that of a ratio of two Poisson counts. All
are of 95 %. A share or a quantile of fewer than `LEAST` is hidden: it would say more of chance than of work.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import hypot, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

LEAST = 20
"""Complaints below which a share or a quantile is not shown."""
LEVEL = 0.95
Z = float(ndtri((1 + LEVEL) / 2))


@dataclass(frozen=True)
class Figure:
    """One number.

    Attributes:
        value: None where it is hidden, or there is nothing to compute it of.
        low, high: its interval; None where it has none (a count is all there was, and no sample).
        n: what it was counted of.
        previous: the same of the span before; None where hidden.
        change: of a count the relative change, of a share the difference, of a quantile the difference; with its
            interval where there is one.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    previous: float | None = None
    previous_n: int = 0
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None

    @property
    def hidden(self) -> bool:
        """Whether there are too few."""
        return self.value is None


Sample = NDArray[np.float64]


def count(now: int, before: int) -> Figure:
    """How many; the change is now / before - 1."""
    if not before:
        return Figure(now, None, None, now, before, before)
    low, high = wilson(now, now + before)
    odds = [share / (1 - share) - 1 if share < 1 else None for share in (low, high)]
    return Figure(now, None, None, now, before, before, now / before - 1, *odds)


def share(now: tuple[int, int], before: tuple[int, int]) -> Figure:
    """How many of how many; the change is the difference of the shares."""
    shown, earlier = _share(*now), _share(*before)
    if shown is None:
        return Figure(None, None, None, now[1], earlier and earlier[0], before[1])
    if earlier is None:
        return Figure(*shown, now[1], None, before[1])
    (value, low, high), (previous, lower, higher) = shown, earlier
    change = value - previous
    less, more = hypot(value - low, higher - previous), hypot(high - value, previous - lower)
    return Figure(value, low, high, now[1], previous, before[1], change, change - less, change + more)


def quantile(now: Sample, before: Sample, level: float) -> Figure:
    """The `level` quantile of a sample; the change is the difference of the two."""
    shown, earlier = _quantile(now, level), _quantile(before, level)
    if shown is None:
        return Figure(None, None, None, len(now), earlier and earlier[0], len(before))
    if earlier is None:
        return Figure(*shown, len(now), None, len(before))
    return Figure(*shown, len(now), earlier[0], len(before), shown[0] - earlier[0])


def wilson(successes: int, n: int) -> tuple[float, float]:
    """Wilson's interval of a share; written out: a table needs hundreds, and scipy's tests a hypothesis with each."""
    part, spread = successes / n, Z * Z / n
    middle = part + spread / 2
    half = Z * sqrt(part * (1 - part) / n + spread / n / 4)
    return max((middle - half) / (1 + spread), 0.0), min((middle + half) / (1 + spread), 1.0)


def _share(successes: int, n: int) -> tuple[float, float, float] | None:
    return None if n < LEAST else (successes / n, *wilson(successes, n))


def _quantile(sample: Sample, level: float) -> tuple[float, float, float] | None:
    """The quantile, and the values whose ranks enclose it with the probability `LEVEL`."""
    n = len(sample)
    if n < LEAST:
        return None
    ordered: Any = np.sort(sample)
    low, high = _ranks(n, level)
    return float(np.quantile(ordered, level)), float(ordered[low]), float(ordered[high])


@lru_cache(maxsize=4096)
def _ranks(n: int, level: float) -> tuple[int, int]:
    """Places, from 0, of the ordered values between which the quantile lies with the probability `LEVEL`."""
    from scipy.stats import binom  # half a second of a service's start

    tail = (1 - LEVEL) / 2
    low, high = binom.ppf([tail, 1 - tail], n, level)
    return max(int(low) - 1, 0), min(int(high), n - 1)
