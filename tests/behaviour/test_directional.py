"""What must change a decision: another place, another subject, another sense."""

import pytest

from models.classifier.classifier import Classifier


@pytest.mark.parametrize(
    ("text", "agencies"),
    [
        (
            "На нашей улице глубокая яма, объехать нельзя",
            {
                "verkhnerechensk": "Комитет дорожного хозяйства города Верхнереченска",
                "novozavodsk": "Администрация города Новозаводска",
                "kamenny-brod": "Администрация города Каменный Брод",
                "polyansky": "Администрация Полянского района",
            },
        ),
        (
            "Не горят фонари во дворе, очень темно",
            {
                "verkhnerechensk": "Комитет благоустройства города Верхнереченска",
                "sosnogorye": "Администрация городского округа Сосногорье",
                "lugovetsky": "Администрация Луговецкого района",
            },
        ),
        (
            "В квартире холодно, батареи еле тёплые",
            {
                "verkhnerechensk": "МУП «Теплосеть» города Верхнереченска",
                "staroluchye": "Государственная жилищная инспекция Верхнереченской области",
            },
        ),
        (
            "Бездомные собаки нападают на прохожих",
            {
                "novozavodsk": "Администрация города Новозаводска",
                "dubravinsky": "Управление ветеринарии Верхнереченской области",
            },
        ),
        (
            "Автобус опять не пришёл по расписанию",
            {
                "verkhnerechensk": "Управление транспорта города Верхнереченска",
                "olshansky": "Министерство транспорта Верхнереченской области",
            },
        ),
        (
            "Места в детском саду не дают, очередь не движется",
            {
                "verkhnerechensk": "Управление образования города Верхнереченска",
                "maryinsky": "Администрация Марьинского района",
            },
        ),
    ],
)
def test_another_municipality_has_its_own_agency(classifier: Classifier, text: str, agencies: dict[str, str]):
    answers = classifier.classify([text] * len(agencies), list(agencies))
    assert [answer.agency.label for answer in answers] == list(agencies.values())


@pytest.mark.parametrize(
    ("text", "sector", "other", "other_sector"),
    [
        ("Нет света во дворе, фонари не горят", "Благоустройство", "Нет горячей воды в доме", "ЖКХ"),
        ("Нет света во всём посёлке", "Энергетика", "Нет связи во всём посёлке", "Связь"),
        ("В школе холодно", "Образование", "В больнице холодно", "Здравоохранение"),
        ("Автобус сломан и грязный", "Общественный транспорт", "Лифт сломан и грязный", "ЖКХ"),
        ("Яма на дороге", "Дороги", "Свалка у дороги", "Вывоз мусора"),
        ("Очередь в детсад всё длиннее", "Образование", "Очередь в поликлинике", "Здравоохранение"),
        ("Очередь в поликлинике", "Здравоохранение", "Очередь в МФЦ всё длиннее", "Госуслуги и МФЦ"),
        ("Собаки кусают детей", "Безопасность", "Клещи кусают детей", "Экология"),
        ("Врач нагрубил", "Здравоохранение", "Водитель автобуса нагрубил", "Общественный транспорт"),
        ("Закрыли библиотеку в селе", "Культура и спорт", "Закрыли почту в селе", "Связь"),
        ("Не платят пенсию", "Социальная защита", "Не отвечает управляющая компания", "ЖКХ"),
        ("Пахнет газом в квартире", "Энергетика", "Пахнет канализацией в квартире", "ЖКХ"),
        ("Запах дыма от завода", "Экология", "Запах газа от плиты", "Энергетика"),
        ("Сломаны качели на площадке", "Благоустройство", "Сломаны трибуны на стадионе", "Культура и спорт"),
        pytest.param(
            *("Стройка шумит ночью", "Строительство", "Соседи шумят ночью", "Безопасность"),
            marks=pytest.mark.xfail(reason="noise at night outweighs the building site, which few sample texts name"),
        ),
    ],
)
def test_one_word_makes_another_sector(classifier: Classifier, text: str, sector: str, other: str, other_sector: str):
    assert [answer.sector.label for answer in classifier.classify([text, other])] == [sector, other_sector]


BUT_THE_SUBJECT = pytest.mark.xfail(reason="the subject outweighs what became of it: thanks in four words of one topic")


@pytest.mark.parametrize(
    ("complaint", "thanks"),
    [
        pytest.param("Мусор не вывезли, позор", "Мусор вывезли, спасибо", marks=BUT_THE_SUBJECT),
        pytest.param(
            "Яму так и не засыпали, когда же", "Яму засыпали, большое спасибо дорожникам", marks=BUT_THE_SUBJECT
        ),
        ("Фонари не починили, темно", "Фонари починили, светло, благодарим"),
        ("Врач не помог, а только нагрубил", "Врач очень помог, спасибо ему огромное"),
        pytest.param(*("Лифт не запустили, ходим пешком", "Лифт запустили, спасибо мастерам"), marks=BUT_THE_SUBJECT),
        pytest.param("Автобус не вернули на маршрут", "Автобус вернули на маршрут, спасибо вам", marks=BUT_THE_SUBJECT),
        ("Воду не дали, сидим без воды", "Воду дали, спасибо аварийной бригаде"),
        pytest.param(
            "Дорогу не почистили от снега", "Дорогу почистили от снега, молодцы, спасибо", marks=BUT_THE_SUBJECT
        ),
    ],
)
def test_what_was_done_is_thanks_and_what_was_not_is_a_complaint(classifier: Classifier, complaint: str, thanks: str):
    said, grateful = classifier.classify([complaint, thanks])
    assert said.sector.label != "Не жалоба"
    assert (grateful.sector.label, grateful.topic.label) == ("Не жалоба", "Благодарность")


@pytest.mark.parametrize(
    ("text", "addition", "sector"),
    [
        ("На дороге огромная яма.", "И ещё в поликлинике нет ни одного терапевта, талонов нет.", "Здравоохранение"),
        (
            "Мусор от дома не увозят неделю.",
            "А ещё не ходит автобус, ждём по часу на остановке.",
            "Общественный транспорт",
        ),
        ("В квартире холодные батареи.", "Кроме того, не ловит мобильная связь, телефон без сети.", "Связь"),
        ("Не горят фонари.", "И в школе третий месяц нет учителя математики.", "Образование"),
        ("Отключили свет в деревне.", "А стая бездомных собак покусала ребёнка.", "Безопасность"),
        ("Лифт не работает.", "Также соседний завод травит дымом, дышать нечем.", "Экология"),
    ],
)
def test_a_second_subject_raises_its_sector(classifier: Classifier, text: str, addition: str, sector: str):
    """It becomes likelier by far, or the first one less sure: an operator must see it."""
    one, two = classifier.classify([text, f"{text} {addition}"])
    before = {proposal.label: proposal.confidence for proposal in one.alternatives["sector"]}.get(sector, 0.0)
    after = {proposal.label: proposal.confidence for proposal in two.alternatives["sector"]}.get(sector, 0.0)
    assert after > before + 0.05
