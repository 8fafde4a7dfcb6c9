"""Masking of the flat that is told beside a name; the street and the house stay, for somebody has to come there.

In: a text whose names are masked. Out: where the numbers of flats near them are.
"""

import re

from data.complaints.masks import NAME, Span

_FLAT = re.compile(
    r"(?<![\w.])(?i:кв|квартир[аыуе]|комн(?:ат[аыуе])?)[. ]{0,2}(?:№ ?)?(\d{1,4}[а-яА-Я]?)(?!\w|\s*(?:кв|м\b|метр))"
    r"|(?i:\b(?:ул|улиц\w*|пр-?к?т|просп\w*|пер|переул\w*|б-р|бульвар\w*|ш|шоссе|наб\w*|мкр\w*|проезд\w*)\b"
    r"\.? ?)[А-ЯЁ0-9][\w -]{2,30}?,? ?(?:д(?:ом)?\.? ?)?"
    r"\d{1,4}[а-яА-Я]?(?:/\d+)?(?:-|, ?)(\d{1,4})(?!\w|[.-]\d)"
    r"|(?<!\w)[А-ЯЁ][а-яё]+(?:ая|ий|ого|ой|[оеи][вн]а|ы|и),? (?:д(?:ом)?\.? ?)?\d{1,3}[а-яА-Я]?"
    r"[-–](\d{1,3})(?!\w|[.–-]\d)"
)
FLAT_DISTANCE = 80
"""Characters between a name and the flat that is told with it: an address of usual length."""


def flat_spans(text: str) -> list[Span]:
    """Numbers of flats told beside a masked name."""
    names = [match.start() for match in re.finditer(re.escape(NAME), text)]
    if not names:
        return []
    flats = (match.span(match.lastindex or 0) for match in _FLAT.finditer(text))
    return [
        span for span in flats if any(-FLAT_DISTANCE <= span[0] - name <= FLAT_DISTANCE + len(NAME) for name in names)
    ]
