"""Surges: what is called one, since when, why, and what is not."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from data.counts import REGION, CountColumns, read_counts
from data.settings import CHECKOUT
from data.simulator import COUNTS_FILE, SURGES_FILE
from models.forecasting.backtest import backtest
from models.forecasting.config import ForecasterConfig, SurgeConfig
from models.forecasting.fitting import fit_forecasts
from models.forecasting.forecast import Forecasts
from models.forecasting.series import ALL_SECTORS, NAMES, panel, sums_of_observed, with_sums
from models.forecasting.surge import Surge
from models.forecasting.surges import expected_surges, observed_surges

DAYS = pd.date_range("2026-10-01", periods=28, freq="D")
LAST = DAYS[-1].date()


def frame(series: dict[tuple[str, str], "np.ndarray | list[float] | float"]) -> pd.DataFrame:
    made = pd.DataFrame({key: np.broadcast_to(values, len(DAYS)).astype(float) for key, values in series.items()})
    made.index = DAYS
    made.columns = pd.MultiIndex.from_tuples(list(series), names=NAMES)
    return made


def judged(
    counts: dict[tuple[str, str], "np.ndarray | list[float] | float"], mean: float, daily: float = 0.03
) -> list[Surge]:
    dispersion = pd.DataFrame([{"municipality": p, "sector": s, "daily": daily, "weekly": 0.02} for p, s in counts])
    return observed_surges(frame(counts), frame(dict.fromkeys(counts, mean)), dispersion, SurgeConfig())


def with_end(mean: float, end: list[float]) -> "np.ndarray":
    counts = np.full(len(DAYS), float(mean))
    counts[-len(end) :] = end
    return counts


@pytest.mark.parametrize(
    ("mean", "end", "found"),
    [
        (10, [10, 10, 10], False),
        (10, [14, 8, 12], False),  # noise
        (10, [25, 27, 24], True),  # a step
        (10, [14, 17, 21, 25], True),  # a ramp
        (10, [60], True),  # one day
        (10, [60, 60, 60, 10, 9, 8, 7], False),  # over
        (0.1, [1], False),  # a rare complaint came
        (0.1, [1, 1, 2], False),  # unusual, but four complaints are no surge
        (0.3, [4, 5, 6], True),
        (300, [330, 335, 328], False),  # significant perhaps, but not 1.3 times the usual
        (10, [0, 0, 0], False),
    ],
)
def test_what_is_a_surge(mean: float, end: list[float], found: bool):
    key = ("Алмазово", "ЖКХ")
    assert bool(judged({key: with_end(mean, end)}, mean)) == found


def test_a_surge_is_dated_from_its_first_day_and_counted_from_there():
    surge = judged({("Алмазово", "ЖКХ"): with_end(10, [22, 25, 24, 26])}, 10)[0]
    assert surge.kind == "observed"
    assert surge.since == surge.start == date(2026, 10, 25)
    assert surge.end == LAST
    assert (surge.count, surge.expected) == (97, 40)
    assert surge.ratio == pytest.approx(97 / 40)
    assert surge.probability > 0.99


def test_over_dispersed_series_need_more_to_alarm():
    counts = {("Алмазово", "ЖКХ"): with_end(10, [24])}
    assert judged(counts, 10, daily=0.001)
    assert not judged(counts, 10, daily=0.5)


def test_days_that_were_not_observed_are_no_evidence():
    gap = with_end(10, [25, 27, np.nan, np.nan])
    assert judged({("Алмазово", "ЖКХ"): gap}, 10)[0].count == 52
    silent = with_end(10, [np.nan] * 8)
    assert not judged({("Алмазово", "ЖКХ"): silent}, 10)


def test_a_surge_ends_on_its_last_observed_day():
    key = ("Алмазово", "ЖКХ")
    with_silence = judged({key: with_end(10, [25, 27, 24, np.nan, np.nan])}, 10)[0]
    assert (with_silence.start, with_silence.end) == (date(2026, 10, 24), date(2026, 10, 26))


@pytest.mark.parametrize(
    ("second", "count", "mean"),
    [
        (12.0, 32, 30),  # everything was observed
        (np.nan, 20, 20),  # two thirds were
    ],
)
def test_a_sum_is_of_the_members_observed_and_so_is_its_forecast(second: float, count: float, mean: float):
    keys = ("Алмазово", "ЖКХ"), ("Ольшаны", "ЖКХ")
    counts, means = sums_of_observed(frame({keys[0]: 20.0, keys[1]: second}), frame({keys[0]: 20.0, keys[1]: 10.0}))
    for key in ((REGION, "ЖКХ"), (REGION, ALL_SECTORS)):
        assert (counts[key].iloc[-1], means[key].iloc[-1]) == (count, mean)


def test_a_sum_of_which_too_little_was_observed_is_unknown_and_no_forecast_does_not_hide_it():
    keys = ("Алмазово", "ЖКХ"), ("Ольшаны", "ЖКХ")
    given = frame({keys[0]: with_end(20, [np.nan]), keys[1]: 10.0})
    counts, means = sums_of_observed(given, frame({keys[0]: 20.0, keys[1]: 10.0}).iloc[-2:])
    total = (REGION, "ЖКХ")
    assert counts[total].isna().tolist() == [False] * 27 + [True]
    assert means[total].isna().tolist() == [True] * 26 + [False, True]


def test_neighbours_are_named_and_the_most_striking_comes_first():
    high, higher = with_end(10, [25, 27, 24]), with_end(10, [45, 47, 44])
    found = judged({("Алмазово", "ЖКХ"): high, ("Ольшаны", "ЖКХ"): higher, ("Поляны", "Дороги"): high}, 10)
    assert found[0].municipality == "Ольшаны"
    reasons = {surge.municipality: " ".join(surge.reasons) for surge in found}
    assert "у соседей по региону: Ольшаны" in reasons["Алмазово"]
    assert not reasons["Поляны"]


def test_a_sum_names_the_places_that_make_its_surge():
    found = judged({("Алмазово", "ЖКХ"): with_end(10, [25, 27]), (REGION, "ЖКХ"): with_end(10, [25, 27])}, 10)
    region = next(surge for surge in found if surge.municipality == REGION)
    assert "муниципалитеты со всплеском: Алмазово" in region.reasons


def test_long_holidays_and_an_earlier_rise_are_given_as_reasons():
    days = pd.date_range("2025-12-13", periods=30, freq="D")
    counts = pd.DataFrame({("А", "ЖКХ"): [6.0] * 10 + [14.0] * 17 + [40.0] * 3}, index=days)
    means = pd.DataFrame({("А", "ЖКХ"): [13.0] * 30}, index=days)
    for table in (counts, means):
        table.columns = pd.MultiIndex.from_tuples([("А", "ЖКХ")], names=NAMES)
    dispersion = pd.DataFrame([{"municipality": "А", "sector": "ЖКХ", "daily": 0.03, "weekly": 0.02}])
    reasons = observed_surges(counts, means.iloc[-7:], dispersion, SurgeConfig(), calendar="russia")[0].reasons
    assert any("длинные выходные" in reason for reason in reasons)
    blind = observed_surges(counts, means.iloc[-7:], dispersion, SurgeConfig())[0].reasons
    assert not any("выходные" in reason for reason in blind)


@pytest.fixture(scope="module")
def sample() -> tuple[pd.DataFrame, Forecasts]:
    """A part of the simulated sample, to be quick."""
    columns = CountColumns(sector="sector", municipality="municipality")
    counts = read_counts(CHECKOUT / "data" / "samples" / COUNTS_FILE, columns)
    places = ["Верхнереченск", "Каменный Брод", "Новозаводск"]
    sectors = ["ЖКХ", "Дороги", "Общественный транспорт", "Экология"]
    counts = counts[counts["municipality"].isin(places) & counts["sector"].isin(sectors)]
    config = ForecasterConfig(contenders=["prophet"], windows=2)
    return counts, fit_forecasts(counts, config, backtest(counts, config))


def test_the_surges_at_the_end_of_the_sample_are_found(sample: tuple[pd.DataFrame, Forecasts]):
    counts, forecasts = sample
    recent = with_sums(panel(counts)).iloc[-28:]
    found = observed_surges(recent, forecasts.known_means(), forecasts.series, SurgeConfig())
    known = pd.read_csv(CHECKOUT / "data" / "samples" / SURGES_FILE)
    known = known[known["end"] == "2026-11-15"]
    large = {("Верхнереченск", "ЖКХ"), ("Каменный Брод", "Общественный транспорт"), ("Новозаводск", "Экология")}
    alarms = {(surge.municipality, surge.sector) for surge in found}
    assert large <= alarms
    truth = set(zip(known["municipality"], known["sector"], strict=True))
    base = {tuple(key) for key in forecasts.keys}
    assert len((alarms & base) - truth) <= 1


def test_an_expected_surge_states_its_level_and_its_probability(sample: tuple[pd.DataFrame, Forecasts]):
    _, forecasts = sample
    raised = forecasts.means.copy()
    raised[("Новозаводск", "Дороги")] *= 4
    changed = Forecasts(
        forecasts.config, forecasts.origin, forecasts.series, raised, forecasts.tail, forecasts.past_means
    )
    before = {(surge.municipality, surge.sector) for surge in expected_surges(forecasts)}
    surge = next(s for s in expected_surges(changed) if (s.municipality, s.sector) == ("Новозаводск", "Дороги"))
    assert ("Новозаводск", "Дороги") not in before
    assert surge.kind == "expected"
    assert (surge.start, surge.end) == (date(2026, 11, 16), date(2026, 11, 22))
    later = expected_surges(changed, start=date(2026, 12, 1))
    assert {(s.start, s.end) for s in later} == {(date(2026, 12, 1), date(2026, 12, 7))}
    assert not expected_surges(changed, start=forecasts.last_day)
    assert surge.level is not None
    assert surge.count > surge.level > surge.expected
    assert surge.probability > 0.8
    assert surge.since is None
