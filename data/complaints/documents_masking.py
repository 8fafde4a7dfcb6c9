"""Masking of documents: СНИЛС, passports, bank cards, ИНН of people, policies, dates of birth.

In: a cleaned text. Out: the same text with `[СНИЛС] [ПАСПОРТ] [КАРТА] [ИНН] [ПОЛИС] [ДАТА]` in their place.
By check digits where there are any, else by the word before them.
"""

import re
from collections.abc import Callable

from stdnum import luhn

from data.complaints.masks import BIRTH_DATE, CARD, PASSPORT, POLICY, SNILS, TAX_NUMBER

_CARD = re.compile(r"(?<![\d:.,/-])[2-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{4}(?:[ -]?\d{2,3})?(?![\d:]|[.,/-]\d)")
_CARD_NAMED = re.compile(r"(?i:\bкарт(?:а|у|ы|е|ой|очк\w*)\b)[^\d\[\n]{0,15}(\d{4}(?:[ -]?\d{4}){3})(?!\d)")
_SNILS = re.compile(r"(?<!\d)\d{3}[ -]?\d{3}[ -]?\d{3}[ -]?\d{2}(?!\d)")
_SNILS_NAMED = re.compile(r"(?i:снилс)[^\d\[\n]{0,15}(\d{3}[ -]?\d{3}[ -]?\d{3}[ -]?\d{2})(?!\d)")
_SERIES = r"\d{2} ?\d{2}[ ,;:-]{0,3}(?i:номер|ном\.?|№|n|#)?[ :.]{0,2}\d{3} ?\d{3}(?! ?\d)"
_PASSPORT_NAMED = re.compile(rf"(?i:паспорт\w*|пасп\b|сери[яию]|\bсер\.)[^\d\[\n]{{0,25}}({_SERIES})")
_PASSPORT = re.compile(
    r"(?<![\d.,/-] )(?<![\d.,/-])\d{2} \d{2} (?:№ ?)?\d{6}(?! ?\d)"
    r"|(?<![\d.,/№-] )(?<![\d.,/№-])\d{4} (?:№ ?)?\d{6}(?! ?\d|[.,/-]\d)"
)
_ACCOUNT_BEFORE = re.compile(
    r"(?:сч[её]т\w*|л/с|лс|договор\w*|заявк\w*|обращени\w*|показани\w*|номер\w*|№)[^\d\n]{0,12}$", re.I
)
_TAX_NUMBER = re.compile(r"(?i:\bинн\b)[^\d\[\n]{0,15}(\d{12})(?!\d)")
_POLICY = re.compile(r"(?i:\bполис\w*|\bомс\b)[^\d\[\n]{0,15}(\d{4}(?:[ -]?\d{4}){3})(?!\d)")

_MONTH = r"(?:янв|фев|мар|апр|ма[йя]|июн|июл|авг|сен|окт|ноя|дек)[а-я]*"
_DATE = (
    r"(?:\d{1,2}[./-] ?\d{1,2}[./-] ?\d{2}(?:\d{2})?|\d{1,2} \d{1,2} \d{4}|(?:19|20)\d{2}-\d{2}-\d{2}"
    rf"|\d{{1,2}} {_MONTH}\.? \d{{4}})"
)
_YEAR_OF_BIRTH = rf"(?:{_DATE}|(?:19|20)\d{{2}})"
_BORN = re.compile(
    r"(?:\b(?:дата рождения|день рождения|родил(?:ся|ась)|рожд[её]н\w*|рождения|д\.? ?р\.?)[ :,–—-]{0,3}(?:я |в )?"
    rf"(?P<after>{_YEAR_OF_BIRTH})"
    rf"|(?<!\d)(?P<before>{_YEAR_OF_BIRTH})(?=,? ?\(?(?:г\.? ?р\b|г\.? ?рожд|года? рожд|рожд)))",
    re.IGNORECASE,
)
_PERHAPS_BORN = re.compile(r"рожд|родил|[гд]\.? ?р(?!\w)", re.IGNORECASE)
_PERHAPS_DOCUMENT = re.compile(r"\d(?:[^\d\n]{0,12}\d){9}")
"""Ten digits are the fewest: of a passport."""
_AFTER_NAME = re.compile(
    r"(?<=\[ИМЯ\])[ ,;:(]{1,3}(?:г\.? ?р\.? ?)?"
    rf"(\d{{1,2}}[./]\d{{1,2}}[./](?:19\d\d|200\d)|\d{{1,2}} {_MONTH} (?:19\d\d|200\d))(?!\d)",
    re.I,
)
"""A date of the last century beside a name is no day of a complaint."""


def mask_documents(text: str) -> str:
    """The text without numbers of documents and dates of birth."""
    if _PERHAPS_BORN.search(text):
        text = _BORN.sub(_birth_date, text)
    if not _PERHAPS_DOCUMENT.search(text):
        return text
    text = _SNILS_NAMED.sub(_first_group(SNILS), text)
    text = _PASSPORT_NAMED.sub(_first_group(PASSPORT), text)
    text = _TAX_NUMBER.sub(_first_group(TAX_NUMBER), text)
    text = _POLICY.sub(_first_group(POLICY), text)
    text = _CARD_NAMED.sub(_first_group(CARD), text)
    text = _CARD.sub(_if(_is_card, CARD), text)
    text = _SNILS.sub(_if(_is_snils, SNILS), text)
    return _PASSPORT.sub(
        lambda match: (
            match[0] if _ACCOUNT_BEFORE.search(text[max(0, match.start() - 25) : match.start()]) else PASSPORT
        ),
        text,
    )


def mask_birth_dates_beside_names(text: str) -> str:
    """«[ИМЯ], 12.03.1958»: a date of birth that only the name before it gives away."""
    return _AFTER_NAME.sub(_first_group(BIRTH_DATE), text) if "[ИМЯ]" in text else text


def _birth_date(match: re.Match[str]) -> str:
    group = "after" if match["after"] else "before"
    start, stop = match.start(group) - match.start(), match.end(group) - match.start()
    return match[0][:start] + BIRTH_DATE + match[0][stop:]


def _first_group(mask: str) -> Callable[[re.Match[str]], str]:
    """Replaces the first group of a match and keeps the word that gave it away."""
    return lambda match: match[0][: match.start(1) - match.start()] + mask + match[0][match.end(1) - match.start() :]


def _if(check: Callable[[str], bool], mask: str) -> Callable[[re.Match[str]], str]:
    return lambda match: mask if check("".join(filter(str.isdigit, match[0]))) else match[0]


def _is_card(digits: str) -> bool:
    return len(digits) in (16, 18, 19) and bool(luhn.is_valid(digits))


def _is_snils(digits: str) -> bool:
    """Check digits as the Social Fund defines them; phones, which begin with 79, 89, are not tried."""
    if digits[:2] in ("79", "89"):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits[:9], range(9, 0, -1), strict=True))
    return total > 0 and total % 101 % 100 == int(digits[9:])
