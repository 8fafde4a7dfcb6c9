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
Метки поставлены операторами; их ошибки и привычки модель перенимает. Одинаковые тексты откладываются
вместе; где датированных обращений много, откладываются отрезки времени, с новейшего.

Labels are operators' decisions; the model inherits their errors and habits. Equal texts are held out
together; of many dated complaints spans of time are held out, the newest first.
"""

METHOD = """
Один кодировщик, как есть или дообученный (`chosen`: что выбрано и почему), и рядом с ним слова и
буквосочетания, по линейному слою на группу тем, тему и исполнителя; ответ выбирается совместно, только
из сочетаний, возможных по рубрикатору, с учётом того, кто на какую тему обычно отвечает. Уверенность
откалибрована по ответам, в которых сами строки не участвовали.

One encoder, as it is or fine-tuned (`chosen`: which, and why), and n-grams beside it, one linear head
each for sector, topic and agency; decoded jointly, only into combinations that the catalogue allows,
with regard to who usually answers for a topic. Confidences are calibrated on answers that the rows
themselves had no part in.
"""

KEPT_BACK = """
Показатели этой самой модели на {rows} обращениях, которых она не видела; в скобках TF-IDF + линейный SVM,
обученный на тех же обращениях, что и она.

Figures of this very model on {rows} complaints that it has not seen; in brackets TF-IDF + linear SVM,
fitted on the same complaints as the model.
"""

HELD_OUT = """
Показатели на {rows} обращениях, отложенных по очереди: каждое судит обучение по тому же рецепту без него и
калибровка без него. Сама эта модель обучена на всех обращениях. В скобках TF-IDF + линейный SVM на тех же
строках, тоже обученный без них.

Figures on {rows} complaints held out in turn: each judges a fit by the same recipe without it, and a
calibration without it. This model itself is fitted on all complaints. In brackets TF-IDF + linear SVM on
the same rows, fitted without them too.
"""

NOT_MEASURED = """
Не измерено: размеченных обращений меньше {least}. Обучали в основном названия и описания рубрикатора; уверенность
не откалибрована, без оператора не направляется ничего.

Not measured: there are fewer than {least} labelled complaints. Names and descriptions of the catalogue taught most of
it; confidences are not calibrated, and nothing is routed without an operator.
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
- Редкие метки (меньше {min_rows} обращений в обучении) предлагаются, и решает их всегда оператор; они
  отмечены ниже.
  Rare labels (fewer than {min_rows} complaints in training) are proposed, and always an operator's; they
  are marked below.
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
