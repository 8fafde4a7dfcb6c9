"""Masking of personal data (152-ФЗ): contacts, documents, full names, and the flat told beside a name.

In: a cleaned text. Out: the same text with the masks of `masks.py` in place of what tells who a person is. The one
way in for all that is logged, stored, trained on or sent; masking a masked text changes nothing.
"""

from data.complaints.contacts_masking import mask_contacts, mask_phones
from data.complaints.documents_masking import mask_birth_dates_beside_names, mask_documents
from data.complaints.flats_masking import flat_spans
from data.complaints.masks import FLAT, NAME, replaced
from data.complaints.names_masking import left_over_spans, name_spans


def mask(text: str) -> str:
    """The text without personal data: numbers, e-mails, accounts, full names."""
    text = mask_numbers(text)
    masked = _masked_once(text)
    while masked != text:  # what is gone can make its neighbour visible
        text, masked = masked, _masked_once(masked)
    return text


def mask_numbers(text: str) -> str:
    """The text without contacts and documents: rules only, so it is fast."""
    text = mask_contacts(text)
    return mask_phones(mask_documents(text)) if any(map(str.isdigit, text)) else mask_phones(text)


def mask_names(text: str) -> str:
    """The text without full names of people and the flats and dates of birth beside them."""
    text = replaced(text, name_spans(text), NAME)
    text = replaced(text, left_over_spans(text), NAME)
    return mask_birth_dates_beside_names(replaced(text, flat_spans(text), FLAT))


def _masked_once(text: str) -> str:
    return mask_numbers(mask_names(text))
