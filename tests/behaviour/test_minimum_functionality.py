"""What the classifier must know: complaints that any operator would label at sight.

An official would accept one slip in ten on complaints as plain as these, and no sector that the
classifier hardly knows.
"""

import pytest

from models.classifier.classifier import Classifier
from tests.behaviour.complaints import OBVIOUS


def _sectors(classifier: Classifier, texts: list[str]) -> list[str]:
    return [item.sector.label for item in classifier.classify(texts)]


def test_nine_in_ten_obvious_complaints_get_their_sector(classifier: Classifier):
    pairs = [(sector, text) for sector, texts in OBVIOUS.items() for text in texts]
    given = _sectors(classifier, [text for _, text in pairs])
    wrong = [f"{text} → {label}" for (sector, text), label in zip(pairs, given, strict=True) if label != sector]
    assert len(wrong) <= 0.1 * len(pairs), "\n".join(wrong)


def test_the_right_sector_is_among_the_three_an_operator_sees(classifier: Classifier):
    pairs = [(sector, text) for sector, texts in OBVIOUS.items() for text in texts]
    given = classifier.classify([text for _, text in pairs])
    missed = [
        text
        for (sector, text), item in zip(pairs, given, strict=True)
        if sector not in {proposal.label for proposal in item.alternatives["sector"]}
    ]
    assert len(missed) <= 0.02 * len(pairs), "\n".join(missed)


@pytest.mark.parametrize("sector", OBVIOUS)
def test_no_sector_is_a_stranger(classifier: Classifier, sector: str):
    given = _sectors(classifier, OBVIOUS[sector])
    wrong = [f"{text} → {label}" for text, label in zip(OBVIOUS[sector], given, strict=True) if label != sector]
    assert len(wrong) <= 3, "\n".join(wrong)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Лифт не работает, застрял с коляской между этажами", "Лифт не работает"),
        ("Не вывозят мусор, баки переполнены вторую неделю", "Не вывозят мусор"),
        ("Огромная яма на дороге посреди улицы", "Ямы на дороге"),
        ("Не горят фонари на всей улице", "Не горят фонари"),
        ("Стая бездомных собак у детского сада", "Бездомные собаки"),
        ("Скорая помощь ехала два часа", "Скорая помощь"),
        ("Светофор на нашем перекрёстке не работает сутки", "Светофор"),
        ("Не ловит мобильная связь, телефон без сети", "Мобильная связь"),
        ("Отключили электричество во всей деревне", "Отключение электричества"),
        ("Из крана бежит грязная ржавая вода", "Грязная вода из крана"),
        ("На почте очередь, посылку не отдают", "Почта"),
        ("Спасибо большое за отзывчивость и помощь", "Благодарность"),
    ],
)
def test_plain_words_get_their_topic(classifier: Classifier, text: str, topic: str):
    assert classifier.classify([text])[0].topic.label == topic
