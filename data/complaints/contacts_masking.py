"""Masking of contacts: e-mails, accounts in social networks and messengers, phones.

In: a cleaned text. Out: the same text with `[ПОЧТА]`, `[АККАУНТ]`, `[ТЕЛЕФОН]` in their place. Rules only, so it is
fast enough for every log line. They lean towards masking: a bill's number taken for a phone costs a classifier nothing.
"""

import re
from collections.abc import Iterator

from data.complaints.masks import ACCOUNT, EMAIL, NAME, PHONE, Span, replaced

_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]+\.)+(?:[A-Za-z0-9_-]+|(?i:рф|рус|дети|москва|бел|укр|қаз)(?!\w))"
)
"""Cyrillic addresses too; a word glued behind the dot («mail.ru.Спасибо») is not their end."""
_PROVIDER = (
    r"(?:mail|gmail|g-mail|googlemail|yandex|ya|bk|list|inbox|internet|rambler|lenta|icloud|outlook|hotmail|live|proton|"
    r"мейл|мэйл|майл|мэил|маил|гмейл|гмайл|джимейл|жмейл|яндекс|я|рамблер|бк|лист|инбокс)"
)
_AT = r"(?: ?[(\[{<]? ?(?:@|собак[аи]|собачка|sobaka|at|эт|гав) ?[)\]}>]? ?)"
_DOT = r"(?: ?[(\[]? ?(?:[.,]|точка|dot) ?[)\]]? ?| )"
_TLD = r"(?:ru|рф|ру|com|ком|net|org|su|by|kz|ua|uz|me|info|pro)"
_SPELT_EMAIL = re.compile(
    rf"(?<![\w.+-])(?:[\w.+-]{{1,64}}{_AT}{_PROVIDER}{_DOT}{_TLD}"
    r"|[\w.+-]{1,64} ?@ ?(?:mail|gmail|yandex|ya|bk|list|inbox|rambler)(?![.\w-])"
    rf"|[\w.+-]{{1,64}} ?@ ?[\w-]+(?:[.,] ?[\w-]+)*?[.,] ?{_TLD})(?![\w@])",
    re.IGNORECASE,
)
"""«olga @ mail.ru», «olga@mail,ru», «ivan собака mail точка ru», «ivan[at]mail.ru»."""
_PERHAPS_EMAIL = re.compile(r"@|[Сс]обач?к|СОБА|[Ss]obaka|[\w)\]] ?[(\[{]? ?(?:at|AT|эт|гав)\b")

_COMMUNITY = r"(?:club|public|event)[\d\[]"
_ACCOUNT = re.compile(
    rf"(?<![\w@.])@(?!{_COMMUNITY})[a-z](?:\w|\.(?=\w)){{2,31}}"
    r"|(?<![\w.])tg://[\w?=&.-]+"
    r"|(?<![\w.])(?:https?://)?(?:www\.|m\.|mobile\.)?"
    r"(?:(?:t|telegram|wa)\.me|instagram\.com|facebook\.com|fb\.com|twitter\.com|x\.com|tiktok\.com|threads\.(?:net|com)"
    r"|(?:ok|odnoklassniki)\.ru(?!/(?:group|games?|video|topic|music|help)\b)"
    r"|max\.ru(?!/(?:join|download)\b)"
    r"|(?:dzen|zen\.yandex)\.ru(?!/(?:a|b|news|video|articles|media)\b)|zen\.yandex\.ru/(?:profile|user|id)"
    r"|my\.mail\.ru/(?:mail|bk|list|inbox)"
    r"|youtube\.com/(?:@|c/|user/|channel/)(?=\w)|rutube\.ru/(?:channel|u)|pikabu\.ru/@(?=\w)"
    rf"|(?:vk\.(?:com|ru)|vkontakte\.ru)(?!/(?:(?:wall|photo|video|album|clip|doc|topic|market)-|{_COMMUNITY})))"
    r"(?:/|(?<=[@/]))[\w.%?=&#/+@-]*\w/?",
    re.IGNORECASE | re.ASCII,
)
"""`@name` and pages of people; posts and pages of communities stay."""
_PERHAPS_PAGE = re.compile(r"[a-zA-Z]/|://")
_NAMED_ACCOUNT = re.compile(
    r"(?<!\w)(?i:скайп|skype|дискорд|discord|icq|аська)[ :—-]{1,4}([A-Za-z][A-Za-z0-9_.:#-]{3,31})"
    r"|(?<!\w)(?i:телеграм\w*|telegram|тг|tg|инст[аеуы]|инстаграм\w*|instagram|вк|vk|вконтакте|макс|max)[ :—-]{1,4}"
    r"((?=[A-Za-z.-]*[\d_])[A-Za-z][A-Za-z0-9_.]{3,31}(?<!\.))(?![\w/]|\.\w)"
)
"""A name that has to hold a digit or a dash below where the word before it is also one of everyday talk."""
_MENTION = re.compile(
    rf"\[id\d+(?::[\w-]+)?\|[^\]\n]{{1,100}}\]|[*@](?!{_COMMUNITY})[A-Za-z][\w.]{{2,31}} ?\([^()\[\]\n]{{1,100}}\)",
    re.ASCII,
)
"""How VK writes that one user names another: `[id1|Ольга]`, `*id1 (Ольга)`, `@olga (Ольга)`."""
_BARE_MENTION = re.compile(r"(?<!\w)(?:\*id\d+|\*(?=[a-z_.]*[a-z]\b)(?!\w+\*)[a-z][\w.]{4,31}(?= ?,| ?\())", re.ASCII)

_PERHAPS_NUMBER = re.compile(r"\d(?:[ ()./_*~‐‑–—−-]{0,4}[\dOoОоЗз]){4}")
_LETTERS_FOR_DIGITS = re.compile(
    r"(?<![^\W_])(?=[OoОоЗзlI]*\d)[\dOoОоЗзlI]+(?![^\W_])|(?<=[\dOОоo][ -])[OОоo]{2,3}(?=[ -]\d)"
)
_DIGITS = str.maketrans("OoОоЗзlI", "00003311")
_GAP = r"[ ()./_*~‐‑–—−-]{0,3}"
_NOT_AMOUNT = r"(?!\d|[.,]\d|\s*(?:руб|р\.|₽|тыс|млн|млрд|кв\.? ?м|куб|%|кг|вт|гкал|км|квт))"
_PHONES = [
    re.compile(r"(?<![\d+])(?:[78]9\d{9}){2,4}(?!\d)"),  # two phones without a space
    re.compile(r"(?<!\d)\+?[78]9\d{9}(?!\d|[.,]\d)"),
    re.compile(rf"(?<![\d№-])(?<!\d:)(?:\+ ?7|[78]){_GAP}[3489](?:{_GAP}\d){{9}}{_NOT_AMOUNT}"),
    re.compile(rf"(?<![\d№-])(?<!\d[:.,/])\(?9\d{{2}}\)?{_GAP}\d{{3}}{_GAP}\d{{2}}{_GAP}\d{{2}}{_NOT_AMOUNT}"),
    re.compile(rf"(?<!\d)\([348]\d{{2,4}}\) ?\d{{1,3}}[ -]?\d{{2}}[ -]?\d{{2}}{_NOT_AMOUNT}"),
    re.compile(rf"(?<![\w+])\+ ?[1-69]\d{{0,2}}(?:{_GAP}\d){{8,12}}{_NOT_AMOUNT}"),  # another country's (E.164)
    re.compile(r"(?<![\d:№.,/+–-])\d{3}-\d{2}-\d{2}(?![\d–-]|[.,]\d)"),
    re.compile(
        r"(?<![\d:№.,/+–-])(?<!\d )\d{3}[ -]\d{2}[ -]\d{2}"
        r"(?:(?: ?[,;и/] ?| )\d{3}[ -]\d{2}[ -]\d{2}){1,4}(?! ?\d|[.,]\d)"
    ),
]
"""The last but one: a city's seven digits as nobody writes another number; the last: a list of such."""
_LOCAL = r"\d{1,3}[ -]\d{2}[ -]\d{2}|\d{3}\.\d{2}\.\d{2}|\d{3}[ -]\d{3}|\d{3}[ -]\d{4}|\d{5,7}"
_PHONE_NAMED = re.compile(
    r"(?:(?i:\b(?:тел|телефон\w*|сот(?:ов\w*)?|моб(?:ильн\w*)?|факс\w*|звоните|позвоните|перезвоните|звонить|звонил\w*|"
    r"набирать|вотс?ап\w*|ватс?ап\w*|whats ?app|viber|вайбер\w*|диспетчер\w*|контакт\w*|связ[иь])\b)[^\d\[\n]{0,20}"
    r"|(?<![\d ]\s)(?<![\w.])(?i:(?:[дрсм]\. ?)?т|тлф|тф|ф)[.:] ?|\[ТЕЛЕФОН\](?:[,;/]| и| или)? ?)"
    rf"({_LOCAL})(?!\d{{1,2}}[.:]|[\d%]|[.:/-]\d|,\d"
    r"|\s*(?:руб|₽|тыс|млн|кв\.? ?м|раз\b|дн|час|мин\b|год|лет\b|домо?в?\b|квартир))"
)
_NUMBER_WORD = (
    r"(?:ноль|нуль|один|одна|два|две|три|четыре|пять|шесть|семь|восемь|девять|десять|[а-я]{2,8}надцать|двадцать|тридцать|"
    r"сорок|(?:пять|шесть|семь|восемь)десят|девяносто|сто|двести|триста|четыреста|(?:пять|шесть|семь|восемь|девять)сот)"
)
_SPELT_PHONE = re.compile(
    rf"\b(?:(?:плюс[ ,]+)?(?:семь|восемь)[ ,-]+)?(?:девятьсот|девять)(?:[ ,-]+{_NUMBER_WORD}){{5,}}\b", re.IGNORECASE
)


def mask_contacts(text: str) -> str:
    """The text without e-mails, accounts and mentions of users; phones are `mask_phones`'."""
    if _PERHAPS_EMAIL.search(text):
        text = _SPELT_EMAIL.sub(EMAIL, _EMAIL.sub(EMAIL, text))
    if "|" in text or "(" in text:
        text = _MENTION.sub(NAME, text)
    if "*" in text:
        text = _BARE_MENTION.sub(ACCOUNT, text)
    if "@" in text or _PERHAPS_PAGE.search(text):
        text = _ACCOUNT.sub(ACCOUNT, text)
    return replaced(text, (match.span(match.lastindex or 0) for match in _NAMED_ACCOUNT.finditer(text)), ACCOUNT)


def mask_phones(text: str) -> str:
    """The text without phones, in digits (some of which may be letters that look like them) or in words."""
    if "евят" in text or "ЕВЯТ" in text:
        text = _SPELT_PHONE.sub(PHONE, text)
    if not _PERHAPS_NUMBER.search(text):
        return text
    for pattern in _PHONES:
        text = replaced(text, (match.span() for match in pattern.finditer(_in_digits(text))), PHONE)
    while (masked := replaced(text, _named_phones(text), PHONE)) != text:  # «по телефонам … и …»
        text = masked
    return text


def _named_phones(text: str) -> Iterator[Span]:
    """Short numbers behind a word that says they are phones."""
    return (match.span(1) for match in _PHONE_NAMED.finditer(_in_digits(text)))


def _in_digits(text: str) -> str:
    """The text, character for character, with letters typed for digits («89OOO001234») as digits."""
    return _LETTERS_FOR_DIGITS.sub(lambda match: match[0].translate(_DIGITS), text)
