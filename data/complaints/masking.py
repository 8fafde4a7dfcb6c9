"""Masking of personal data (152-ФЗ): contacts, documents, full names, and the flat told beside a name.

In: a cleaned text. Out: the same text with the masks of `masks.py` in place of what tells who a person is. The one
way in for all that is logged, stored, trained on or sent; masking a masked text changes nothing.
"""

from typing import NewType

from data.complaints.cleaning import clean_text
from data.complaints.contacts_masking import mask_contacts, mask_phones
from data.complaints.documents_masking import mask_birth_dates_beside_names, mask_documents
from data.complaints.flats_masking import flat_spans
from data.complaints.masks import FLAT, NAME, replaced
from data.complaints.names_masking import left_over_spans, name_spans

MaskedText = NewType("MaskedText", str)
"""A text that `masked` has made: the only kind that is classified and stored."""


def masked(text: str) -> MaskedText:
    """The text as training reads it: cleaned, without personal data. The one place that makes it so."""
    return MaskedText(mask(clean_text(text)))


def mask(text: str) -> str:
    """A cleaned text without personal data: numbers, e-mails, accounts, full names."""
    text = mask_numbers(text)
    again = _masked_once(text)
    while again != text:  # what is gone can make its neighbour visible
        text, again = again, _masked_once(again)
    return text


def mask_numbers(text: str) -> str:
    """The text without contacts and documents: rules only, so it is fast."""
    return mask_phones(mask_documents(mask_contacts(text)))


def mask_names(text: str) -> str:
    """The text without full names of people and the flats and dates of birth beside them."""
    text = replaced(text, name_spans(text), NAME)
    text = replaced(text, left_over_spans(text), NAME)
    return mask_birth_dates_beside_names(replaced(text, flat_spans(text), FLAT))


def _masked_once(text: str) -> str:
    return mask_numbers(mask_names(text))
