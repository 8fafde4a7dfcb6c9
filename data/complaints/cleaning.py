"""Text cleaning: what is left of a complaint when its transport is taken away.

In: a text as it came from an export or a request. Out: the same words on one line: no tags,
entities, mojibake, OOXML escapes (`_x000D_`), control or invisible characters. Letters of a look-alike alphabet stay as
they are, for they may be meant. The classifier calls this too, so it is idempotent and quick:
plain Russian text, which nearly all of it is, skips the HTML parser and ftfy.
"""

import html
import re
import unicodedata

from data.tables.cells import decode_escapes

_PLAIN = re.compile(r"[\t\n\r -~А-Яа-яЁё№«»„“”—–…]*")
"""Characters that need no repair…"""
_MOJIBAKE = re.compile(r"[РС][№«»„“”—–…Ёё]")
"""…unless they are UTF-8 read as cp1251, where every Russian letter becomes Р or С and a sign."""
_MARKUP = re.compile(r"<[a-zA-Z/!?]")
_UNCLOSED = re.compile(r"<(?=[^<>]*(?:<|\Z))")
"""A tag without its end; thousands of them would keep the parser busy for seconds."""
_BLOCK = re.compile(r"</?(?:br|p|div|li|ul|ol|tr|td|th|hr|h[1-6]|table|blockquote)\b[^<>]*>", re.IGNORECASE)
"""A tag that parts words; the others, like <b>, may stand inside one."""
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffd\ud800-\udfff]"
)
_BLANK = re.compile("[\\s\u115f\u1160\u2800\u3164\uffa0]+")
_LOOKALIKES = str.maketrans("AaBCcEeHKMOoPpTXxy", "АаВСсЕеНКМОоРрТХху")
_MIXED = re.compile(r"\b(?=[A-Za-z]*[А-Яа-яЁё])(?=[А-Яа-яЁё]*[A-Za-z])[AaBCcEeHKMOoPpTXxyА-Яа-яЁё]{2,}\b")
"""A word of both alphabets whose Latin letters all look Cyrillic."""
_STRESS = re.compile("(?<=[АЕИОУЫЭЮЯаеиоуыэюя])[\u0300\u0301]")
_PASSES = 6
"""Text escaped or mis-decoded more often than this is not a complaint."""


def clean_text(text: str) -> str:
    """The text without markup, mojibake and odd characters, in NFC, on one line."""
    for _ in range(_PASSES):
        cleaned = _clean_once(text)
        if cleaned == text:
            return cleaned
        text = cleaned
    return _BLANK.sub(" ", re.sub("[<&]", " ", text)).strip()


def folded(name: str) -> str:
    """The name as names are compared: case, ё, underscores, Latin look-alikes and spaces do not matter."""
    return " ".join(in_cyrillic(name).casefold().replace("ё", "е").replace("_", " ").split())


def in_cyrillic(text: str) -> str:
    """The text, character for character, with the look-alike Latin letters of Cyrillic words («Пocaд») in Cyrillic."""
    if text.isascii() or not _MIXED.search(text):
        return text
    return _MIXED.sub(lambda word: word[0].translate(_LOOKALIKES), text)


def _clean_once(text: str) -> str:
    text = decode_escapes(text)
    if _MARKUP.search(text):
        text = _without_tags(text)
    elif "&" in text:
        text = html.unescape(text)
    if not _PLAIN.fullmatch(text) or _MOJIBAKE.search(text):
        text = _repaired(text)
    return _BLANK.sub(" ", text).strip()


def _without_tags(text: str) -> str:
    from bs4 import BeautifulSoup

    text = _BLOCK.sub(" ", _UNCLOSED.sub(" ", text))
    return BeautifulSoup(text, "html.parser").get_text()


def _repaired(text: str) -> str:
    import ftfy

    text = ftfy.fix_text(text, unescape_html=False, uncurl_quotes=False, explain=False)
    return _STRESS.sub("", unicodedata.normalize("NFC", _INVISIBLE.sub("", text)))
