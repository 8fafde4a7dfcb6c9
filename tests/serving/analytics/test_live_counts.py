"""The live path: stored decisions → daily counts → surges and heat map, beside the forecaster's history."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pandas as pd
import pytest

from data.complaints.masking import masked
from data.counts.daily import NO_PLACE, REGION
from data.counts.reading import CountColumns, read_counts
from data.counts.simulator import COUNTS_FILE
from data.errors import RequestError
from data.settings import CHECKOUT
from data.store.decisions import Decision
from data.store.store import Store
from models.forecasting.bundle import Forecasts
from models.forecasting.config import ForecasterConfig
from models.surges.types import Surge
from serving.analytics.live_counts import judged_days, recent_counts
from serving.analytics.surges import all_surges
from serving.api.v1.heatmap import heat_cells
from tests.data.store.rows import REGION as SAMPLE
from tests.serving.bundles import BY_OUTLOOK, SURGE_PLACE, small_counts
from training.forecaster.backtest import backtest
from training.forecaster.fitting import fit_forecasts

FAR = date(2030, 1, 1)
NEXT = date(2026, 11, 16)
"""The day after the sample's history."""
DEMO = [
    ("Верхнереченск", "Вывоз мусора"),
    ("Каменный Брод", "ЖКХ"),
    ("Верхнереченск", "Общественный транспорт"),
    ("Полянский район", "Не жалоба"),
    (None, "Не жалоба"),
    (None, "Не жалоба"),
]
PLACES = ["Верхнереченск", "Каменный Брод", "Новозаводск", "Ольшанский район", "Полянский район"]
SECTORS = ["Вывоз мусора", "Дороги", "ЖКХ", "Не жалоба", "Общественный транспорт", "Связь", "Экология"]
Row = tuple[date, str, str | None, str, int]


@pytest.fixture(scope="module")
def forecasts() -> Forecasts:
    """A part of the simulated region, by a quick forecaster."""
    counts = read_counts(
        CHECKOUT / "data" / "samples" / COUNTS_FILE, CountColumns(sector="sector", municipality="municipality")
    )
    kept = counts["municipality"].isin(PLACES) & counts["sector"].isin(SECTORS) & (counts["date"] >= "2026-06-01")
    counts = counts[kept]
    config = ForecasterConfig(forecasters=["weekday_mean"], windows=1, max_horizon=60, processes=1)
    return fit_forecasts(counts, config, backtest(counts, config))


@pytest.fixture()
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/store.db", SAMPLE)


def put(store: Store, rows: list[Row]) -> None:
    """Store so many complaints of each day, source, place and sector."""
    store.decisions.save(
        [
            Decision(
                region=SAMPLE,
                source=source,
                id=f"{day}-{place}-{sector}-{n}",
                text=masked("Не вывозят мусор"),
                municipality=place,
                created_at=datetime.combine(day, time(12), UTC),
                day=day,
                decision="route",
                reasons=[],
                sector=sector,
                sector_confidence=0.9,
                topic="Тема",
                topic_confidence=0.9,
                agency="Орган",
                agency_confidence=0.9,
                model_version="1",
            )
            for day, source, place, sector, count in rows
            for n in range(count)
        ]
    )


def as_forecast(forecasts: Forecasts, days: int, places: set[str] | None = None) -> list[Row]:
    """Rows of one source that bring what was forecast for these places."""
    return [
        (day.date(), "pos", place, sector, round(mean))
        for day, means in forecasts.means.iloc[:days].iterrows()
        for (place, sector), mean in means.items()
        if places is None or place in places
    ]


def live(forecasts: Forecasts, store: Store, as_of: date | None = None) -> pd.DataFrame:
    return recent_counts(forecasts, store, SAMPLE, FAR, as_of)


def series(surges: list[Surge], kind: str) -> set[tuple[str, str]]:
    return {(surge.municipality, surge.sector) for surge in surges if surge.kind == kind}


def test_the_calls_of_the_demo_on_the_next_day_leave_the_surges_as_they_were(
    forecasts: Forecasts, store: Store
) -> None:
    before = all_surges(forecasts, live(forecasts, store))
    assert series(before, "observed")
    put(store, [(NEXT, "other", place, sector, 1) for place, sector in DEMO])
    assert all_surges(forecasts, live(forecasts, store)) == before


@pytest.mark.parametrize("days", [1, 3])
def test_a_flood_of_one_series_is_its_surge_and_says_nothing_of_the_others(
    forecasts: Forecasts, store: Store, days: int
) -> None:
    flooded = ("Каменный Брод", "Связь")
    before = all_surges(forecasts, live(forecasts, store))
    assert flooded not in series(before, "observed")
    put(store, [(NEXT + timedelta(days=n), "pos", *flooded, 60) for n in range(days)])
    counts = live(forecasts, store)
    after = all_surges(forecasts, counts)
    assert series(after, "observed") == series(before, "observed") | {flooded}
    surge = next(s for s in after if (s.kind, s.municipality, s.sector) == ("observed", *flooded))
    assert (surge.end, surge.count >= 60 * days) == (NEXT + timedelta(days=days - 1), True)
    fresh = counts.loc[pd.Timestamp(NEXT) :]
    assert fresh.notna().any().sum() == 1


@pytest.mark.parametrize("days", [1, 7, 10, 40])
def test_a_source_that_brings_what_was_forecast_is_looked_at_and_surges_are_expected_after_it(
    forecasts: Forecasts, store: Store, days: int
) -> None:
    raised = forecasts.means.copy()
    raised.iloc[days:, raised.columns.get_loc(("Новозаводск", "Дороги"))] *= 5
    surges = forecasts.config.surges.model_copy(update={"exceedance": BY_OUTLOOK, "min_ratio": 1.0})
    changed = replace(forecasts, config=forecasts.config.model_copy(update={"surges": surges}), means=raised)
    put(store, as_forecast(forecasts, days))
    counts = live(changed, store)
    last = NEXT + timedelta(days=days - 1)
    assert counts.index[-1].date() == last
    found = [surge for surge in all_surges(changed, counts) if surge.kind == "expected"]
    assert ("Новозаводск", "Дороги") in series(found, "expected")
    assert {(surge.start, surge.end) for surge in found} == {(last + timedelta(1), last + timedelta(7))}


def test_a_place_is_zero_where_its_source_is_alive_and_unknown_where_it_is_not(
    forecasts: Forecasts, store: Store
) -> None:
    rows = as_forecast(forecasts, 20, {"Верхнереченск"})
    silent = {NEXT + timedelta(days=n) for n in range(3, 14)}  # no delivery for eleven days
    kept = [row for row in rows if row[0] not in silent and row[3] != "Дороги"]
    put(store, kept)
    put(store, [(NEXT + timedelta(days=n), "hotline", "Ольшанский район", "ЖКХ", 1) for n in range(20)])
    fresh = live(forecasts, store).loc[pd.Timestamp(NEXT) :]
    roads = fresh[("Верхнереченск", "Дороги")]
    assert list(roads.isna()) == [False] * 4 + [True] * 8 + [False] * 8
    assert roads.max() == 0
    assert fresh["Ольшанский район"].isna().all(axis=None)


def test_a_silent_place_does_not_hide_the_region(forecasts: Forecasts, store: Store) -> None:
    places = {key.municipality for key in forecasts.keys} - {"Ольшанский район"}
    rows = [(*row[:4], row[4] * 3 if row[3] == "Экология" else row[4]) for row in as_forecast(forecasts, 8, places)]
    put(store, rows)
    found = all_surges(forecasts, live(forecasts, store))
    region = next(s for s in found if (s.kind, s.municipality, s.sector) == ("observed", REGION, "Экология"))
    assert 2.5 < region.ratio < 3.5


@pytest.mark.parametrize("only", [REGION, NO_PLACE])
def test_a_forecaster_without_places_counts_every_stored_complaint(store: Store, only: str) -> None:
    counts = small_counts().groupby(["date", "sector"], as_index=False)["count"].sum().assign(municipality=only)
    config = ForecasterConfig(forecasters=["weekday_mean"], windows=1, max_horizon=30, processes=1, calendar="none")
    forecasts = fit_forecasts(counts, config, backtest(counts, config))
    put(store, [(NEXT, "pos", place, "ЖКХ", 30) for place in (SURGE_PLACE, None)])
    assert live(forecasts, store).loc[pd.Timestamp(NEXT), (only, "ЖКХ")] == 60


@pytest.mark.parametrize(("days", "start"), [(7, "2026-11-09"), (14, "2026-11-02"), (28, "2026-11-02")])
def test_the_heat_map_covers_only_days_with_an_expectation(
    forecasts: Forecasts, store: Store, days: int, start: str
) -> None:
    counts = live(forecasts, store)
    window = judged_days(forecasts, counts, days)
    assert (str(window[0].date()), str(window[-1].date())) == (start, "2026-11-15")
    cell = next(
        c for c in heat_cells(forecasts, counts, window) if (c.municipality, c.sector) == ("Ольшанский район", "ЖКХ")
    )
    assert cell.observed == counts.loc[window, ("Ольшанский район", "ЖКХ")].sum()


def test_a_day_without_expectations_is_refused_with_the_days_that_have_them(forecasts: Forecasts, store: Store) -> None:
    with pytest.raises(RequestError, match="from 2026-11-02 to 2026-11-15"):
        live(forecasts, store, date(2026, 11, 1))
    found = all_surges(forecasts, live(forecasts, store, date(2026, 11, 2)))
    assert all(surge.start == date(2026, 11, 3) for surge in found if surge.kind == "expected")


def test_nothing_is_expected_where_the_forecasts_end_within_the_week(forecasts: Forecasts, store: Store) -> None:
    put(store, as_forecast(forecasts, 55))
    assert not series(all_surges(forecasts, live(forecasts, store)), "expected")
