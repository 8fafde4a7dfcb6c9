"""Where full names of people are in a text.

In: a cleaned text. Out: spans of *full* names: «Иванова Мария Петровна», «Петров И. С.», «анна сергеевна»,
«ИВАНОВУ ИВАНУ», «Мамедов Эльдар Рашид оглы», «Мария фон Штерн», «синицына о.п.». Found by natasha's NER, by rules
and by its dictionary, each where the others are blind: the tagger in lower case and capitals, the dictionary in names
from other languages. People that a street or a school is named after stay, for an address is what a complaint is about.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator

from data.complaints.cleaning import in_cyrillic
from data.complaints.latin_names import latin_name_spans
from data.complaints.masks import Span
from data.complaints.name_dictionary import agreeing_readings, is_likeliest, may_be, may_be_surname, people_tagger
from data.complaints.named_after import PATRONYMIC, is_named_after

_WORD = r"[А-ЯЁ](?:[а-яё]+|[А-ЯЁ]+)(?:-[А-ЯЁ](?:[а-яё]+|[А-ЯЁ]+))?"
_INITIAL = r"[А-ЯЁ]\."
_INITIALS = re.compile(
    rf"(?<![\w.-])(?:{_WORD}[.,/]? {{0,2}}{_INITIAL} ?{_INITIAL}(?: ?{_INITIAL})?(?![А-ЯЁ\d])"
    rf"|{_WORD}(?:[.,] {{0,2}}| {{1,2}}){_INITIAL} ?[А-ЯЁ](?![\w.])"
    rf"|{_INITIAL} ?{_INITIAL} ?{_WORD}(?!\w))"
)
_SURNAME_ENDING = (
    r"(?:(?:[оеё]в|[иы]н)(?:а|у|ым|ой|е|ых)?|ко|[ую]к(?:а|у)?|ян(?:а|у)?|(?:ск|цк)(?:ий|ая|ого|ому|ой|им|ую)"
    r"|дзе|швили|их|ых)"
)
_SURNAME = rf"[А-ЯЁ][а-яёА-ЯЁ-]*(?i:{_SURNAME_ENDING})"
_WITH_PATRONYMIC = re.compile(rf"(?<![\w-])(?:{_SURNAME} )?{_WORD} {PATRONYMIC}(?: {_SURNAME})?(?![\w-])")
_PERHAPS_NAME = re.compile(
    rf"(?:{_WORD}|{_INITIAL}) {{0,2}}(?!В(?:ы|ас|ам|аш\w*)\b)[А-ЯЁ](?:[а-яё]{{2}}|[А-ЯЁ]{{3}}|\.)"
)

_RUSSIAN = r"[А-ЯЁа-яё]+(?:-[А-ЯЁа-яё]+)?"
_PERHAPS_PATRONYMIC = re.compile(
    r"(?<= )[А-ЯЁа-яё]{2,}(?:[иы]ч(?:а|у|ем|е)?|(?:вн|чн|шн)(?:а|ы|е|у|ой|ою))(?![\w-])", re.IGNORECASE
)
_WORDS_BEFORE = re.compile(rf"(?<![\w\[-])(?:({_RUSSIAN}) {{1,2}})?({_RUSSIAN}) {{1,2}}$")
_WORD_BEHIND = re.compile(rf" {{1,2}}({_RUSSIAN})(?![\w-])")
LONGEST_NAME = 60
"""Characters before a patronymic in which its name and surname are looked for."""
_TWO_WORDS = re.compile(
    r"(?<![\w\[.-])([А-ЯЁ](?:[а-яё]+|[А-ЯЁ]{2,})(?:-[А-ЯЁ][а-яёА-ЯЁ]+)?)"
    r"(?= {1,2}([А-ЯЁ](?:[а-яё]+|[А-ЯЁ]{2,})(?:-[А-ЯЁ][а-яёА-ЯЁ]+)?)(?![\w\]-]))"
)
_PERHAPS_SON_OF = re.compile(r"огл|-оол|[кгқ][ыи]з|угли|ўғли|уул|улы|ұлы|қызы", re.IGNORECASE)
_SON_OF = re.compile(
    rf"(?<![\w\[-])((?:{_RUSSIAN} {{1,2}}){{1,3}}|(?:{_RUSSIAN} {{1,2}}){{0,2}}{_RUSSIAN}-)"
    r"(?:огл[ыуи]|[кгқ][ыи]зы|[кқ]изи|угли|ўғли|уул[ую]|ұлы|улы|[кқ]ызы|(?<=-)оол[ауе]?)(?![\w-])",
    re.IGNORECASE,
)
"""Turkic patronymics: «Рашид оглы», «Эльчин кызы», «Бахром угли», «Асан уулу», «Рашид-оглы»; Tuvan «Кара-оол»."""
_NEXT_WORD = re.compile(r" ([А-ЯЁ][А-ЯЁа-яё-]+)(?!\w)")
_PARTICLE = r"(?:фон дер|фон|ван дер|ван ден|ван де|ван|де ла|дель|де|ди|дю|ла|ле|аль|эль|ибн|бин|бен|тер|дос|сан)"
_WITH_PARTICLE = re.compile(rf"(?<![\w\[-])({_RUSSIAN}) {_PARTICLE}[ -]({_RUSSIAN})(?![\w-])")
_SMALL_INITIALS = re.compile(
    r"(?<![\w.\[-])(?:(?P<before>[а-яё]{3,}(?:-[а-яё]{3,})?) (?P<one>[а-яё])\. ?(?P<two>[а-яё])(?:\.|(?![\w.]))"
    r"|(?P<three>[а-яё])\. ?(?P<four>[а-яё])\. ?(?P<after>[а-яё]{3,}(?:-[а-яё]{3,})?))(?![\w-])"
)
_ABBREVIATIONS = frozenset([
    "тк", "тд", "тп", "те", "ио", "нэ", "гр", "сг", "рп", "го", "мо", "дк", "кп", "пг", "вт", "см", "мн", "юа",
    "зп", "рф", "по", "об", "лс", "пм", "чп", "пс", "жк", "мр", "ук", "во", "са",
])  # fmt: skip
"""«и т.д.», «г.р.», «р.п.», «д.к.»: two small letters that are no initials."""
_BARE_INITIALS = re.compile(rf"(?<![\w.-])({_SURNAME}) [А-ЯЁ] ?[А-ЯЁ](?!\w)")
_SMALL_PAIR = re.compile(r"(?<![\w\[.-])([а-яё]{3,}(?:-[а-яё]{3,})?)(?= {1,2}([а-яё]{3,}(?:-[а-яё]{3,})?)(?![\w\]-]))")
_ONE_INITIAL = re.compile(
    rf"(?<![\w.-])(?<![А-ЯЁ]\. )(?:{_INITIAL} ?(?P<after>{_SURNAME})"
    rf"|(?P<before>{_SURNAME}) (?:{_INITIAL}|[А-ЯЁ](?=\s*(?:$|[,;)]))))(?![\w-])"
)
_ABBREVIATED = re.compile(rf"(?<![\w-])({_WORD}) [А-ЯЁ][а-яё]{{1,6}}\. {_SURNAME}(?![\w-])")
_INTRODUCED = re.compile(
    r"(?i:\b(?:зовут|заявител[ья]\w*|гражданин\w*|гражданк\w*|жител[ья]\w*|жительниц\w*|собственни\w*|"
    r"фио|ф\. ?и\. ?о\.?|автор|подпись|отправитель|от кого|с уважением|пишет|обратил(?:ся|ась)))[ ,:;—–-]{1,4}"
    rf"(?:(?P<small>{_RUSSIAN}) (?P<small_too>{_RUSSIAN})"
    r"|(?P<latin>[A-Z][a-z]+(?:-[A-Z][a-z]+)? [A-Z][a-z]+(?:-[A-Z][a-z]+)?))(?![\w-])"
)
"""Words behind which even small or Latin letters are a name."""
_HONORIFIC = re.compile(
    r"(?i:\b(?:гражданин\w*|гражданк\w*|гр-н\w*|гр-к\w*|гр\.|г-н\w*|г-ж\w*|господин\w*|госпож\w*|тов\.)) ?"
    rf"({_SURNAME})(?![\w-])"
)
_LEFT_OVER = re.compile(rf"\[ИМЯ\](?: ?{_INITIAL}){{1,2}}(?:[А-ЯЁ](?!\w))?|{_INITIAL} ?(?:{_INITIAL} ?)?\[ИМЯ\]")
"""Initials that a name before or behind them left alone."""

_LEADING = re.compile(
    r"(?:(?:улиц|перекр[её]ст|площад|проспект|посёл|посел|дерев|остановк|соцработник|врач|фельдшер|доктор|"
    r"медсестр|учител|воспитател|директор|тренер|водител|бабушк|дедушк)\w*|\w+(?:йте|ите|ьте))\s+",
    re.IGNORECASE,
)
"""Capitalised words that the tagger takes into a name: a place, a trade, an order."""
_PLACE = re.compile(r"[А-ЯЁ][а-яё]*(?<![сц]к)(?:ый|ого|ому|нном|ая|ую|ое) [\w-]+")
"""«Каменный Брод» is a town; surnames in -ский are not meant."""
_VILLAGE = re.compile(r"[СГДПХ]\. ?[А-ЯЁ][а-яё-]+(?:[оеё]во|[иы]но|ое|ск|цк|ки|ка)")
"""«С. Ключёво» at the beginning of a sentence."""
_GLUED = re.compile(r"(?<=[а-яё])(?=[А-ЯЁ][а-яё]+ [А-ЯЁ][а-яё.])|(?<=[а-яё]{3}[.,!?;:])(?=[А-ЯЁ][а-яё]+ )")
"""«ЗдравствуйтеИван Петров», «помогите.Иван Петров»: a missing space hides a name from every rule."""


def name_spans(text: str) -> list[Span]:
    """Where full names of people are; names of streets, schools and shops are left out."""
    spaced, inserted = _with_missing_spaces(in_cyrillic(text))
    spans = [
        *_with_known_patronymic(spaced),
        *_sons_and_daughters(spaced),
        *_in_dictionary(spaced),
        *_small_initials(spaced),
    ]
    spans += [
        *_with_noble_particle(spaced),
        *_introduced(spaced),
        *_one_initial(spaced),
        *_surnames_after_honorifics(spaced),
        *latin_name_spans(spaced),
        *_small_pairs(spaced),
    ]
    if _PERHAPS_NAME.search(spaced):
        people = (_without_leading(spaced, *span) for span in people_tagger()(spaced, _PERHAPS_NAME))
        spans += [span for span in people if _is_full_name(spaced[slice(*span)])]
        spans += [match.span() for rule in (_WITH_PATRONYMIC, _INITIALS) for match in rule.finditer(spaced)]
        spans += [match.span() for match in _ABBREVIATED.finditer(spaced) if may_be(match[1], "Name")]
    people_only = [span for span in spans if not is_named_after(spaced, *span)]
    return [(start - bisect_left(inserted, start), stop - bisect_left(inserted, stop)) for start, stop in people_only]


def left_over_spans(text: str) -> list[Span]:
    """Initials beside a masked name, with the mask: «[ИМЯ] А.Г.»."""
    return [match.span() for match in _LEFT_OVER.finditer(text)]


def _with_missing_spaces(text: str) -> tuple[str, list[int]]:
    """The text with a space where two words were glued, and where in it those spaces are, in order."""
    glued = [match.start() for match in _GLUED.finditer(text)]
    if not glued:
        return text, []
    ends = [*glued, len(text)]
    pieces = [text[start:stop] for start, stop in zip([0, *glued], ends, strict=True)]
    return " ".join(pieces), [place + count for count, place in enumerate(glued)]


def _with_known_patronymic(text: str) -> Iterator[Span]:
    """«иванова мария петровна»: in lower case only the dictionary knows «петровна» from «духовна»."""
    for patronymic in _PERHAPS_PATRONYMIC.finditer(text):
        first = max(0, patronymic.start() - LONGEST_NAME)
        before = _WORDS_BEFORE.search(text[first : patronymic.start()])
        if before is None or not (may_be(patronymic[0], "Patr") and may_be(before[2], "Name")):
            continue
        behind = _WORD_BEHIND.match(text, patronymic.end())
        with_surname = before[1] is not None and may_be_surname(before[1])
        surname_behind = not with_surname and behind is not None and may_be_surname(behind[1])
        start = first + before.start(1 if with_surname else 2)
        yield start, behind.end() if behind and surname_behind else patronymic.end()


def _sons_and_daughters(text: str) -> Iterator[Span]:
    """«Мамедов Эльдар Рашид оглы», in any case: the father's name, and the words before it that are names."""
    if not _PERHAPS_SON_OF.search(text):
        return
    for match in _SON_OF.finditer(text):
        words = list(re.finditer(_RUSSIAN, match[1]))
        start = words[-1].start()
        for word in reversed(words[:-1]):
            if not (
                word[0][0].isupper()
                or may_be(word[0], "Name")
                or may_be(word[0], "Surn")
                or _ends_like_surname(word[0])
            ):
                break
            if _LEADING.match(word[0] + " "):
                break
            start = word.start()
        stop = match.end()
        if (after := _NEXT_WORD.match(text, stop)) and (
            _ends_like_surname(after[1]) or is_likeliest(after[1], "Name") or "-оол" in match[0].lower()
        ):
            stop = after.end()
        yield match.start() + start, stop


def _with_noble_particle(text: str) -> Iterator[Span]:
    """«Мария фон Штерн», «Ван дер Линден Пётр» has its capital and is the tagger's."""
    for match in _WITH_PARTICLE.finditer(text):
        capitals = match[1][0].isupper() and match[2][0].isupper()
        if may_be(match[1], "Name") and (capitals or (is_likeliest(match[1], "Name") and "фон " in match[0])):
            yield match.span()


def _in_dictionary(text: str) -> Iterator[Span]:
    """«ИВАНОВУ ИВАНУ», «Иванов-Петров Иван»: the tagger is lost in capitals and hyphens.

    Surname and name must agree in gender and case, and one of them be a name first and a word
    second: «МАРТА МАШИНА» is a month and a car.
    """
    for match in _TWO_WORDS.finditer(text):
        if _are_surname_and_name(match[1], match[2]):
            yield match.start(), match.end(2)


def _small_pairs(text: str) -> Iterator[Span]:
    """«абдуллаев магомед»: both words are names before they are anything else, and the surname ends like one."""
    for match in _SMALL_PAIR.finditer(text):
        one, other = match[1], match[2]
        for surname, name in ((one, other), (other, one)):
            unmistakable = _ends_like_surname(surname) and is_likeliest(surname, "Surn") and is_likeliest(name, "Name")
            if unmistakable and agreeing_readings(surname, "Surn") & agreeing_readings(name, "Name"):
                yield match.start(), match.end(2)


def _are_surname_and_name(one: str, other: str) -> bool:
    for surname, name in ((one, other), (other, one)):
        last_part = surname.rpartition("-")[2]  # of «Иванов-Петров»
        sure = is_likeliest(last_part, "Surn") or is_likeliest(name, "Name")
        agree = agreeing_readings(last_part, "Surn") & agreeing_readings(name, "Name")
        ending = is_likeliest(name, "Name") and _ends_like_surname(last_part) and may_be_surname(last_part)
        if (sure and agree) or ending:
            return True
    return False


def _small_initials(text: str) -> Iterator[Span]:
    """«синицына о.п.», «о. п. синицына»."""
    for match in _SMALL_INITIALS.finditer(text):
        initials = (match["one"] or match["three"]) + (match["two"] or match["four"])
        surname = match["before"] or match["after"]
        if (
            initials not in _ABBREVIATIONS
            and may_be(surname, "Surn")
            and (is_likeliest(surname, "Surn") or _ends_like_surname(surname))
        ):
            yield match.span()


def _one_initial(text: str) -> Iterator[Span]:
    """«И.Петренко» and «Петренко И.» too."""
    yield from (match.span() for match in _BARE_INITIALS.finditer(text) if is_likeliest(match[1], "Surn"))
    for match in _ONE_INITIAL.finditer(text):
        if is_likeliest(match["after"] or match["before"], "Surn"):
            yield match.span()


def _introduced(text: str) -> Iterator[Span]:
    """«меня зовут ольга синицына», «Отправитель: Olga Sinitsyna»."""
    for match in _INTRODUCED.finditer(text):
        if match["latin"]:
            yield match.span("latin")
        elif _are_surname_and_name(match["small"], match["small_too"]):
            yield match.start("small"), match.end("small_too")


def _surnames_after_honorifics(text: str) -> Iterator[Span]:
    return (match.span(1) for match in _HONORIFIC.finditer(text) if may_be(match[1], "Surn"))


def _ends_like_surname(word: str) -> bool:
    return re.search(rf"{_SURNAME_ENDING}$", word, re.IGNORECASE) is not None and len(word) > 4


def _is_full_name(name: str) -> bool:
    words = [word for word in re.split(r"[\s.]+", name) if word]
    named = len(words) > 1 and "[" not in name and all(word[0].isupper() for word in words)
    return named and not _PLACE.fullmatch(name) and not _VILLAGE.fullmatch(name)


def _without_leading(text: str, start: int, stop: int) -> Span:
    while leading := _LEADING.match(text, start, stop):
        start = leading.end()
    return start, stop
