"""Masking of personal data: phones, e-mails, accounts, СНИЛС, passports, bank cards and full names.

In: a cleaned text. Out: the same text with `[ТЕЛЕФОН] [ПОЧТА] [АККАУНТ] [СНИЛС] [ПАСПОРТ] [КАРТА]
[ИМЯ]` in their place. Numbers, e-mails and accounts go by rules and check digits; names by
natasha's NER, two rules and a dictionary of names, and only *full* names: «Иванова Мария
Петровна», «Петров И. С.», «анна сергеевна», «ИВАНОВУ ИВАНУ». People that a street or a school is
named after stay, for an address is what a complaint is about.
"""

import re
import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NewType

import phonenumbers
from stdnum import luhn

from data.complaints.cleaning import clean_text

MaskedText = NewType("MaskedText", str)
"""A text that `masked` has made: the only kind that is classified and stored."""

PHONE, EMAIL, ACCOUNT, SNILS, PASSPORT, CARD, NAME = (
    f"[{word}]" for word in ("ТЕЛЕФОН", "ПОЧТА", "АККАУНТ", "СНИЛС", "ПАСПОРТ", "КАРТА", "ИМЯ")
)

_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]+\.)+(?:[A-Za-z0-9_-]+|(?i:рф|рус|дети|москва|бел|укр|қаз)(?!\w))"
)
"""Cyrillic addresses too; a word glued behind the dot («mail.ru.Спасибо») is not their end."""
_ACCOUNT = re.compile(
    r"(?<![\w@.])@(?!(?:club|public|event)[\d\[])[a-z](?:\w|\.(?=\w)){2,31}"
    r"|(?<![\w.])(?:https?://)?(?:www\.|m\.)?(?:(?:t|telegram|wa)\.me|instagram\.com|facebook\.com|fb\.com|ok\.ru/profile"
    r"|(?:vk\.(?:com|ru)|vkontakte\.ru)(?!/(?:(?:wall|photo|video|album|clip|doc|topic|market)-|(?:club|public|event)[\d\[])))"
    r"/[\w.%?=&#/+@-]*\w/?",
    re.IGNORECASE | re.ASCII,
)
"""`@name` and pages of people; posts and pages of VK communities stay."""
_MENTION = re.compile(r"\[id\d+(?::[\w-]+)?\|[^\]\n]{1,100}\]")
"""How VK writes that one user names another."""
_CARD = re.compile(r"(?<![\d:.,/-])[2-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{4}(?:[ -]?\d{2,3})?(?![\d:]|[.,/-]\d)")
_SNILS = re.compile(r"(?<!\d)\d{3}[ -]?\d{3}[ -]?\d{3}[ -]?\d{2}(?!\d)")
_SNILS_NAMED = re.compile(r"(?i:снилс)[^\d\[\n]{0,15}(\d{3}[ -]?\d{3}[ -]?\d{3}[ -]?\d{2})(?!\d)")
_SERIES = r"\d{2} ?\d{2}[ ,;:-]{0,3}(?i:номер|№|n|#)?[ :.]{0,2}\d{6}(?!\d)"
_PASSPORT_NAMED = re.compile(rf"(?i:паспорт|сери[яию])[^\d\[\n]{{0,25}}({_SERIES})")
_PASSPORT = re.compile(r"(?<![\d.,/-] )(?<![\d.,/-])\d{2} \d{2} (?:№ ?)?\d{6}(?! ?\d)")

_PERHAPS_NUMBER = re.compile(r"\d(?:[ ()./‐‑–—-]{0,4}\d){4}")
_GAP = r"[ ()./‐‑–—-]{0,3}"
_NOT_AMOUNT = r"(?!\d|[.,]\d|\s*(?:руб|₽|тыс|млн|млрд|кв\. ?м|куб|%))"
_PHONES = [
    re.compile(rf"(?<![\d:№-])(?:\+ ?7|[78]){_GAP}[3489](?:{_GAP}\d){{9}}{_NOT_AMOUNT}"),
    re.compile(rf"(?<![\d:№.,/-])\(?9\d{{2}}\)?{_GAP}\d{{3}}{_GAP}\d{{2}}{_GAP}\d{{2}}{_NOT_AMOUNT}"),
    re.compile(rf"(?<!\d)\([348]\d{{2,4}}\) ?\d{{1,3}}[ -]?\d{{2}}[ -]?\d{{2}}{_NOT_AMOUNT}"),
]
_PHONE_NAMED = re.compile(
    r"(?:(?i:\b(?:тел|телефон\w*|сот|моб|звоните|позвоните)\b)[^\d\[\n]{0,20}|\[ТЕЛЕФОН\](?:[,;]| и| или) ?)"
    r"(\d{1,3}[ -]\d{2}[ -]\d{2}|\d{6,7})(?![\d%]|[.,:/-]\d)"
)

_WORD = r"[А-ЯЁ](?:[а-яё]+|[А-ЯЁ]+)(?:-[А-ЯЁ](?:[а-яё]+|[А-ЯЁ]+))?"
_INITIAL = r"[А-ЯЁ]\."
_INITIALS = re.compile(rf"(?<![\w.-])(?:{_WORD} {{0,2}}{_INITIAL} ?{_INITIAL}|{_INITIAL} ?{_INITIAL} ?{_WORD})(?!\w)")
_PATRONYMIC = (
    r"[А-ЯЁ](?:[а-яё]+(?:[ое]вич|[ьи]ич)(?:а|у|ем|е)?|[а-яё]+(?:[ое]вн|иничн)(?:а|ы|е|у|ой|ою)"
    r"|[А-ЯЁ]+(?:[ОЕ]ВИЧ|ЬИЧ)(?:А|У|ЕМ|Е)?|[А-ЯЁ]+(?:[ОЕ]ВН|ИНИЧН)(?:А|Ы|Е|У|ОЙ))"
)
_SURNAME = (
    r"[А-ЯЁ][а-яёА-ЯЁ-]*(?i:(?:[оеё]в|[иы]н)(?:а|у|ым|ой|е|ых)?|ко|[ую]к(?:а|у)?|ян(?:а|у)?"
    r"|(?:ск|цк)(?:ий|ая|ого|ому|ой|им|ую))"
)
_WITH_PATRONYMIC = re.compile(rf"(?<![\w-])(?:{_SURNAME} )?{_WORD} {_PATRONYMIC}(?: {_SURNAME})?(?![\w-])")
_PERHAPS_NAME = re.compile(
    rf"(?:{_WORD}|{_INITIAL}) {{0,2}}(?!В(?:ы|ас|ам|аш\w*)\b)[А-ЯЁ](?:[а-яё]{{2}}|[А-ЯЁ]{{3}}|\.)"
)

_RUSSIAN = r"[А-ЯЁа-яё]+(?:-[А-ЯЁа-яё]+)?"
_PERHAPS_PATRONYMIC = re.compile(
    rf"(?<![\w\[-])(?:({_RUSSIAN}) {{1,2}})?({_RUSSIAN}) {{1,2}}"
    rf"([а-яё]{{2,}}(?:[иы]ч(?:а|у|ем|е)?|(?:вн|чн|шн)(?:а|ы|е|у|ой|ою)))(?: {{1,2}}({_RUSSIAN}))?(?![\w-])",
    re.IGNORECASE,
)
_CAPITALS = re.compile(r"(?<![\w\[-])([А-ЯЁ]{3,}(?:-[А-ЯЁ]{3,})?)(?= {1,2}([А-ЯЁ]{3,}(?:-[А-ЯЁ]{3,})?)(?![\w\]-]))")

_NAMED_AFTER = re.compile(
    r"(?<!\w)(?:ул|улиц\w*|пл|площад(?:ь|и|ью|ей|ям)|пр|пр-т\w*|пр-кт\w*|просп|проспект\w*|пер|переул\w*|б-р\w*|"
    r"бул|бульвар\w*|ш|шоссе|наб|набережн\w*|проезд(?:а|у|е|ом)?|тупик\w*|алле\w*|лини[яи]|им|имени|"
    r"сквер\w*|парк(?:а|у|е|ом)?|мкр|микрорайон\w*|памятник\w*|остановк\w*|ост|перекр[её]ст\w*|[дсхп]\.|"
    r"дер|деревн\w*|сел[оае]|пос[её]л(?:ок|к\w+)|хутор\w*)[.,]?\s*(?:имени|им\.)?\s*[«\"]?\s*$",
    re.IGNORECASE,
)
_ADDRESS_FOLLOWS = re.compile(
    r"[»\"]?\s*(?:(?:ул|улиц\w*|пл|площад\w*|пр-т\w*|просп|проспект\w*|пер|переул\w*|бульвар\w*|б-р\w*|"
    r"шоссе|набережн\w*)\b|,?\s*(?:д|дом\w*|стр|корп\w*)\.?\s*№?\s*\d|,?\s*№?\s*\d{1,3}(?![\d.]|\s*(?:лет|год)))",
    re.IGNORECASE,
)
_EPONYM = re.compile(
    r"(?:карл|роз|клар|лев|льв|максим|юри|степан|богдан|павлик|зо[яиею]|софь|дмитри|емельян|александр|"
    r"валери|фридрих|борщевик|серги|пётр|петр|дед|алексе|владимир|лиз|олег|михаил|георги)\w* "
    r"(?:маркс|либкнехт|люксембург|цеткин|толст|горьк|гагарин|разин|хмельницк|морозов|космодемьянск|"
    r"перовск|донск|пугачёв|пугачев|невск|пушкин|чкалов|энгельс|радонежск|великого|великому|мороз|матросов|"
    r"ленин|чайкин|кошев|сосновск|лермонтов|ломоносов|фрунзе|жуков)",
    re.IGNORECASE,
)

_LEADING = re.compile(
    r"(?:(?:улиц|перекр[её]ст|площад|проспект|посёл|посел|дерев|остановк|соцработник|врач|фельдшер|доктор|"
    r"медсестр|учител|воспитател|директор|тренер|водител|бабушк|дедушк)\w*|\w+(?:йте|ите|ьте))\s+",
    re.IGNORECASE,
)
"""Capitalised words that the tagger takes into a name: a place, a trade, an order."""
_PLACE = re.compile(r"[А-ЯЁ][а-яё]*(?<![сц]к)(?:ый|ого|ому|нном|ая|ую|ое) [\w-]+")
"""«Каменный Брод» is a town; surnames in -ский are not meant."""


SENTENCES = 4096
"""Sentences whose names are remembered."""


def masked(text: str) -> MaskedText:
    """The text as training reads it: cleaned, without personal data. The one place that makes it so."""
    return MaskedText(mask(clean_text(text)))


def mask(text: str) -> str:
    """A cleaned text without personal data: numbers, e-mails, accounts and full names."""
    text = mask_numbers(text)
    again = mask_numbers(mask_names(text))
    while again != text:  # what is gone can make its neighbour visible
        text, again = again, mask_numbers(mask_names(again))
    return text


def mask_numbers(text: str) -> str:
    """The text without e-mails, accounts, cards, СНИЛС, passports and phones: rules only, so it is fast."""
    if "@" in text:
        text = _EMAIL.sub(EMAIL, text)
    if "@" in text or "/" in text:
        text = _ACCOUNT.sub(ACCOUNT, text)
    if "|" in text:
        text = _MENTION.sub(NAME, text)
    if not _PERHAPS_NUMBER.search(text):
        return text
    text = _SNILS_NAMED.sub(_group(SNILS), text)
    text = _PASSPORT_NAMED.sub(_group(PASSPORT), text)
    text = _CARD.sub(_if(_is_card, CARD), text)
    text = _SNILS.sub(_if(_is_snils, SNILS), text)
    text = _PASSPORT.sub(PASSPORT, text)
    for pattern in _PHONES:
        text = pattern.sub(PHONE, text)
    while (named := _PHONE_NAMED.sub(_group(PHONE), text)) != text:  # «по телефонам … и …»
        text = named
    return _replaced(text, _foreign_phones(text), PHONE)


def mask_names(text: str) -> str:
    """The text without full names of people; names of streets and schools stay."""
    found = [*_with_known_patronymic(text), *_in_capitals(text)]
    if _PERHAPS_NAME.search(text):
        people = (_trimmed(text, *span) for span in _tagger()(text))
        found += [span for span in people if _is_full_name(text[slice(*span)])]
        found += [match.span() for rule in (_WITH_PATRONYMIC, _INITIALS) for match in rule.finditer(text)]
    return _replaced(text, [span for span in found if not _is_address(text, *span)], NAME)


def _group(label: str) -> Callable[[re.Match[str]], str]:
    """Replaces the first group of a match and keeps the word that gave it away."""
    return lambda match: match[0][: match.start(1) - match.start()] + label


def _if(check: Callable[[str], bool], label: str) -> Callable[[re.Match[str]], str]:
    return lambda match: label if check("".join(filter(str.isdigit, match[0]))) else match[0]


def _is_card(digits: str) -> bool:
    return len(digits) in (16, 18, 19) and bool(luhn.is_valid(digits))


def _is_snils(digits: str) -> bool:
    """Check digits as the Social Fund defines them; phones, which begin with 79, 89, are not tried."""
    if digits[:2] in ("79", "89"):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits[:9], range(9, 0, -1), strict=True))
    return total > 0 and total % 101 % 100 == int(digits[9:])


def _foreign_phones(text: str) -> Iterator[tuple[int, int]]:
    """Phones the rules miss, written with `+`: phonenumbers knows every country's plan."""
    if "+" not in text:
        return
    for match in phonenumbers.PhoneNumberMatcher(text, "RU"):
        if match.raw_string.startswith("+"):
            yield match.start, match.end


@lru_cache(maxsize=1)
def _tagger() -> Callable[[str], Iterator[tuple[int, int]]]:
    """The news NER of natasha (27 MB, about a second to load), once a process.

    It sees only a few words to each side, so sentences without a possible name are left out. A masked text is
    looked through once more, and mailings repeat themselves: sentences are remembered, in this process only.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from natasha import NewsEmbedding, NewsNERTagger, Segmenter
        from threadpoolctl import ThreadpoolController

        segmenter, ner = Segmenter(), NewsNERTagger(NewsEmbedding())
        threads = ThreadpoolController()

    @lru_cache(maxsize=SENTENCES)
    def people_in(sentence: str) -> list[tuple[int, int]]:
        with threads.limit(limits=1, user_api="blas"):  # matrices this small lose time on many threads
            (markup,) = ner.map([sentence])
        return [(span.start, span.stop) for span in markup.spans if span.type == "PER"]

    def people(text: str) -> Iterator[tuple[int, int]]:
        for part in segmenter.sentenize(text):
            if _PERHAPS_NAME.search(part.text):
                yield from ((part.start + start, part.start + stop) for start, stop in people_in(part.text))

    return people


def _with_known_patronymic(text: str) -> Iterator[tuple[int, int]]:
    """«иванова мария петровна»: in lower case only the dictionary knows «петровна» from «духовна»."""
    for match in _PERHAPS_PATRONYMIC.finditer(text):
        if not (_grammemes(match[3], "Patr") and _grammemes(match[2], "Name")):
            continue
        before, after = (match[group] is not None and bool(_grammemes(match[group], "Surn")) for group in (1, 4))
        yield match.start(1 if before else 2), match.end(4 if after and not before else 3)


def _in_capitals(text: str) -> Iterator[tuple[int, int]]:
    """«ИВАНОВУ ИВАНУ»: the tagger is lost in capitals.

    Surname and name must agree in gender and case, and one of them be a name first and a word
    second: «МАРТА МАШИНА» is a month and a car.
    """
    for match in _CAPITALS.finditer(text):
        for surname, name in ((match[1], match[2]), (match[2], match[1])):
            sure = any(kind in _readings(word)[0].tag for word, kind in ((surname, "Surn"), (name, "Name")))
            if sure and _grammemes(surname, "Surn") & _grammemes(name, "Name"):
                yield match.start(), match.end(2)


def _grammemes(word: str, kind: str) -> frozenset[tuple[str, str]]:
    """Gender and case of every reading of the word as a name of that kind."""
    tags = [reading.tag for reading in _readings(word)]
    return frozenset((str(tag.gender), str(tag.case)) for tag in tags if kind in tag and "plur" not in tag)


@lru_cache(maxsize=10_000)
def _readings(word: str) -> list[Any]:
    """What the word may be, the likeliest first."""
    readings: list[Any] = _dictionary().parse(word.lower())
    return readings


@lru_cache(maxsize=1)
def _dictionary() -> Any:
    """The morphology of natasha, half a second to load, once a process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from natasha import MorphVocab

        return MorphVocab()


def _is_full_name(name: str) -> bool:
    words = [word for word in re.split(r"[\s.]+", name) if word]
    named = len(words) > 1 and "[" not in name and all(word[0].isupper() for word in words)
    return named and not _PLACE.fullmatch(name)


def _trimmed(text: str, start: int, stop: int) -> tuple[int, int]:
    while leading := _LEADING.match(text, start, stop):
        start = leading.end()
    return start, stop


def _is_address(text: str, start: int, stop: int) -> bool:
    """Is the person at this place only what a street, school or stop is named after?"""
    if _EPONYM.match(text[start:stop]) or _NAMED_AFTER.search(text[max(0, start - 30) : start]):
        return True
    patronymic = re.search(rf"{_PATRONYMIC}\b", text[start:stop])
    return not patronymic and _ADDRESS_FOLLOWS.match(text[stop : stop + 20]) is not None


def _replaced(text: str, spans: Iterator[tuple[int, int]] | list[tuple[int, int]], label: str) -> str:
    """The text with every span, overlapping ones as one, replaced by `label`."""
    pieces: list[str] = []
    end = 0
    for start, stop in sorted(spans):
        if start < end:
            end = max(end, stop)
            continue
        pieces += [text[end:start], label]
        end = stop
    return "".join([*pieces, text[end:]])
