"""Quotes in CSV: the fields of one line or of several that belong together.

In: a text and its delimiter. Out: its fields, or None where it cannot be read so. Well-formed text goes through
the library's strict parser; the rest is what people type: «"Ромашка" снова закрыта», «"ООО "Двор" не убирает"».
"""

import csv

MOST_QUOTES = 60
"""A line with more of them is not tried in every way."""


def strict(text: str, delimiter: str) -> list[str] | None:
    """The fields of well-formed text; None if a quote stays open or a field goes on behind its closing quote."""
    if '"' not in text:
        return text.split(delimiter) if "\n" not in text else None
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:
        pass
    if '\\"' in text:  # how MySQL and others write a quote inside
        try:
            return next(csv.reader([text.replace('\\"', '""')], delimiter=delimiter, strict=True))
        except csv.Error:
            pass
    return None


def literal(line: str, delimiter: str) -> list[str]:
    """The fields of one line, whatever its quotes; one that closes nothing is a sign like any other."""
    cells: list[str] = []
    start = 0
    while start <= len(line):
        end = next(iter(_closings(line, start, delimiter)), None)
        if end is not None:
            cells.append(line[start + 1 : end].replace('""', '"'))
            start = end + 2
            continue
        end = line.find(delimiter, start)
        end = len(line) if end < 0 else end
        cells.append(line[start:end])
        start = end + 1
    return cells


def alternatives(text: str, delimiter: str, width: int) -> list[str] | None:
    """The fields read so that there are `width` of them, if there is a way; a line end needs quotes around it."""
    if text.count('"') > MOST_QUOTES:
        return None
    return _fitted(text, 0, delimiter, width)


def _fitted(text: str, start: int, delimiter: str, left: int) -> list[str] | None:
    if start > len(text) or left == 0:
        return [] if start > len(text) and left == 0 else None
    for end in _closings(text, start, delimiter):
        rest = _fitted(text, end + 2, delimiter, left - 1)
        if rest is not None:
            return [text[start + 1 : end].replace('""', '"'), *rest]
    end = text.find(delimiter, start)
    end = len(text) if end < 0 else end
    if "\n" in text[start:end]:
        return None
    rest = _fitted(text, end + 1, delimiter, left - 1)
    return None if rest is None else [text[start:end], *rest]


def _closings(text: str, start: int, delimiter: str) -> list[int]:
    """Where the quoted field that starts here may end: at a single quote before a delimiter or the end."""
    if not text.startswith('"', start):
        return []
    ends: list[int] = []
    quote = start + 1
    while (quote := text.find('"', quote)) >= 0:
        if text.startswith('""', quote):
            quote += 2
            if quote == len(text) or text.startswith(delimiter, quote):
                ends.append(quote - 1)  # «"ООО ""Двор""»: the last one may be the closing quote
            continue
        if quote + 1 == len(text) or text.startswith(delimiter, quote + 1):
            ends.append(quote)
        quote += 1
    return ends
