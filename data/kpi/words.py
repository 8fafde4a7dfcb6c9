"""Figures in Russian, as the report prints them and the page shows them: value, interval, n and change as texts."""

from datetime import date

from data.kpi.definitions import BY_ID, Unit
from data.kpi.figures import Figure
from data.production_calendar import MONTHS

FEW = "мало данных"
UNITS: dict[Unit, str] = {"count": "", "share": "\u00a0%", "hours": "\u00a0ч", "days": "\u00a0дн."}
POINTS = {"share": "\u00a0п.\u00a0п.", "count": "\u00a0%"}


def value_text(name: str, figure: Figure) -> str:
    """`71,3 %`, or that there are too few."""
    if figure.value is None:
        return FEW
    return _number(name, figure.value) + UNITS[BY_ID[name].unit]


def interval_text(name: str, figure: Figure) -> str:
    """`68,0–74,5 %`; empty where there is none."""
    if figure.low is None or figure.high is None:
        return ""
    return f"{_number(name, figure.low)}–{_number(name, figure.high)}{UNITS[BY_ID[name].unit]}"


def change_text(name: str, figure: Figure) -> str:
    """`+9,1 п. п.`; a dash where there is nothing to compare with."""
    if figure.change is None:
        return "—"
    unit = BY_ID[name].unit
    factor = 100 if unit in POINTS else 1
    number = f"{abs(figure.change) * factor:.1f}".replace(".", ",")
    sign = "" if number == "0,0" else "+" if figure.change > 0 else "−"
    return f"{sign}{number}{POINTS.get(unit, UNITS[unit])}"


def days_text(first: date, last: date) -> str:
    """`16–22 ноября 2026`, `30 ноября – 6 декабря 2026`."""
    end = f"{last.day} {MONTHS[last.month - 1]} {last.year}"
    if first.year != last.year:
        return f"{first.day} {MONTHS[first.month - 1]} {first.year} – {end}"
    if first.month != last.month:
        return f"{first.day} {MONTHS[first.month - 1]} – {end}"
    return f"{first.day}–{end}"


def _number(name: str, value: float) -> str:
    unit = BY_ID[name].unit
    if unit == "count":
        return f"{value:,.0f}".replace(",", "\u00a0")
    return f"{value * (100 if unit == 'share' else 1):.1f}".replace(".", ",")
