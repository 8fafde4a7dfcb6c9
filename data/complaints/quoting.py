"""Quoting: a cell in a message, so that the message holds no personal data.

In: a cell as it was given. Out: the cell cleaned, masked, cut and in quotes. Every message that shows something
of a user's file goes through here.
"""

LONGEST = 60


def quoted(cell: object, longest: int = LONGEST) -> str:
    """The cell in quotes, masked."""
    from data.complaints.masking import masked

    text = masked(str(cell)[:2000])
    return f"'{text if len(text) <= longest else text[: longest - 1] + '…'}'"
