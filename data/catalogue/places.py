"""Names of places as they are compared: «г. Курск», «Курск г.», «город Курск», «ГО Курск» are one place.

In: a place as an export, a request or a catalogue writes it. Out: the keys under which it may be known, the strictest
first: as it is written; without the words that say what kind of place it is; the same of each part of an address.
"""

import re
from collections.abc import Iterator
from typing import Literal

from data.complaints.cleaning import folded

PlaceNote = Literal["unknown_municipality", "no_municipality"]
"""What a decision says of its place: the catalogue does not know it, or none was named. It was made without one."""

_KINDS = [
    r"г(?:ор)?\.? ?о(?:кр)?\.?", r"городск\w+ округ\w*",
    r"мун(?:иц)?(?:ипальн\w+|\.) ?(?:округ\w*|район\w*|р-о?н\.?|образовани\w*)",
    r"администраци\w+",
    r"м\.? ?о\.?", r"м\.? ?р(?:-н)?\.?", r"м\.? ?р-?н\.?", r"(?:городск|сельск)\w+ поселени\w*", r"[гс]\.? ?п\.?",
    "зато", r"город(?:а|-курорт|-герой)?", r"гор\.?", r"г\.?", r"район\w{0,2}", r"р-о?н\.?", r"рн\.?", "округ",
    "пос[её]лок городского типа", "рабочий пос[её]лок", r"пгт\.?", r"р\.? ?п\.?", "пос[её]лок", r"пос\.?", r"п\.?",
    "село", r"с\.?", "деревня", r"дер\.?", r"д\.?", "станица", "ст-ца", "хутор", r"х\.?",
]  # fmt: skip
_KIND = re.compile(rf"(?<!\w)(?:{'|'.join(_KINDS)})(?!\w)")
"""Kinds of municipalities and settlements with their abbreviations; compared in lower case, ё as е."""
_REGION = re.compile(
    r"(?<!\w)(?:[\w-]+(?:ская|ской|ский|ского) (?:обл\w*\.?|кра[йя])|республик\w* [\w-]+"
    r"|российская федерация|россия)(?!\w)"
)
_URBAN = re.compile(r"(?<!\w)(?:городск\w+ округ\w*|г\.? ?о\.?)(?!\w)")
_PUNCTUATION = re.compile(r"[«»\"'().,;]+")


def place_keys(name: str) -> Iterator[str]:
    """Keys of a place, the strictest first; each only once."""
    whole = folded(name)
    parts = [whole, *(part.strip() for part in re.split("[,()]", whole) if part != whole)]
    keys = [key for part in parts for key in (part, without_kind(part))]
    keys += [re.sub("ского$", "ский", without_kind(part)) for part in parts]  # «Алмазовского района»
    if "администраци" in whole:  # «Администрация города Курска»
        keys += [re.sub("(?<=[бвгджзклмнпрстфхцчшщ])а$", "", without_kind(part)) for part in parts]
    if _URBAN.search(whole):  # «Верхнереченский городской округ» is Верхнереченск; «Курский район» is not Курск
        keys += [re.sub(r"ск(?:ий|ого)$", "ск", without_kind(part)) for part in parts]
    return iter(dict.fromkeys(filter(None, keys)))


def without_kind(name: str) -> str:
    """A folded name without its region and words such as «город», «р-н»; itself where nothing else would be left."""
    bare = " ".join(_PUNCTUATION.sub(" ", _KIND.sub(" ", _REGION.sub(" ", name))).split())
    return bare or name
