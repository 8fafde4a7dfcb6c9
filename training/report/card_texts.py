"""What every model card says in words, Russian first: purpose, limits, personal data, licences."""

HEADINGS = {
    "purpose": "Назначение и пользователи / Purpose and users",
    "out_of_scope": "Для чего не предназначена / Out-of-scope use",
    "data": "Данные / Data",
    "personal_data": "Персональные данные / Personal data",
    "training": "Обучение / Training",
    "quality": "Качество / Quality",
    "labels_quality": "Качество по меткам / Quality by label",
    "confidence": "Уверенность и маршрутизация / Confidence and routing",
    "limits": "Ограничения: где ошибается / Limits: where it fails",
    "labels": "Метки / Labels",
    "reproduce": "Как воспроизвести / How to reproduce",
    "licences": "Лицензии / Licences",
}

INTRODUCTION = """
# Классификатор обращений / Complaint classifier

Модель читает обращение гражданина и предлагает группу тем, тему и исполнителя; в ясных случаях
обращение направляется сразу, в остальных решает оператор.

The model reads a citizen's complaint and proposes sector, topic and agency; clear cases are
routed at once, an operator decides the others.
"""

PURPOSE = """
Для операторов и аналитиков Центра управления регионом (ЦУР): первая разметка входящих сообщений,
направление исполнителю, подсчёт по темам. Оператор видит три варианта с уверенностью и может
исправить любой; исправления идут в следующее обучение.

For operators and analysts of a regional governance centre (ЦУР): first labelling of what comes in,
routing to the agency, counting by topic. An operator sees three alternatives with confidences and
may correct any of them; corrections go into the next training.
"""

OUT_OF_SCOPE = """
- Не решает, обоснована ли жалоба, и не отвечает гражданину.
  It does not judge whether a complaint is justified, and does not answer the citizen.
- Не может быть единственным читателем сообщений об угрозе жизни и здоровью: их ищут отдельно, и
  читает человек.
  It must not be the only reader of messages about danger to life or health: these are looked for
  separately, and a person reads them.
- Не для профилирования граждан, не для поиска авторов и не для оценки их благонадёжности.
  Not for profiling citizens, finding authors or judging their loyalty.
- Не для оценки работы чиновников и ведомств: число обращений зависит от людей и каналов, а не только
  от качества работы.
  Not for rating officials or agencies: counts depend on people and channels, not on quality of work
  alone.
- Не для других регионов и рубрикаторов без переобучения, не для других языков.
  Not for other regions or catalogues without training anew, and not for other languages.
"""

LABELLING = """
Метки поставлены операторами; их ошибки и привычки модель перенимает. Одинаковые тексты не попадают
в разные части.

Labels are operators' decisions; the model inherits their errors and habits. Equal texts never stand
on two sides of the split.
"""

METHOD = """
Один кодировщик и рядом с ним слова и буквосочетания, по линейному слою на группу тем, тему и
исполнителя; ответ выбирается совместно, только из сочетаний, возможных по рубрикатору, с учётом того,
кто на какую тему обычно отвечает. Уверенность откалибрована по ответам, в которых сами строки не
участвовали.

One encoder and n-grams beside it, one linear head each for sector, topic and agency; decoded jointly,
only into combinations that the catalogue allows, with regard to who usually answers for a topic.
Confidences are calibrated on answers that the rows themselves had no part in.
"""

PERSONAL_DATA = """
Обращения — персональные данные (152-ФЗ); оператор данных — орган, который обучил модель. Телефоны,
почта, аккаунты, СНИЛС, паспорта, карты и полные имена замещаются метками при ввозе (`tsur import`), до
обучения; замещение находит не всё. Обращений в этой папке нет, но всё выученное, веса и отдельные
слова, — из них: передавать модель за пределы органа — его решение.

Complaints are personal data (Federal Law 152-FZ); the controller is the body that trained the model.
Phones, e-mails, accounts, СНИЛС, passports, cards and full names are replaced by `tsur import`,
before training; masking does not find everything. This folder holds no complaint, but all that was
learned, weights and single words, comes from them: whether the model may leave the body is that
body's decision.
"""

LIMITS = """
- Редкие метки выходят как «Прочее» и всегда решаются оператором; они перечислены ниже.
  Rare labels come out as «Прочее» and are always an operator's; they are listed below.
- Длинный текст читается окнами по {max_tokens} токенов, не больше 16; об обрезке сообщает `truncated`.
  A long text is read in windows of {max_tokens} tokens, at most 16; `truncated` says when one was cut.
- Несколько проблем в одном тексте находятся не всегда; две проблемы одной группы тем не разделяются.
  Several problems in one text are not always found; two of one sector are not told apart.
- Новые темы, события и исполнители неизвестны до следующего обучения; точность со временем падает.
  New topics, events and agencies are unknown until the next training; precision falls with time.
- Если граница между исполнителями проходит по адресу, а муниципалитет не указан, исполнитель
  угадывается.
  Where agencies are divided by address and no municipality is given, the agency is a guess.
- Разница качества между группами граждан не измерялась: сведений о них в данных нет.
  Differences between groups of citizens were not measured: the data do not tell of them.
"""

LICENCES = """
Код — Apache-2.0. Кодировщик по умолчанию `packaged:e5-small-ru` — это `intfloat/multilingual-e5-small`,
MIT; у других кодировщиков своя лицензия. Права на обученные веса определяет владелец обучающих данных.

The code is Apache-2.0. The default encoder `packaged:e5-small-ru` is `intfloat/multilingual-e5-small`,
MIT; other encoders have licences of their own. The rights to the trained weights are decided by the
owner of the training data.
"""
