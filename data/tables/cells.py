"""Cells: one value of a table, of whatever format, as text.

In: what CSV, openpyxl or JSON give. Out: trimmed text, a `datetime`, or None for what is empty, an Excel
error or a database's NULL. OOXML escapes (`_x000D_`) are decoded here, for they hide names from masking.
"""

import math
import re
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_EXCEL_ERROR = re.compile(
    r"#(?:N/A|REF|VALUE|NAME|DIV/0|NUM|NULL|SPILL|CALC|FIELD|BUSY|GETTING_DATA|CONNECT|BLOCKED|UNKNOWN"
    r"|Н/Д|Н/П|ССЫЛКА|ССЫЛ|ЗНАЧ|ЗНАЧЕН|ИМЯ|ДЕЛ/0|ЧИСЛО|ПУСТО|ПЕРЕНОС|ВЫЧИСЛ|ПОЛЕ|ЗАНЯТО|ПОДКЛЮЧИТЬ|ЗАБЛОКИРОВАНО|НЕИЗВЕСТНО)[!?]?"
    r"|#{3,}|(?:Err|Ошибка):\d{3}",
    re.IGNORECASE,
)
"""As Excel and LibreOffice write them, in English and Russian; `####` is a column that was too narrow."""
_NULLS = frozenset(["NULL", "null", "(null)", "<null>", "NaN", "nan", "NaT", "None", "<NA>", r"\N"])
_AS_TEXT = re.compile(r'="(.*)"', re.DOTALL)
"""How exports keep Excel from reading a number: `="00123"`."""
_MARKED = re.compile(r"'(?:[=+\-@]|\d[^']*$)")
"""How this and other programs defuse a formula, and how Excel marks a number as text: `'00123`."""
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\xad]")
_TOTAL = re.compile(
    r"(?:(?:общий|промежуточный|grand) )?(?:итого?|всего|подытог|total|и т о г о?|в с е г о)\b.{0,60}"
    r"|сумма ?:?|.{1,60}[ ,:-](?:итого?|total)[ :.]*",
    re.IGNORECASE,
)
"""Also «Посад Итог», as Excel's pivot tables write it."""
SHORT = 32
"""Cells so short are days, places, labels and counts, which come again on many rows: they are remembered."""
EXACT = 10**15
"""Excel keeps 15 digits of a number; a larger one has lost its last."""


def decode_escapes(text: str) -> str:
    """The text with OOXML's `_xHHHH_` decoded: `_x000D_` is a line end, `_x005F_` an underscore."""
    if "_x" not in text:
        return text
    decoded = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    if any("\ud800" <= sign <= "\udfff" for sign in decoded):  # two escapes make one emoji
        decoded = decoded.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return decoded


def plain(value: Any) -> str | datetime | None:
    """A cell as trimmed text, a `datetime`, or None; 12.0 is «12».

    A time without a day and a duration stay text that no date parser reads.
    """
    if isinstance(value, str):
        return _short_text(value) if len(value) <= SHORT else _text(value)
    if value is None or isinstance(value, datetime):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, (time, timedelta)):
        return f"{value} (a time without a day)"
    return _text(str(value))


def is_total(cell: Any) -> bool:
    """«Итого», «Всего по району», `Total`: what stands in a row that sums up others."""
    return isinstance(cell, str) and _TOTAL.fullmatch(cell) is not None


def column_name(cell: Any) -> str:
    """A header's cell as a name: on one line, without invisible signs; empty if there is none."""
    value = plain(cell)
    return "" if value is None else " ".join(_INVISIBLE.sub("", str(value)).split())


def _text(value: str) -> str | None:
    text = decode_escapes(value).strip().strip("\ufeff\u200b")
    if not text or text in _NULLS:
        return None
    if text[0] == "#" or text[:3] in ("Err", "Оши"):
        return None if _EXCEL_ERROR.fullmatch(text) else text
    if text[0] == "=" and (inner := _AS_TEXT.fullmatch(text)):
        return inner[1].replace('""', '"').strip() or None
    if text[0] == "'" and _MARKED.match(text):
        return text[1:]
    return text


_short_text = lru_cache(maxsize=8192)(_text)


def _number(value: float) -> str | None:
    """A whole number without its point; past 15 digits as Excel shows it, so that the loss is seen."""
    if not math.isfinite(value):
        return None
    if not value.is_integer():
        return repr(value)
    return f"{int(value)}" if abs(value) < EXACT else f"{value:.14G}"
