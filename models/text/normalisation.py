"""What the models read: a text without what tells how it was typed.

In: a cleaned, masked text. Out: the same words in lower case without ё, accents, invisible and
look-alike letters, letters drawn out or spaced out; a text wholly in transliteration becomes
Cyrillic, if a dictionary says that it is Russian. Marks such as [ТЕЛЕФОН], addresses and real
Latin words stay. Training and serving both call it, so these cannot change a decision.
"""

import re
import unicodedata
import warnings
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice, product
from typing import Any

from data.complaints.masks import MASKS

_MARK = re.compile("|".join(map(re.escape, MASKS)), re.IGNORECASE)
_INVISIBLE = re.compile("[\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
_ACCENT = re.compile("[\u0300-\u036f\u0483-\u0489]")

_LATIN = re.compile("[a-z]")
_CYRILLIC = re.compile("[\u0400-\u04ff]+")
_FOREIGN = re.compile("[^\\W\\d_a-z\u0400-\u04ff]")
_ALIKE = str.maketrans("abcehkmoptxyáàéèëóòýαβεηκμορτχυςσ", "авсенкмортхуааеееооуавенкмортхусс")
_RUSSIAN = re.compile("[а-я]+")
_OTHER = re.compile("[a-záàéèëóòýα-ω]")
_MIXED = re.compile(
    "(?<![а-яa-z])(?:[а-я]++[a-záàéèëóòýα-ω]|[a-záàéèëóòýα-ω]++[а-я])[а-яa-záàéèëóòýα-ω]*",
)
"""A word in two alphabets."""
_LONE = re.compile(r"(?<![^\W\d]|[./@:'’&+-])(?<![^\W\d]\d)(?<![.-]\d)[abcehkmoptxy]{1,5}(?![\w/@'’&+-]|[.:]\w)")
_SHORT_WORDS = re.compile("[авкосу]|[нт][еоа]|от|[вск]о|нет|вот|[кт]ак|кто|[вн]ас|мне|мост|тема|место")
"""Russian words that can be typed wholly in Latin look-alikes; «max», «tab» and «pc» are Latin."""

_DRAWN_OUT = re.compile(r"([а-я])\1{2,}")
_REPEATED = re.compile(r"([^\w\s/])\1+")
_OUTCRY = re.compile(r"[!?][!?]+")
_TWO_LONE = re.compile(r" [а-я] [а-я](?!\w)")
_SPACED = re.compile(r"(?<![\w.])(?:[а-я] ){2,}[а-я](?!\w)")
_ONE_LETTER_WORDS = frozenset("абвжикосуя ")


def normalised(text: str) -> str:
    """The text as every model reads it; idempotent, some 20 µs for 200 characters of plain Russian."""
    text = _alphabet(_plain(text))
    if _is_transliterated(text):
        text = " ".join(_to_cyrillic(part) for part in text.split(" "))
    text = _shortened(text)
    if _TWO_LONE.search(text):
        text = _shortened(_SPACED.sub(_joined, text))
    return _MARK.sub(lambda mark: mark[0].upper(), text) if "[" in text else text


def _plain(text: str) -> str:
    """One case, no ё, no accents, nothing invisible."""
    text = text.lower()
    if not text.isascii():
        text = unicodedata.normalize("NFC", _INVISIBLE.sub("", text))
        text = _ACCENT.sub("", text).replace("ё", "е").replace("ѐ", "е").replace("ѝ", "и").replace("…", ".")
    return text


def _alphabet(text: str) -> str:
    """Look-alikes of other alphabets in Russian words as Russian letters."""
    if text.isascii() or not _OTHER.search(text):
        return text
    text = _MIXED.sub(_unmixed, text)
    if _cyrillic_letters(text) > len(_LATIN.findall(text)):
        text = _LONE.sub(_unmasked_word, text)
    return text


def _cyrillic_letters(text: str) -> int:
    return sum(map(len, _CYRILLIC.findall(text)))


def _unmixed(word: re.Match[str]) -> str:
    """«дoрoга» in Russian letters; «smsка» has Latin letters that look like no Russian one."""
    russian = word[0].translate(_ALIKE)
    return russian if _RUSSIAN.fullmatch(russian) else word[0]


def _unmasked_word(word: re.Match[str]) -> str:
    russian = word[0].translate(_ALIKE)
    return russian if _SHORT_WORDS.fullmatch(russian) else word[0]


def _shortened(text: str) -> str:
    """Letters drawn out and signs repeated, once each."""
    text = _OUTCRY.sub(lambda run: "?" if "?" in run[0] else "!", text)
    return _REPEATED.sub(r"\1", _DRAWN_OUT.sub(r"\1", text))


def _joined(run: re.Match[str]) -> str:
    """«я м а» as a word; «а я к вам» has only letters that are words by themselves."""
    return run[0] if _ONE_LETTER_WORDS.issuperset(run[0]) else run[0].replace(" ", "")


_ADDRESS = re.compile(r"://|www\.|@|\.(?:ru|com|net|org|info|su|me|рф)\b")
_WORD = re.compile(r"(?<![^\W_])[a-z46][a-z46'’]*")
_UNIT = re.compile("shch|sch|sh|ch|zh|kh|ts|tz|[yj][aoue]|.")
_READINGS = {
    **{"shch": "щ", "sch": "щ сч", "sh": "ш щ сх", "ch": "ч щ", "zh": "ж", "kh": "х кх", "ts": "ц тс", "tz": "ц"},
    **{"ya": "я ья ъя ыа", "yo": "е ье ъе йо", "yu": "ю ью", "ye": "е ье ъе ые"},
    **{"ja": "я ья", "jo": "е ье", "ju": "ю ью", "je": "е ье ъе"},
    **dict(zip("abdefgiklmnoprstuvz", "абдефгиклмнопрстувз", strict=True)),
    **{"l": "л ль", "i": "и й", "c": "ц с к", "h": "х г", "j": "й ж", "q": "к", "w": "в ш", "x": "х кс", "y": "ы й"},
    **{"4": "4 ч", "6": "6 ш", "'": "ь ъ", "’": "ь ъ"},
}
"""What each unit of transliteration may be, the likeliest first."""
_VOWELS = frozenset("aeiouy")
_PREFIX_ENDS = frozenset("bdsz")
_CONSONANTS = frozenset("bvdznlmrstfc") | {"ch", "sh", "zh"}
_VARIANTS = 96
"""Readings of a word that are looked up."""
_LONGEST = 40
"""Letters: what is longer is no word, and readings multiply with every letter."""
_ENOUGH = 0.7
"""Share of the letters that must belong to words a dictionary knows."""
_FOREIGN_WORDS = re.compile(
    r"\b(?:the|is|are|and|of|to|in|on|no|it|for|with|that|this|you|have|not|der|die|das|und|ist|nicht|eine?|mit|auf"
    r"|l[ae]s?|et|est|une|des|pas|que|el|los|por|il|che|di|je|se|nie|jest|ve|bir|bu|bilan)\b"
)


def _is_transliterated(text: str) -> bool:
    """Is this Russian in Latin letters? Nearly no Cyrillic, and mostly words that Russian has."""
    if not _LATIN.search(text) or _cyrillic_letters(text) > len(text) // 2:
        return False
    bare = " ".join(part for part in _MARK.sub(" ", text).split() if not _ADDRESS.search(part))
    latin = len(_LATIN.findall(bare))
    if latin < 4 or 10 * _cyrillic_letters(bare) > latin or _FOREIGN.search(bare):
        return False
    words = re.findall("[a-z]+(?:[46'’][a-z]+)*", bare)
    long = [word for word in words if len(word) > 3] or words
    known = sum(len(word) for word in long if _read(word)[1])
    foreign = len(_FOREIGN_WORDS.findall(bare))
    return known >= _ENOUGH * sum(map(len, long)) and 3 * foreign <= len(words)


def _to_cyrillic(part: str) -> str:
    return part if _ADDRESS.search(part) else _WORD.sub(lambda word: _read(word[0])[0], part)


@lru_cache(maxsize=20_000)
def _read(word: str) -> tuple[str, bool]:
    """A transliterated word in Cyrillic, and whether the dictionary knows it; else its likeliest reading."""
    readings = _readings(word)
    first = next(readings)
    if not 1 < len(word) <= _LONGEST:
        return first, False
    dictionary = _dictionary()
    for reading in (first, *islice(readings, _VARIANTS)):
        if dictionary.word_is_known(reading):
            return reading, True
    return first, False


def _readings(word: str) -> Iterator[str]:
    """Every reading of a word, the likeliest first."""
    units = _UNIT.findall(word)
    options = [_READINGS[unit].split() for unit in units]
    for place, unit in enumerate(units):
        if unit == "y" and (place == 0 or units[place - 1][-1] in _VOWELS):
            options[place] = ["й", "ы"]
        elif unit == "i" and not (place and units[place - 1][-1] in _VOWELS):
            options[place] = ["и"]
        elif unit == "e" and place == 0:
            options[0] = ["э", "е"] if word.startswith("et") else ["е", "э"]
        elif unit == "e" and place < 4 and units[place - 1] in _PREFIX_ENDS:
            options[place] = ["е", "ъе"]
    if units[-1] in _CONSONANTS:
        options.append(["", "ь"])
    return map("".join, product(*options))


@lru_cache(maxsize=1)
def _dictionary() -> Any:
    """The morphology of natasha, half a second to load, once a process and only for Latin texts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from natasha import MorphVocab

        return MorphVocab()
