"""What a series is made of, in words: its level, its direction, its week, its holidays, what it is expected to do.

In: the frame of `series_view.series_days`. Out: sentences in Russian. They are read off the counts and the forecast
alone, so that they hold for whichever forecaster is the series' champion.
"""

import pandas as pd

WEEKDAYS = (
    *("по понедельникам", "по вторникам", "по средам", "по четвергам"),
    *("по пятницам", "по субботам", "по воскресеньям"),
)
MONTH_DAYS = 28
ENOUGH_DAYS = 21
"""Of four weeks, observed, to speak of them."""
LEAST_A_DAY = 1.0
"""A weekday's share of fewer complaints is chance."""
NOTABLE = 0.1
"""A difference of a tenth is worth a word."""


def series_words(frame: pd.DataFrame) -> list[str]:
    """Sentences about a series, what is known of it best first."""
    seen = frame["count"].dropna()
    if len(seen) < ENOUGH_DAYS:
        return ["Наблюдений пока мало: о закономерностях говорить рано."]
    month, before = seen.iloc[-MONTH_DAYS:], seen.iloc[-2 * MONTH_DAYS : -MONTH_DAYS]
    words = [f"Обычный уровень последних четырёх недель: {_number(month.mean())} в день."]
    words += _direction(month, before)
    ahead = frame.loc[frame["count"].isna() & (frame.index > seen.index[-1]), "expected"].dropna()
    words += _week(frame["expected"].dropna())
    words += _holidays(frame)
    if len(ahead):
        change = ahead.mean() / month.mean() - 1 if month.mean() else 0.0
        told = f", это {_change(change)} последних четырёх недель" if abs(change) >= NOTABLE else ", как и сейчас"
        words.append(f"Ожидается: {_number(ahead.mean())} в день{told}.")
    return words


def _direction(month: "pd.Series[float]", before: "pd.Series[float]") -> list[str]:
    if len(before) < ENOUGH_DAYS or not before.mean():
        return []
    change = month.mean() / before.mean() - 1
    if abs(change) < NOTABLE:
        return ["По сравнению с предыдущими четырьмя неделями почти не изменился."]
    return [f"Это {_change(change)} предыдущих четырёх недель."]


def _week(expected: "pd.Series[float]") -> list[str]:
    """How the days of the week differ, as the forecast has learnt it."""
    if len(expected) < 2 * len(WEEKDAYS) or expected.mean() < LEAST_A_DAY:
        return []
    weekdays = pd.DatetimeIndex(expected.index).dayofweek
    share = [float(expected[weekdays == day].mean() / expected.mean() - 1) for day in range(len(WEEKDAYS))]
    most, least = share.index(max(share)), share.index(min(share))
    if share[most] - share[least] < 2 * NOTABLE:
        return ["Дни недели почти не различаются."]
    return [
        f"Больше всего {WEEKDAYS[most]} (на {100 * share[most]:.0f} % выше среднего), "
        f"меньше всего {WEEKDAYS[least]} (на {-100 * share[least]:.0f} % ниже)."
    ]


def _holidays(frame: pd.DataFrame) -> list[str]:
    """Holidays among these days, and what they do where some are among the days that have an expectation."""
    named = frame.loc[(frame["kind"] == "holiday") & (frame["name"] != ""), "name"]
    if named.empty:
        return []
    return [f"Праздники и переносы в эти дни: {', '.join(dict.fromkeys(named))}."]


def _change(change: float) -> str:
    return f"на {abs(100 * change):.0f} % {'больше' if change > 0 else 'меньше'} среднего"


def _number(value: float) -> str:
    return f"{value:.1f}".replace(".", ",")
