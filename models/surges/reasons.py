"""Why a surge is called one, and what else may explain it: sentences in Russian.

In: a surge, the events of single series beside it, and the counts. Out: the surge with its `reasons`: a single day, a
new level, holidays, a rise that had begun before, the places and sectors that surge, bulk entry that was left out.
"""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd

from data.counts.daily import REGION
from data.errors import ConfigError
from data.production_calendar import calendar_frame
from models.forecasting.series import ALL_SECTORS
from models.forecasting.special_days import long_runs
from models.surges.types import Surge

MOST_NAMED = 8
"""More names make no one read them."""
TREND_DAYS = 14
TREND_RATIO, TREND_MORE = 1.2, 5
"""A rise: two weeks with so many times the complaints of the two before, and so many more in all."""
TREND_OBSERVED = 20
"""Days of the four weeks that must be observed to speak of a rise."""
BULK_BEFORE_DAYS = 7
"""Bulk entry so many days before a surge is told with it."""


def with_reasons(
    surge: Surge,
    of_series: list[Surge],
    counts: pd.DataFrame,
    calendar: str,
    bulk: "pd.Series[bool] | None" = None,
) -> Surge:
    """The surge with its reasons.

    Args:
        surge: as merged.
        of_series: the events of all single series, to name the neighbours.
        counts: dates × series, to see what came before.
        calendar: `russia` looks at the production calendar.
        bulk: which days of the series were left out as bulk entry.
    """
    reasons = _nature(surge)
    reasons += _calendar_reasons(surge) if calendar == "russia" else []
    reasons += _trend_reasons(surge, counts)
    if surge.places:
        reasons.append(f"муниципалитеты со всплеском: {_named(surge.places)}")
    if surge.sectors:
        reasons.append(f"отрасли со всплеском: {_named(surge.sectors)}")
    if surge.municipality != REGION and surge.sector != ALL_SECTORS:
        sectors = dict.fromkeys(
            other.sector
            for other in of_series
            if other.municipality == surge.municipality
            and other.sector not in (surge.sector, ALL_SECTORS)
            and other.start <= surge.end
            and surge.start <= other.end
        )
        if sectors:
            reasons.append(f"там же всплеск и в других отраслях: {_named(tuple(sectors))}")
    if bulk is not None:
        reasons += _bulk_reasons(surge, bulk)
    return replace(surge, reasons=tuple(reasons))


def _nature(surge: Surge) -> list[str]:
    """What kind of event it is: a single day, confirmed or not, or a new level."""
    if surge.new_level:
        days = (surge.end - surge.start).days + 1
        usual, now = (f"{total / days:.1f}".replace(".", ",") for total in (surge.expected, surge.count))
        return [f"новый уровень: {now} в день вместо {usual}"]
    if surge.confirmed:
        return []
    if surge.closed is None:
        return ["один день: подтвердится или отпадёт после следующего"]
    return ["один день: следующий не подтвердил"]


def _named(names: tuple[str, ...]) -> str:
    more = f" и ещё {len(names) - MOST_NAMED}" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _calendar_reasons(surge: Surge) -> list[str]:
    """Long holidays inside the event, or just before it."""
    try:
        calendar = calendar_frame(surge.start - timedelta(days=3), min(surge.end, surge.start + timedelta(days=14)))
    except ConfigError:  # outside the years of the calendar
        return []
    reasons = []
    if long_runs(calendar).any():
        reasons.append("длинные выходные: после них обращения приходят разом")
    names = calendar.loc[(calendar["kind"] == "holiday") & (calendar["date"] >= pd.Timestamp(surge.start)), "name"]
    holidays = [name for name in dict.fromkeys(names) if not name.startswith("Выходной")]
    if holidays:
        reasons.append(f"праздники в эти дни: {', '.join(holidays)}")
    return reasons


def _trend_reasons(surge: Surge, counts: pd.DataFrame) -> list[str]:
    """A rise that had begun before: the last two weeks before it, against the two before those."""
    key = (surge.municipality, surge.sector)
    if key not in counts:
        return []
    before = counts.loc[counts.index < pd.Timestamp(surge.start), key].to_numpy(dtype=np.float64)[-2 * TREND_DAYS :]
    if len(before) < 2 * TREND_DAYS or np.isfinite(before).sum() < TREND_OBSERVED:
        return []
    earlier, later = np.nanmean(before[:TREND_DAYS]), np.nanmean(before[TREND_DAYS:])
    if later < TREND_RATIO * earlier or (later - earlier) * TREND_DAYS < TREND_MORE:
        return []
    return [f"рост ещё до начала: {later:.1f} в день против {earlier:.1f} двумя неделями раньше".replace(".", ",")]


def _bulk_reasons(surge: Surge, bulk: "pd.Series[bool]") -> list[str]:
    near = bulk.loc[pd.Timestamp(surge.start - timedelta(days=BULK_BEFORE_DAYS)) : pd.Timestamp(surge.end)]
    days = [f"{day:%d.%m.%Y}" for day in near.index[near.to_numpy()]]
    if not days:
        return []
    return [f"похоже на ввод накопленного одним днём, не учтено: {', '.join(days)}"]


def bulk_of(surge: Surge, bulk: pd.DataFrame) -> "pd.Series[bool] | None":
    """The bulk days of a surge's own series, if the panel has it."""
    return bulk.get((surge.municipality, surge.sector))
