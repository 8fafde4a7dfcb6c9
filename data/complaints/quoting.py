"""Quoting: a cell in a message, so that the message holds no personal data.

In: a cell as it was given. Out: the cell cleaned, masked, cut and in quotes. Every message that shows something
of a user's file goes through here.
"""

from collections.abc import Iterable

LONGEST = 60
NAMED = 30
"""Columns of a file that a message names, at most."""


def quoted(cell: object, longest: int = LONGEST) -> str:
    """The cell in quotes, masked."""
    from data.complaints.masking import masked

    text = masked(str(cell)[:2000])
    return f"'{text if len(text) <= longest else text[: longest - 1] + '…'}'"


def what_there_is(header: Iterable[object], known: int) -> tuple[str, list[str]]:
    """What a file has instead of the columns that are missing: a sentence, and the names, masked.

    A first row with at least as many cells that look like data as names that are `known` is said to be data and is
    not repeated.
    """
    from data.tables.header import looks_like_data

    names = [str(name) for name in header]
    shown = [quoted(name)[1:-1] for name in names[:NAMED]]
    data = sum(looks_like_data(name) or "[" in mask for name, mask in zip(names, shown, strict=False))
    if data and data >= known:
        return "the first row looks like data and not like column names: put a row with the names above it", []
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"the file has {', '.join(shown)}{more}", shown
