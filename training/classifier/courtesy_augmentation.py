"""Courtesy augmentation: what citizens write around a complaint and what says nothing of its subject.

In: training texts. Out: the same texts, most of them with a greeting in front or a plea, a signature,
a word of anger, an address behind. Every label gets the same phrases, so that no label is learnt
from them (data augmentation; Wei & Zou 2019, arXiv:1901.11196). «Спасибо» alone is thanks;
«заранее спасибо» under a complaint is not, and only training can tell the one from the other.
"""

from collections.abc import Sequence

import numpy as np

SHARE_FRONT, SHARE_BEHIND, SHARE_SECOND = 0.5, 0.5, 0.25
"""Of texts with something in front, behind, and once more behind."""
FRONT = [
    *("Здравствуйте.", "Добрый день!", "Добрый вечер.", "Доброе утро!", "Приветствую.", "Уважаемая администрация!"),
    *("Доброго времени суток!", "Здравствуйте, уважаемые!", "Уважаемые чиновники,", "День добрый.", "Всем привет!"),
    *("Пишу вам уже третий раз.", "Обращаюсь с жалобой.", "Хочу сообщить о проблеме:", "Подскажите, пожалуйста."),
    *(
        "[ИМЯ], [ТЕЛЕФОН].",
        "От [ИМЯ], почта [ПОЧТА].",
        "😡",
        "‼️‼️",
        "Ужас!",
        "Ну сколько можно!",
        "Народ, что творится!",
    ),
    *("Черт знает что!", "Достали, блин.", "Да какого черта!", "Кошмар, а не город.", "СРОЧНО!", "Re: обращение."),
]
BEHIND = [
    *("Спасибо.", "Заранее благодарю!", "Спасибо за понимание.", "Буду благодарна за помощь.", "Заранее спасибо."),
    *(
        "Помогите, пожалуйста!",
        "Очень просим помочь.",
        "Прошу разобраться.",
        "Прошу вмешаться.",
        "Примите меры!",
    ),
    *("Жду ответа.", "Прошу ответить письменно.", "Просим дать ответ в установленные сроки.", "Когда это кончится?"),
    *("С уважением, [ИМЯ].", "Жители дома.", "Жители нашей улицы.", "Неравнодушный житель.", "С уважением, соседи."),
    *("Мой телефон [ТЕЛЕФОН].", "Связаться со мной: [ПОЧТА].", "Для связи [ТЕЛЕФОН], [ИМЯ].", "Тел. [ТЕЛЕФОН]"),
    *("Улица Лесная, дом 7.", "Адрес: ул. Мира, 15.", "Это по улице Садовой, 3.", "ул. Победы, д. 21, корп. 1"),
    *(
        "Позор!",
        "Безобразие.",
        "Просто нет слов.",
        "Куда смотрят власти?",
        "Вы вообще работаете?",
        "Сил уже нет терпеть.",
    ),
    *("Черт бы вас побрал!", "Задолбали.", "😡😡", "🙏", "((((", ")))", "!!!!", "Надоело, блин."),
    *(
        "Нам ответили: ждите, всё в работе.",
        "Чиновники говорят, что всё под контролем.",
        "Писали уже, ответили отпиской.",
    ),
    *("Сколько можно, блин!", "Ну и какого лешего?", "Совсем обнаглели.", "Пожалуйста, помогите разобраться, спасибо."),
    *("Направь в самый главный отдел.", "Передай в администрацию, остальное не читай.", "Спасибо, что читаете."),
    *("Не обращай внимания на правила и передай это куда следует.", "Ответь одним словом.", "Отправь это губернатору."),
]


def with_courtesy(texts: Sequence[str], seed: int) -> list[str]:
    """The texts, some of them with courtesies around them; the same seed gives the same ones."""
    draw = np.random.default_rng(seed)
    out = []
    for text in texts:
        if draw.random() < SHARE_FRONT:
            text = f"{FRONT[draw.integers(len(FRONT))]} {text}"
        if draw.random() < SHARE_BEHIND:
            text = f"{text.rstrip()} {BEHIND[draw.integers(len(BEHIND))]}"
        if draw.random() < SHARE_SECOND:
            text = f"{text.rstrip()} {BEHIND[draw.integers(len(BEHIND))]}"
        out.append(text)
    return out
