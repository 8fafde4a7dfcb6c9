"""Russian names in Latin letters: «Olga Petrova», «SIDOROV IVAN PETROVICH», «olga ivanovna petrova».

In: a text. Out: where such names are. The one decision: the words are written back in Cyrillic and looked up in the
same dictionary as all others, so that brands («Kia Rio», «Google Play») stay.
"""

import re
from collections.abc import Iterator

from data.complaints.masks import Span
from data.complaints.name_dictionary import is_likeliest, may_be

_SOUNDS = {
    "shch": "щ", "sch": "щ", "zh": "ж", "kh": "х", "ch": "ч", "sh": "ш", "ts": "ц", "tz": "ц", "ck": "ск",
    "yu": "ю", "ju": "ю", "iu": "ю", "ya": "я", "ja": "я", "ia": "ия", "yo": "ё", "jo": "ё", "ye": "е", "je": "е",
    "iy": "ий", "yy": "ый", "ay": "ай", "ai": "ай", "ey": "ей", "oy": "ой", "ph": "ф", "lg": "льг", "sky": "ский",
    "a": "а", "b": "б", "c": "к", "d": "д", "e": "е", "f": "ф", "g": "г", "h": "х", "i": "и", "j": "й", "k": "к",
    "l": "л", "m": "м", "n": "н", "o": "о", "p": "п", "q": "к", "r": "р", "s": "с", "t": "т", "u": "у", "v": "в",
    "w": "в", "x": "кс", "y": "ы", "z": "з",
}  # fmt: skip
_SOUND = re.compile("|".join(sorted(_SOUNDS, key=len, reverse=True)))
_WORD = r"[A-Za-z]{2,}(?:-[A-Za-z]{2,})?"
_TWO_OR_THREE = re.compile(rf"(?<![\w\[@./-])({_WORD}) {{1,2}}({_WORD})(?: {{1,2}}({_WORD}))?(?![\w@/-]|\.\w)")
_PATRONYMIC = re.compile(r"[A-Za-z]+(?:[oe]vi?[ct]h|[iy]i?ch|[oe]vna|ichna)", re.IGNORECASE)
_SURNAME = re.compile(
    r"[a-z-]+(?:[oe]va?|[iy]na?|enko|u[ck]k?|yan|dze|shvili|[sc]k(?:y|i|ii|iy|ij|aya|aia|aja)|[iy]kh)", re.IGNORECASE
)


def latin_name_spans(text: str) -> Iterator[Span]:
    """A patronymic with a name; or a surname and a name, both with capitals."""
    position = 0
    while (match := _TWO_OR_THREE.search(text, position)) is not None:
        words = [word for word in match.groups() if word]
        span = _name_in(words, [match.span(number) for number in range(1, len(words) + 1)])
        if span is not None:
            yield span
        position = span[1] if span is not None else match.end(1)


def _name_in(words: list[str], places: list[Span]) -> Span | None:
    """The place of the words from the first, if they are a name."""
    for count in range(len(words), 1, -1):
        part = words[:count]
        patronymic = next((word for word in part[1:] if _PATRONYMIC.fullmatch(word)), None)
        capitals = all(word[0].isupper() for word in part)
        given = any(_is_given(word) for word in part)
        if patronymic is not None and (given or capitals) and (count == 2 or capitals or _has_surname(part)):
            return places[0][0], places[count - 1][1]
        if count == 2 and capitals and given and _has_surname(part):
            return places[0][0], places[1][1]
    return None


def _has_surname(words: list[str]) -> bool:
    return any(_SURNAME.fullmatch(word) and may_be(_cyrillic(word.rpartition("-")[2]), "Surn") for word in words)


def _is_given(word: str) -> bool:
    cyrillic = _cyrillic(word)
    return is_likeliest(cyrillic, "Name") or is_likeliest(re.sub(r"(?<=[тлн])(?=я)|(?<=[рл])$", "ь", cyrillic), "Name")


def _cyrillic(word: str) -> str:
    return re.sub("ы$", "ий", _SOUND.sub(lambda sound: _SOUNDS[sound[0]], word.lower()))
