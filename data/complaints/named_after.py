"""What bears a person's name without being one: streets, schools, stops, shops.

In: a text and where a name is in it. Out: whether that is part of an address or of an organisation, which stay, for
they are what a complaint is about. A patronymic or an initial is the sign of a person.
"""

import re

PATRONYMIC = (
    r"[А-ЯЁ](?:[а-яё]+(?:[ое]вич|[ьи]ич)(?:а|у|ем|е)?|[а-яё]+(?:[ое]вн|иничн)(?:а|ы|е|у|ой|ою)"
    r"|[А-ЯЁ]+(?:[ОЕ]ВИЧ|ЬИЧ)(?:А|У|ЕМ|Е)?|[А-ЯЁ]+(?:[ОЕ]ВН|ИНИЧН)(?:А|Ы|Е|У|ОЙ))"
)
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
    r"ленин|чайкин|кошев|сосновск|лермонтов|ломоносов|фрунзе|жуков)"
    r"|[а-яё]\. ?(?:маркс|либкнехт|люксембург|цеткин|горького|гагарин|космодемьянск|перовской|невск|пушкин|чкалов|"
    r"энгельс|маяковск|есенин|дзержинск|крупск|франко|белинск|герцен|чернышевск|добролюбов|лермонтов|фрунзе|"
    r"матросов)",
    re.IGNORECASE,
)
_ORGANISATION = re.compile(
    r"(?:\b(?:магазин\w*|салон\w*|кафе|аптек\w*|ресторан\w*|гостиниц\w*|отел\w*|кинотеатр\w*|"
    r"ооо|оао|зао|пао|ао|торгов\w+ сет\w*)[ ,]{0,2}[«\"]?"
    r"|\b(?:ук|тсж|тсн|тц|трц|тк|жк|фирм\w*|компани\w*|сет[иь]|бренд\w*|пекарн\w*|"
    r"клиник\w*|центр\w*|школ\w*|лагер\w*|фонд\w*|театр\w*|теплоход\w*) ?[«\"])$",
    re.IGNORECASE,
)
"""What is called by a person's name without being one."""


def is_named_after(text: str, start: int, stop: int) -> bool:
    """Is the person at this place only what a street, school, stop or shop is named after?"""
    name, before = text[start:stop], text[max(0, start - 30) : start]
    if _EPONYM.match(name) or _NAMED_AFTER.search(before) or _ORGANISATION.search(before):
        return True
    surely_a_person = re.search(rf"{PATRONYMIC}\b|(?<!\w)[А-ЯЁ]\.", name)
    return not surely_a_person and _ADDRESS_FOLLOWS.match(text[stop : stop + 20]) is not None
