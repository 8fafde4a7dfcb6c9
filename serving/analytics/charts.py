"""Charts as Vega-Lite specifications, drawn as SVG here: the browser needs no library, a report takes the same ones.

In: what an endpoint answers. Out: a specification, and its SVG. Colours are CSS variables with defaults: the console
puts the picture into its page, where they are light or dark as the page is.
"""

from typing import TYPE_CHECKING, Any

from models.forecasting.distribution import quantile_levels, quantile_name

if TYPE_CHECKING:
    from serving.api.v1.series_types import SeriesAnswer

Spec = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
INK, MUTED, GRID = "var(--ink, #1b2127)", "var(--muted, #55606b)", "var(--grid, #e3e6e9)"
SERIES, SOFT = "var(--series, #1d4e79)", "var(--series-soft, #b9d0e6)"
FORECAST, FORECAST_SOFT = "var(--forecast, #b8480c)", "var(--forecast-soft, #f6d3b3)"
SURGE = "var(--more-1, #fdebd3)"
HEIGHT = 280
LOOKS: Spec = {
    "background": None,
    "font": "inherit",
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "gridColor": GRID,
        "domainColor": GRID,
        "tickColor": GRID,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
}
LOCALE: Spec = {
    "dateTime": "%A, %e %B %Y г. %X",
    "date": "%d.%m.%Y",
    "time": "%H:%M:%S",
    "periods": ["AM", "PM"],
    "days": ["воскресенье", "понедельник", "вторник", "среда", "четверг", "пятница", "суббота"],
    "shortDays": ["вс", "пн", "вт", "ср", "чт", "пт", "сб"],
    "months": [
        *("января", "февраля", "марта", "апреля", "мая", "июня"),
        *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
    ],
    "shortMonths": ["янв", "фев", "мар", "апр", "мая", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"],
}
NUMBERS: Spec = {"decimal": ",", "thousands": "\u00a0", "grouping": [3], "currency": ["", "\u00a0₽"]}


def svg_of(spec: Spec) -> str:
    """The picture of a specification; keeps the interpreter to itself meanwhile, see `drawing.py`."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[], time_format_locale=LOCALE, format_locale=NUMBERS))


def series_chart(answer: "SeriesAnswer", level: float, width: int) -> Spec:
    """Counts as a line, the forecast with its interval, surges and days off as bands."""
    low, _, high = map(quantile_name, quantile_levels([level]))
    days: list[Spec] = [
        {
            "date": f"{day.date}T00:00:00",
            "count": day.count,
            "expected": day.expected,
            "low": day.quantiles.get(low),
            "high": day.quantiles.get(high),
            "off": day.kind in ("weekend", "holiday"),
        }
        for day in answer.days
    ]
    surges = [{"start": f"{each.start}T00:00:00", "end": f"{each.end}T23:59:59"} for each in answer.surges]
    size: Spec = {"width": width, "height": HEIGHT, "autosize": {"type": "fit", "contains": "padding"}}
    return {"$schema": SCHEMA, **size, "data": {"values": days}, "layer": _layers(surges), "config": LOOKS}


def _layers(surges: list[Spec]) -> list[Spec]:
    """From the lowest: surges, the interval, what was expected, counts, and a dot for each day off."""
    x = {
        "field": "date",
        "type": "temporal",
        "title": None,
        "axis": {"format": "%e %b", "grid": False, "tickCount": 10},
    }
    y = {"type": "quantitative", "axis": {"title": "обращений в день", "tickMinStep": 1}}
    band = {"x": {"field": "start", "type": "temporal"}, "x2": {"field": "end"}}
    return [
        {"data": {"values": surges}, "mark": {"type": "rect", "color": SURGE}, "encoding": band},
        {
            "transform": [{"filter": "datum.low !== null"}],
            "mark": {"type": "area", "color": FORECAST_SOFT, "interpolate": "step"},
            "encoding": {"x": x, "y": {"field": "low", **y}, "y2": {"field": "high"}},
        },
        {
            "transform": [{"filter": "datum.expected !== null"}],
            "mark": {"type": "line", "color": FORECAST, "strokeDash": [5, 3], "strokeWidth": 1.5},
            "encoding": {"x": x, "y": {"field": "expected", **y}},
        },
        {
            "mark": {"type": "line", "color": SERIES, "strokeWidth": 2, "invalid": "break-paths-show-domains"},
            "encoding": {"x": x, "y": {"field": "count", **y}},
        },
        {
            "transform": [{"filter": "datum.off && datum.count !== null"}],
            "mark": {"type": "point", "color": SERIES, "filled": True, "size": 24},
            "encoding": {"x": x, "y": {"field": "count", **y}},
        },
    ]
