"""Of 500 invented messages: are all names, phones and e-mails found, and is nothing else taken for one?"""

import random
from itertools import islice, product

import pytest

from data.complaints.masking import mask
from tsur.samples import sample_complaints

SURNAMES = [
    ("Синицын", "Синицына"),
    ("Кротов", "Кротова"),
    ("Петренко", "Петренко"),
    ("Черных", "Черных"),
    ("Зайнуллин", "Зайнуллина"),
    ("Оганесян", "Оганесян"),
    ("Вишневский", "Вишневская"),
    ("Мамедов", "Мамедова"),
    ("Ким", "Ким"),
    ("Шульга", "Шульга"),
]
MEN = [("Иван", "Петрович"), ("Пётр", "Ильич"), ("Рустам", "Маратович"), ("Лев", "Сергеевич"), ("Артур", "Гагикович")]
WOMEN = [
    ("Ольга", "Павловна"),
    ("Анна", "Ильинична"),
    ("Гульнара", "Рашидовна"),
    ("Зоя", "Фоминична"),
    ("Вера", "Львовна"),
]
PLACES = [
    "Здравствуйте, не вывозят мусор третий день. {}",
    "{} просит убрать снег у подъезда.",
    "Прошу принять меры. Заявитель: {}, Лесная 4",
    "Во дворе яма, машины бьются! С уважением, {}",
    "Меня зовут {}, я пенсионер.",
    "обратилась(лся) {} по вопросу отопления",
    "У нас течёт крыша.{}",
    "Уважаемый {}! Когда будет горячая вода?",
]
PHONES = [
    "8 900 000-12-34",
    "+7(900)0001234",
    "89000001234",
    "8-900-000-12-34",
    "8.900.000.12.34",
    "900 000 12 34",
    "8 (4722) 20-12-34",
    "(4722) 20-12-34",
    "тел. 20-12-34",
    "т. 200-12-34",
    "89OO0001234",
    "8_900_000_12_34",
    "+375 29 000 12 34",
    "тел:201234",
]
MAILS = [
    "olga.k@mail.example.ru",
    "olga@почта.рф",
    "olga @ mail.ru",
    "olga@mail,ru",
    "olga собака mail.ru",
    "o-k[at]mail.ru",
]


def names() -> list[str]:
    """Full names as people write them."""
    written = []
    for (man, woman), him, her in product(SURNAMES, MEN, WOMEN):
        for surname, (name, patronymic) in ((man, him), (woman, her)):
            written += [
                f"{surname} {name} {patronymic}",
                f"{name} {patronymic} {surname}",
                f"{name} {patronymic}",
                f"{surname} {name}",
                f"{surname} {name[0]}.{patronymic[0]}.",
                f"{name[0]}. {patronymic[0]}. {surname}",
                f"{surname} {name} {patronymic}".lower(),
                f"{surname} {name} {patronymic}".upper(),
                f"{name} {patronymic}".lower(),
            ]
    written += [f"{surname} {father} {son} оглы" for (surname, _), (father, _), (son, _) in product(SURNAMES, MEN, MEN)]
    return sorted(set(written))


@pytest.fixture(scope="module")
def messages() -> list[tuple[str, str, str]]:
    """Messages with a name and a contact in each."""
    draw = random.Random(0)
    chosen = draw.sample(names(), 500)
    contacts = [draw.choice([*PHONES, *MAILS]) for _ in chosen]
    return [(draw.choice(PLACES).format(name), name, contact) for name, contact in zip(chosen, contacts, strict=True)]


def test_nearly_every_full_name_is_found(messages: list[tuple[str, str, str]]):
    left = []
    for text, name, _ in messages:
        masked = mask(text)
        if any(word in masked for word in name.replace(".", " ").split() if len(word) > 3):
            left.append((text, masked))
    assert len(left) <= 0.02 * len(messages), left


def test_every_phone_and_mail_is_found(messages: list[tuple[str, str, str]]):
    left = []
    for text, _, contact in messages:
        masked = mask(f"{text} {contact}")
        if any(part in masked for part in ("000", "12", "34", "mail", "olga", "@")):
            left.append(masked)
    assert left == []


def test_hardly_anything_else_is_taken_for_personal_data():
    """Of the bundled sample, in which each real-looking name, phone or mail stands behind its own sign."""
    texts = sample_complaints()["text"].tolist()
    anonymous = [text for text in texts if "[" not in text]  # the sample is read masked: these hold nothing personal
    assert len(anonymous) > 2000
    changed = [text for text in islice(anonymous, 0, None, 3) if mask(text) != text]
    assert changed == []
