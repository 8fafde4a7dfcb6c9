"""What the models read of a complaint: the contract of training and serving.

In: a text as it came, and the name of its municipality where that is known. Out: the string that the tokenizer and the
n-grams are given. Training and serving both make it here, so that a model is served what it was taught.
"""

from functools import lru_cache

from data.complaints.cleaning import clean_text
from models.text.normalisation import normalised

MUNICIPALITIES = 1024
"""Names whose normalised form is remembered: a region has 10 to 60 of them, an installation several regions."""


def normalised_text(text: str) -> str:
    """The text alone, cleaned and normalised."""
    return normalised(clean_text(text))


def with_municipality(text: str, municipality: str | None) -> str:
    """A normalised text behind the name of its municipality, which often decides on the agency."""
    return f"{_normalised_name(municipality)}. {text}" if municipality else text


def model_input(text: str, municipality: str | None) -> str:
    """What encoder and n-grams read of a text that came from a municipality, None where unknown."""
    return with_municipality(normalised_text(text), municipality)


_normalised_name = lru_cache(maxsize=MUNICIPALITIES)(normalised)
