"""Around the figures of a week: its surges and what became of them, and what is forecast for the week after it.

In: what the forecaster and people know (`serving/analytics/week_outlook.py` gathers it). Out: the types that page, API
and report share, and their words in Russian. Where something is not known, a sentence stands in its place.
"""

from dataclasses import dataclass
from datetime import date

from data.kpi.span import Span
from data.production_calendar import MONTHS

LEVEL = 0.8
"""Of the interval of a forecast: as `/v1/forecast` gives by default."""


@dataclass(frozen=True)
class WeekSurge:
    """An observed surge of which some days lie in the span.

    Attributes:
        start, end: its first day, and its last so far.
        count, expected: what came on these days, and what is usual for them.
        state: as in `GET /v1/surges`.
        became: what became of it, in Russian.
        note: what somebody wrote about it last; None where nobody did.
    """

    municipality: str
    sector: str
    start: date
    end: date
    count: int
    expected: float
    state: str
    became: str
    note: str | None


@dataclass(frozen=True)
class SectorForecast:
    """The total of a sector over the coming week, with the interval of `LEVEL`."""

    sector: str
    mean: float
    low: int
    high: int


@dataclass(frozen=True)
class Outlook:
    """Both, the most important surge and the largest sector first.

    Attributes:
        coming: the seven days after the span.
        surges_missing, forecast_missing: why nothing, or not all, is known; None where all is.
    """

    surges: list[WeekSurge]
    surges_missing: str | None
    coming: Span
    forecast: list[SectorForecast]
    forecast_missing: str | None


NO_FORECASTER = "Прогнозной модели в регионе нет: её обучают командой tsur train forecaster."
NOT_SERVED = "Прогнозная модель сейчас недоступна."


def became_text(state: str, confirmed: bool, new_level: bool, closed: date | None) -> str:
    """What became of a surge: `закончился 18 ноября`."""
    if closed is not None:
        return f"закончился {day_text(closed)}" if confirmed else "не подтвердился"
    if new_level:
        return "держится как новый уровень"
    return {"pending": "ждёт подтверждения", "recovering": "спадает"}.get(state, "продолжается")


def day_text(day: date) -> str:
    """`18 ноября`."""
    return f"{day.day} {MONTHS[day.month - 1]}"


def surges_gap_text(span: Span, judged_first: date, last: date) -> str | None:
    """Why not all surges of a span can be known, counts being judged on these days; None where they can."""
    if last < span.last:
        return f"Счёт обращений известен по {day_text(last)} {last.year}: более поздние всплески ещё не видны."
    if span.first < judged_first:
        return f"Всплески вычисляются с {day_text(judged_first)} {judged_first.year}: более ранние не видны."
    return None


def forecast_gap_text(coming: Span, first: date, last: date) -> str:
    """Why a week is not forecast by forecasts of these days."""
    if coming.last > last:
        return f"Прогнозы кончаются {day_text(last)} {last.year}: их нужно обновить на свежих данных."
    return f"На эти дни прогноз не хранится: он есть с {day_text(first)} {first.year}."
