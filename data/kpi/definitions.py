"""What each KPI is: its name, unit and formula, as page, API, report and `docs/kpi.md` say them."""

from dataclasses import dataclass
from typing import Literal

from data.store.handling import REPEAT_DAYS

Unit = Literal["count", "share", "hours", "days"]


@dataclass(frozen=True)
class Definition:
    """One KPI; `formula_ru` says what is counted of what, `better` which way it is wanted (None: neither)."""

    id: str
    title_ru: str
    unit: Unit
    formula_ru: str
    better: Literal["more", "less"] | None = None


_HEADS = {"sector": "отрасль", "topic": "тема", "agency": "исполнитель"}
DEFINITIONS = (
    Definition(
        "volume", "Обращений", "count", "Обращения, поступившие за период; повторно присланное считается один раз."
    ),
    Definition(
        "routed",
        "Направлено без оператора",
        "share",
        "Решение модели «route» / все обращения, поступившие за период.",
        "more",
    ),
    Definition(
        "reviewed",
        "Разобрано операторами",
        "share",
        "Обращения с решением «review», о которых оператор что-либо сказал / все с решением «review» за период.",
        "more",
    ),
    Definition(
        "corrected",
        "Исправлено операторами",
        "share",
        "Обращения, у которых оператор изменил отрасль, тему или исполнителя / все обращения за период.",
    ),
    *(
        Definition(
            f"agreement_{head}",
            f"Согласие с операторами: {name}",
            "share",
            f"Оператор назвал то же, что модель ({name}) / все обращения периода, где оператор это назвал.",
            "more",
        )
        for head, name in _HEADS.items()
    ),
    Definition(
        "routing_median",
        "До маршрутизации, медиана",
        "hours",
        "Медиана времени от поступления до направления: событие «sent», иначе решение «route», иначе слово оператора.",
        "less",
    ),
    Definition(
        "routing_p90", "До маршрутизации, 90 %", "hours", "Столько или меньше заняли 90 % маршрутизаций.", "less"
    ),
    Definition(
        "deadlines_met",
        "Ответ в срок",
        "share",
        "Обращения с ответом не позже срока / все обращения, срок которых наступил в периоде.",
        "more",
    ),
    Definition(
        "overdue",
        "Просрочено",
        "count",
        "Обращения, срок которых наступил в периоде, а ответа к нему не было (дан позже или не дан до сих пор).",
        "less",
    ),
    Definition(
        "answer_median",
        "До ответа, медиана",
        "days",
        "Медиана времени от поступления до первого ответа (или закрытия) по обращениям, отвеченным в периоде.",
        "less",
    ),
    Definition(
        "answer_p90", "До ответа, 90 %", "days", "За столько или быстрее получили ответ 90 % обращений.", "less"
    ),
    Definition(
        "rerouted",
        "Перенаправлено",
        "share",
        "Обращения периода, перенаправленные хотя бы раз / все обращения периода, о судьбе которых что-либо известно.",
        "less",
    ),
    Definition(
        "repeats",
        "Повторы",
        "share",
        f"Обращения, до которых за {REPEAT_DAYS} дней было другое с той же темой в том же муниципалитете"
        " / все обращения периода с известным муниципалитетом.",
        "less",
    ),
    Definition(
        "evidence",
        "Решения на основе данных",
        "share",
        "Управленческие решения периода со снимком данных / все управленческие решения периода.",
        "more",
    ),
)
BY_ID = {definition.id: definition for definition in DEFINITIONS}
GROUPED = ("volume", "deadlines_met", "overdue", "answer_median", "answer_p90", "rerouted", "repeats")
"""KPIs of which there is a column in the tables by agency, municipality, sector and source."""
