"""Ids: what a source may call a complaint by.

In: an id as a file or a request gives it. Out: why it cannot be kept, or nothing. The one decision: an id is an id
and stays as it is, so that answers find back to their complaints; a registry number that could be a card's or a СНИЛС
is a registry number. Only what plainly is a person's own is refused: a phone written as one, an e-mail, an account, a
name. It is not replaced by a hash, for all phones can be tried against a hash within a minute.
"""

import re

MAX_ID = 200
"""Characters; a longer cell is a text in the wrong column."""

_PHONE = re.compile(
    r"(?<![\w/.-])(?:\+ ?7|[78])[ \u00a0(.-]{0,3}9\d\d[ \u00a0).-]{0,3}\d{3}[ .-]?\d\d[ .-]?\d\d(?![\w/-])"
    r"|(?<![\w/.-])(?:\+ ?7|[78])[ (-]{1,3}\d{3,5}[ )-]{1,3}\d{1,3}[ -]\d\d[ -]?\d\d(?![\w/-])"
    r"|(?<!\w)\+\d[\d ()-]{8,16}\d(?!\w)"
    r"|(?<![\w/.-])\(\d{3,5}\)[ -]?\d{1,3}[ -]?\d\d[ -]?\d\d(?![\w/-])"
    r"|(?<![\w/.-])9\d\d[ -]\d{3}[ -]\d\d[ -]?\d\d(?![\w/-])"
)
"""A mobile number, even bare; a fixed line where its groups are set apart; any country's with its plus."""
_SCIENTIFIC = re.compile(r"[+-]?\d(?:(?:[.,]\d+)?E\+|[.,]\d+E)\d+", re.IGNORECASE)
_WORDS = re.compile(r"[^\W\d_]{2,}\W+[^\W\d_]")
_ACCOUNT = re.compile(r"@|://|\.\w+/|\||собак", re.ASCII)
_AND_NOW = "give the complaints numbers of their own, or leave `id` out of the source's map"


def why_refused(identifier: str) -> str | None:
    """Why this cannot be the id of a complaint; None if it can."""
    if len(identifier) > MAX_ID:
        return f"the id has {len(identifier)} characters, more than {MAX_ID}"
    if "E" in identifier.upper() and _SCIENTIFIC.fullmatch(identifier):
        return (
            "Excel turned the id into a rounded number in scientific notation, and its last digits are lost: "
            "format the column as text before the numbers are put into it, or export the file again"
        )
    if _PHONE.search(identifier):
        return f"the id is a phone number: {_AND_NOW}"
    if _ACCOUNT.search(identifier) and _is_masked_as_contact(identifier):
        return f"the id is an e-mail or an account: {_AND_NOW}"
    if _WORDS.search(identifier) and _is_masked_as_name(identifier):
        return f"the id is a person's name: {_AND_NOW}"
    return None


def _is_masked_as_contact(identifier: str) -> bool:
    from data.complaints.masking import mask_numbers
    from data.complaints.masks import ACCOUNT, EMAIL, NAME

    masked = mask_numbers(identifier)
    return any(label in masked and label not in identifier for label in (ACCOUNT, EMAIL, NAME))


def _is_masked_as_name(identifier: str) -> bool:
    from data.complaints.masking import mask_names

    return mask_names(identifier) != identifier
