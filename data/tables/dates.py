"""Dates: a cell as a moment, or as a day, however the source wrote it.

In: text or a `datetime`. Out: a `datetime`, aware if it says an offset, a `date`, or None where it is no date. Read
are ISO 8601, `01.11.2026 10:15`, «1 ноября 2026 г.», `01 ноя 26`, mail and Java dates, Unix seconds (also milli- and
microseconds), Excel's count of days; with «МСК+4», `(UTC+7)`, `+03:00` behind them. What may mean two days, such as
`03/11/25` or «вчера», is none.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache

FIRST_YEAR, LAST_YEAR = 1990, 2100
"""A date outside is a slip of the keyboard, and pandas would not hold some of them."""

_MONTH = re.compile(
    r"(?<![а-яa-z])(?:(?P<m1>январ[ьяе]|янв|january|jan)|(?P<m2>феврал[ьяе]|февр?|february|feb)|(?P<m3>марта?|марте|мар|march|mar)"
    r"|(?P<m4>апрел[ьяе]|апр|april|apr)|(?P<m5>ма[йяе]|may)|(?P<m6>июн[ьяе]|июн|june|jun)|(?P<m7>июл[ьяе]|июл|july|jul)"
    r"|(?P<m8>августа?|августе|авг|august|aug)|(?P<m9>сентябр[ьяе]|сент?|september|sept?)"
    r"|(?P<m10>октябр[ьяе]|окт|october|oct)|(?P<m11>ноябр[ьяе]|нояб?|november|nov)|(?P<m12>декабр[ьяе]|дек|december|dec))"
    r"(?![а-яa-z])\.?"
)
_WEEKDAY = re.compile(
    r"\(?(?<![а-яa-z])(?:пн|вт|ср|чт|пт|сб|вс|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье"
    r"|(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?)(?![а-яa-z])[.,]?\)?"
)
_ZONE = re.compile(
    r"(?:\(?(?:utc|gmt|z)?\s?(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})?\)?"
    r"|\(?(?P<moscow>мск|msk|московское время|по московскому времени|моск\. ?вр(?:\.|емя))"
    r"\s?(?:(?P<more>[+-]\d{1,2})(?:\s?ч\.?)?)?\)?"
    r"|\(?(?P<utc>utc|gmt|z)\)?)$"
)
_TIME = re.compile(
    r"(?P<hour>[01]?\d|2[0-4])(?::(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"|[.-](?P<minute2>[0-5]\d)(?:\.(?P<second2>[0-5]\d)(?:[.,]\d{1,9})?)?|\s?ч(?:\.|ас(?:\.|а|ов)?)?(?:\s?(?P<minute3>[0-5]?\d)\s?м(?:ин(?:ут[аы]?)?)?\.?)?)\s?(?P<half>am|pm)?"
)
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})(?P<sep>[./-])(?P<month>\d{1,2})(?P=sep)(?P<year>\d{4}|\d{2})(?!\d)")
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})(?P<sep>[./-])(?P<month>\d{1,2})(?P=sep)(?P<day>\d{1,2})(?!\d)")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[t ]?(\d{2})(\d{2})(\d{2})?)?")
_DOTNET = re.compile(r"/date\((-?\d+)(?:[+-]\d{4})?\)/")
_SERIAL = re.compile(r"(\d{5})(?:[.,](\d+))?")
_ORNAMENT = re.compile(r"\[[\w/]+\]$|(?<=GMT[+-]\d{4}) \([^()\d]+\)$|[«»\"“”„]|^от (?=\d)")
"""`[Europe/Moscow]`, «(Москва, стандартное время)» as browsers add it, the quotes of «01» ноября."""
_SPACED = re.compile(r"^(\d{1,2}) ?\. ?(\d{1,2}) ?\. ?(?=\d)(\d{4}|\d{2})(?!\d)")
_YEAR_WORD = re.compile(r"(?<=\d)\s?(?:года|год|г)(?![а-я])\.?")
_MOSCOW = timezone(timedelta(hours=3))
_EXCEL_ZERO = datetime(1899, 12, 30)
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?")


def written_time(value: object, formats: Sequence[str] = (), month_first: bool = False) -> datetime | None:
    """The date and time of a cell as it is written, aware if it says an offset; None if it is no date.

    `formats` are tried first; `month_first` reads 11/25/2026 as Americans do.
    """
    read = _parsed(value, formats, month_first)
    return read if read is not None and FIRST_YEAR <= read.year <= LAST_YEAR else None


def written_day(value: object, zone: tzinfo, month_first: bool = False) -> date | None:
    """The day of a cell, as the region counts days; None if it is no date.

    Midnight, whatever its offset, is how a source writes the day itself; another time with an offset belongs to
    the day that it is in `zone`.
    """
    written = written_time(value, month_first=month_first)
    if written is None or written.tzinfo is None or written.time() == time():
        return None if written is None else written.date()
    return written.astimezone(zone).date()


def months_come_first(cells: Iterable[object]) -> bool:
    """Are the dates with slashes American? A second number past 12, or AM, says so; a first one past 12 denies it."""
    pairs = [re.match(r"(\d{1,2})/(\d{1,2})/\d{4}(.*[AP]M$)?", str(cell), re.IGNORECASE) for cell in cells]
    numbers = [(int(pair[1]), int(pair[2]) > 12 or pair[3] is not None) for pair in pairs if pair]
    return any(american for _, american in numbers) and all(first <= 12 for first, _ in numbers)


def _parsed(value: object, formats: Sequence[str], month_first: bool) -> datetime | None:
    """The date and time of a cell, aware if it says an offset."""
    if isinstance(value, datetime):
        return value
    text = str(value).strip()
    for date_format in formats:
        try:
            return datetime.strptime(text, date_format)
        except ValueError:
            continue
    if _ISO.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:  # 24:00 is read below
            pass
    return _read(text, month_first)


@lru_cache(maxsize=4096)
def _read(text: str, month_first: bool) -> datetime | None:
    """By shape; days come again on many rows, so they are remembered."""
    if len(text) > 80:
        return None
    lowered = " ".join(_ORNAMENT.sub("", text).lower().replace("\u2212", "-").split())
    lowered = _SPACED.sub(r"\1.\2.\3", lowered)
    try:
        if (number := _of_number(lowered)) is not None:
            return number
        return _of_words(lowered, month_first)
    except (ValueError, OverflowError, OSError):
        return None


def _of_number(text: str) -> datetime | None:
    """Unix time, Excel's days, 20261101."""
    if dotnet := _DOTNET.fullmatch(text):
        return datetime.fromtimestamp(int(dotnet[1]) / 1000, UTC)
    if serial := _SERIAL.fullmatch(text):
        return _EXCEL_ZERO + timedelta(seconds=round(float(f"{serial[1]}.{serial[2] or 0}") * 86400))
    whole = re.fullmatch(r"(\d+)(?:[.,]\d+)?", text)
    if whole is not None and len(whole[1]) in (9, 10, 12, 13, 16, 19):
        seconds, places = int(whole[1]), max(len(whole[1]) - 10, 0) // 3 * 3
        places = 3 if len(whole[1]) == 12 else places
        return datetime.fromtimestamp(seconds // 10**places, UTC)
    if compact := _COMPACT.fullmatch(text):
        year, month, day_, hour, minute, second = (int(part or 0) for part in compact.groups())
        return datetime(year, month, day_, hour, minute, second)
    return None


def _of_words(text: str, month_first: bool) -> datetime | None:
    """A date, and a time and an offset where there are some; nothing else may be left over."""
    rest = _WEEKDAY.sub(" ", _YEAR_WORD.sub(" ", text)).strip(" ,;")
    zone: tzinfo | None = None
    if (offset := _ZONE.search(rest)) and (offset["sign"] is None or ":" in rest[: offset.start()]):
        zone, rest = _offset(offset), rest[: offset.start()].strip(" ,")
    digits = None if _MONTH.search(rest) else _YEAR_FIRST.search(rest) or _DAY_FIRST.search(rest)
    if digits is not None:
        year, month, day_ = _numeric(digits, month_first)
        left = f"{rest[: digits.start()]} {rest[digits.end() :]}"
    else:
        java = re.search(r"(?<=\d\d:\d\d:\d\d) (msk|utc|gmt|мск)(?= \d{4}$)", rest)
        if java is not None:  # Sun Nov 01 10:15:00 MSK 2026
            zone = _MOSCOW if java[1] in ("msk", "мск") else UTC
            rest = rest[: java.start()] + rest[java.end() :]
        year, month, day_, left = _named(rest)
    if not year:
        return None
    plus = timedelta(0)
    left = re.sub(r"^\s*[t]|\bв\b|\bat\b", " ", left).strip(" ,;-")
    clock = (0, 0, 0, 0)
    if left:
        time_ = _TIME.fullmatch(left)
        if time_ is None:
            return None
        clock = _clock(time_)
        if clock[0] == 24:
            if any(clock[1:]):
                return None
            clock, plus = (0, 0, 0, 0), timedelta(days=1)
    return datetime(year, month, day_, *clock, tzinfo=zone) + plus


def _numeric(match: re.Match[str], month_first: bool) -> tuple[int, int, int]:
    year, month, day_ = int(match["year"]), int(match["month"]), int(match["day"])
    if len(match["year"]) == 2:
        if match["sep"] != ".":  # 03/11/25 and 03-11-25 may begin with the year or the month
            return 0, 0, 0
        year += 2000 if year < 69 else 1900
    if match["sep"] == "/" and month_first and match.re is _DAY_FIRST:
        month, day_ = day_, month
    return year, month, day_


def _named(text: str) -> tuple[int, int, int, str]:
    """Year, month and day of a date with the month in words, and what is left beside them."""
    named = _MONTH.search(text)
    if named is None:
        return 0, 0, 0, ""
    month = int(str(named.lastgroup)[1:])
    before = re.search(r"(?<![\d:])(\d{1,2})(?:-?(?:го|е|st|nd|rd|th))?[ ./-]*$", text[: named.start()])
    if before is not None:
        year = re.match(r"[ .,/-]*(\d{4}|\d{2})(?![\d:])", text[named.end() :])
        if year is None:
            return 0, 0, 0, ""
        head, tail, day_ = text[: before.start()], text[named.end() + year.end() :], int(before[1])
    else:
        after = re.match(
            r"[ ./-]*(\d{1,2})(?:st|nd|rd|th)?(?P<between>,? | \d\d:\d\d:\d\d )(\d{4})(?![\d:])", text[named.end() :]
        )
        if after is None:
            return 0, 0, 0, ""
        head, tail, day_ = text[: named.start()], text[named.end() + after.end() :], int(after[1])
        tail = f"{tail} {after['between'].strip(' ,')}"
        return int(after[3]), month, day_, f"{head} {tail}"
    number = int(year[1])
    return (
        number + (2000 if len(year[1]) == 2 and number < 69 else 1900 if len(year[1]) == 2 else 0),
        month,
        day_,
        f"{head} {tail}",
    )


def _clock(match: re.Match[str]) -> tuple[int, int, int, int]:
    hour = int(match["hour"])
    minute = int(match["minute"] or match["minute2"] or match["minute3"] or 0)
    if match["half"]:
        hour = hour % 12 + (12 if match["half"] == "pm" else 0)
    fraction = int((match["fraction"] or "0").ljust(6, "0")[:6])
    return hour, minute, int(match["second"] or match["second2"] or 0), fraction


def _offset(match: re.Match[str]) -> tzinfo:
    if match["moscow"]:
        return timezone(timedelta(hours=3 + int(match["more"] or 0)))
    if match["sign"] is None:
        return UTC
    minutes = int(match["hours"]) * 60 + int(match["minutes"] or 0)
    return timezone(timedelta(minutes=minutes if match["sign"] == "+" else -minutes))
