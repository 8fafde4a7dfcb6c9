"""The Russian production calendar: which days are worked, shortened, or off.

In: dates from 2019 to 2027. Out: their kinds and, where they have one, their names in Russian.
Three sources, in this order: the non-working holidays of article 112 of the Labour Code; the
yearly government decrees on the transfer of days off (`DECREED`); and article 112 again for a
holiday that falls on a weekend and is not named in a decree: outside January, the day off moves
to the next working day.

All years to 2027 are decreed. For 2027 the decree moves 20 February (Saturday) to 22 February,
2 January to 5 November and 3 January to 31 December; the days off on 3 May, 10 May and 14 June
follow from article 112. A new year is one entry in `DECREED` and one in `SHORTENED`: check it
each September. The paid non-working days that presidential decrees gave in 2020 and 2021 are
left out: they were no days off under article 112, and most of the bodies that answer complaints worked.
"""

from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

import pandas as pd

from data.errors import ConfigError

DayKind = Literal["working", "short", "weekend", "holiday"]

HOLIDAYS: dict[tuple[int, int], str] = {
    **{(1, day): "Новогодние каникулы" for day in (1, 2, 3, 4, 5, 6, 8)},
    (1, 7): "Рождество Христово",
    (2, 23): "День защитника Отечества",
    (3, 8): "Международный женский день",
    (5, 1): "Праздник Весны и Труда",
    (5, 9): "День Победы",
    (6, 12): "День России",
    (11, 4): "День народного единства",
}
"""(month, day) → name: the non-working holidays of article 112."""

DECREED: dict[int, dict[str, str]] = {
    2019: {"01-05": "05-02", "01-06": "05-03", "02-23": "05-10"},
    2020: {"01-04": "05-04", "01-05": "05-05"},
    2021: {"01-02": "11-05", "01-03": "12-31", "02-20": "02-22"},
    2022: {"01-01": "05-03", "01-02": "05-10", "03-05": "03-07"},
    2023: {"01-01": "02-24", "01-08": "05-08"},
    2024: {"01-06": "05-10", "01-07": "12-31", "04-27": "04-29", "11-02": "04-30", "12-28": "12-30"},
    2025: {"01-04": "05-02", "01-05": "12-31", "02-23": "05-08", "03-08": "06-13", "11-01": "11-03"},
    2026: {"01-03": "01-09", "01-04": "12-31"},
    2027: {"01-02": "11-05", "01-03": "12-31", "02-20": "02-22"},
}
"""Year → day off that is moved → day that is off instead. A moved Saturday that is no holiday is worked."""

SHORTENED: dict[int, tuple[str, ...]] = {
    2019: ("02-22", "03-07", "04-30", "05-08", "06-11", "12-31"),
    2020: ("04-30", "05-08", "06-11", "11-03", "12-31"),
    2021: ("02-20", "04-30", "06-11", "11-03"),
    2022: ("02-22", "03-05", "11-03"),
    2023: ("02-22", "03-07", "11-03"),
    2024: ("02-22", "03-07", "05-08", "06-11", "11-02"),
    2025: ("03-07", "04-30", "06-11", "11-01"),
    2026: ("04-30", "05-08", "06-11", "11-03"),
    2027: ("02-20", "04-30", "06-11", "11-03"),
}
"""Year → working days before a holiday, one hour shorter (article 95)."""

FIRST_YEAR, LAST_YEAR = min(DECREED), max(DECREED)
MONTHS = (
    *("января", "февраля", "марта", "апреля", "мая", "июня"),
    *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
)


def calendar_frame(start: date, end: date) -> pd.DataFrame:
    """One row a day from `start` to `end`, both included: `date, kind, name`.

    Raises:
        ConfigError: the calendar does not cover all of the years.
    """
    days = pd.date_range(start, end, freq="D")
    entries = [_entry(day.date()) for day in days]
    return pd.DataFrame({"date": days, "kind": [kind for kind, _ in entries], "name": [name for _, name in entries]})


def day_kind(day: date) -> DayKind:
    """The kind of one day.

    Raises:
        ConfigError: the calendar does not cover its year.
    """
    return _entry(day)[0]


def _entry(day: date) -> tuple[DayKind, str]:
    day = date(day.year, day.month, day.day)
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ConfigError(
            f"the production calendar does not cover {day:%Y-%m-%d}: it holds the years {FIRST_YEAR} "
            f"to {LAST_YEAR}; add the year's decree to data/production_calendar.py"
        )
    special = _special_days(day.year).get(day)
    if special is not None:
        return special
    return ("weekend", "") if day.weekday() >= 5 else ("working", "")


@lru_cache(maxsize=16)
def _special_days(year: int) -> dict[date, tuple[DayKind, str]]:
    """Every day of a year that differs from its weekday."""
    special: dict[date, tuple[DayKind, str]] = {
        date(year, month, day): ("holiday", name) for (month, day), name in HOLIDAYS.items()
    }
    holidays = set(special)
    moved = {_date(year, origin): _date(year, target) for origin, target in DECREED[year].items()}
    for origin, target in moved.items():
        special[target] = ("holiday", _transfer_name(origin))
        if origin not in holidays:
            special[origin] = ("working", f"Рабочий день вместо {_in_words(target)}")
    for holiday in sorted(holidays):
        if holiday.month != 1 and holiday.weekday() >= 5 and holiday not in moved:
            target = holiday
            while target.weekday() >= 5 or special.get(target, ("working",))[0] == "holiday":
                target += timedelta(days=1)
            special[target] = ("holiday", _transfer_name(holiday))
    for text in SHORTENED[year]:
        day = _date(year, text)
        special[day] = ("short", special.get(day, ("", ""))[1] or "Предпраздничный день")
    return special


def _transfer_name(origin: date) -> str:
    return f"Выходной, перенесённый с {_in_words(origin)}"


def _in_words(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"


def _date(year: int, text: str) -> date:
    return date.fromisoformat(f"{year}-{text}")
