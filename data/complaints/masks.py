"""Masks: what stands in place of personal data, and how spans of a text are replaced by one."""

from collections.abc import Iterable

PHONE, EMAIL, ACCOUNT, SNILS, PASSPORT, CARD, NAME, BIRTH_DATE, FLAT, TAX_NUMBER, POLICY = (
    f"[{word}]"
    for word in (
        "ТЕЛЕФОН", "ПОЧТА", "АККАУНТ", "СНИЛС", "ПАСПОРТ", "КАРТА", "ИМЯ", "ДАТА", "КВАРТИРА", "ИНН", "ПОЛИС"
    )
)  # fmt: skip
MASKS = (PHONE, EMAIL, ACCOUNT, SNILS, PASSPORT, CARD, NAME, BIRTH_DATE, FLAT, TAX_NUMBER, POLICY)

Span = tuple[int, int]
"""First character and the one behind the last."""


def replaced(text: str, spans: Iterable[Span], mask: str) -> str:
    """The text with every span, overlapping ones as one, replaced by `mask`."""
    pieces: list[str] = []
    end = 0
    for start, stop in sorted(spans):
        if start < end:
            end = max(end, stop)
            continue
        pieces += [text[end:start], mask]
        end = stop
    return "".join([*pieces, text[end:]])
