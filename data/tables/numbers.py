"""Numbers: a cell as a number, however a person or Excel wrote it.

In: text or a number. Out: a float, NaN where it is none. A comma is the decimal sign, as in Russia; spaces of any kind
part the thousands. «1,000» may be one or a thousand: `counted` refuses it.
"""

import math
import re

_THOUSANDS = re.compile(r"(?<=\d)[ \u00a0\u2009\u202f'’](?=\d{3}(?!\d))")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:E[+-]?\d+)?", re.IGNORECASE)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3}){2,}(?:\.\d+)?|\d{1,3}(?:,\d{3})+\.\d+")
_GROUPED_BY_POINT = re.compile(r"\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?|\d{1,3}(?:\.\d{3})+,\d+")
_UNIT = re.compile(r"(?<=\d)\s?(?:шт|ед|обр(?:ащ(?:ени[еяй])?)?|жалоб[аы]?|чел)\.?$", re.IGNORECASE)
_TWO_MEANINGS = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")


def number(cell: object) -> float:
    """The cell as a float; NaN if it is none."""
    if isinstance(cell, (int, float)):
        return float(cell)
    text = _THOUSANDS.sub("", str(cell).strip().replace("\u2212", "-"))
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    elif _GROUPED_BY_POINT.fullmatch(text):
        text = text.replace(".", "").replace(",", ".")
    else:
        text = text.replace(",", ".", 1)
    return float(text) if _NUMBER.fullmatch(text) else math.nan


def counted(cell: object) -> float:
    """The cell as a count, also «12 шт.»; NaN for «1,000», which is one to some and a thousand to others."""
    if not isinstance(cell, str):
        return number(cell)
    text = _UNIT.sub("", cell.strip())
    return math.nan if _TWO_MEANINGS.fullmatch(text) else number(text)
