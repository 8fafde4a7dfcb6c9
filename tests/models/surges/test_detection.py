"""Surges: what is called one, since when and until when, where, why, and what is not."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from data.counts.daily import REGION
from data.counts.reading import CountColumns, read_counts
from data.counts.simulator import COUNTS_FILE
from data.settings import CHECKOUT
from models.forecasting.bundle import Forecasts
from models.forecasting.config import ForecasterConfig, SurgeConfig
from models.forecasting.series import ALL_SECTORS, NAMES, panel, sums_of_observed, with_sums
from models.surges.detection import expected_surges, observed_surges, past_surges
from models.surges.events import most_important_first
from models.surges.types import Surge
from training.forecaster.backtest import backtest
from training.forecaster.fitting import fit_forecasts

DAYS = pd.date_range("2026-10-01", periods=28, freq="D")
LAST = DAYS[-1].date()
KEY = ("Алмазово", "ЖКХ")


def frame(series: dict[tuple[str, str], "np.ndarray | list[float] | float"]) -> pd.DataFrame:
    made = pd.DataFrame({key: np.broadcast_to(values, len(DAYS)).astype(float) for key, values in series.items()})
    made.index = DAYS
    made.columns = pd.MultiIndex.from_tuples(list(series), names=NAMES)
    return made


def events(
    counts: dict[tuple[str, str], "np.ndarray | list[float] | float"],
    mean: float | dict[tuple[str, str], float],
    daily: float = 0.03,
    **config: float,
) -> list[Surge]:
    means = mean if isinstance(mean, dict) else dict.fromkeys(counts, mean)
    dispersion = pd.DataFrame([{"municipality": p, "sector": s, "daily": daily, "weekly": 0.02} for p, s in counts])
    return observed_surges(frame(counts), frame(dict(means)), dispersion, SurgeConfig(**config))


def with_end(mean: float, end: list[float]) -> "np.ndarray":
    counts = np.full(len(DAYS), float(mean))
    counts[-len(end) :] = end
    return counts


@pytest.mark.parametrize(
    ("mean", "end", "state"),
    [
        (10, [10, 10, 10], None),
        (10, [14, 8, 12], None),  # noise
        (10, [25, 27, 24], "open"),  # a step
        (10, [14, 17, 21, 25, 28], "open"),  # a ramp
        (10, [60], "pending"),  # one day
        (10, [60, np.nan], "pending"),  # nobody knows yet
        (10, [60, 25], "open"),  # confirmed
        (10, [60, 11], None),  # withdrawn
        (10, [60, 60, 60, 30, 28, 10], "recovering"),
        (10, [60, 60, 60, 10, 9, 8, 7], None),  # over
        (0.1, [1], None),  # a rare complaint came
        (0.1, [1, 1, 2], None),  # unusual, but four complaints are no surge
        (0.3, [4, 5, 6], "open"),
        (300, [330, 335, 328], None),  # significant perhaps, but not 1.3 times the usual
        (10, [0, 0, 0], None),
    ],
)
def test_what_is_a_surge_that_goes_on(mean: float, end: list[float], state: str | None):
    found = events({KEY: with_end(mean, end)}, mean)
    assert [surge.state for surge in found if surge.closed is None] == [state] * (state is not None)


def test_a_single_day_that_the_next_does_not_confirm_is_withdrawn_and_says_so():
    (surge,) = events({KEY: with_end(10, [60, 11, 9])}, 10)
    assert (surge.state, surge.confirmed, surge.closed) == ("closed", False, date(2026, 10, 27))
    assert (surge.start, surge.end, surge.count) == (date(2026, 10, 26), date(2026, 10, 26), 60)
    assert "один день: следующий не подтвердил" in surge.reasons
    (pending,) = events({KEY: with_end(10, [60])}, 10)
    assert "один день: подтвердится или отпадёт после следующего" in pending.reasons


def test_a_series_that_does_not_fall_with_the_others_is_no_surge():
    flat, fallen = with_end(20, [20]), with_end(20, [8, 7, 8, 6, 8, 7, 8])
    base = {(p, "ЖКХ"): flat for p in ("Алмазово", "Ольшаны")}
    base |= {(p, f"С{n}"): fallen for p in ("Алмазово", "Ольшаны") for n in range(9)}
    assert not region_of(base, 20.0)


def test_what_lasts_for_weeks_and_stays_is_told_as_a_new_level():
    stays, passes = with_end(10, [26] * 24), with_end(10, [26] * 15 + [10] * 7)
    (surge,) = events({KEY: stays}, 10)
    assert (surge.new_level, surge.state) == (True, "open")
    assert any(reason == "новый уровень: 26,0 в день вместо 10,0" for reason in surge.reasons)
    assert not events({KEY: passes}, 10)[0].new_level


def test_what_matters_is_large_wide_and_sure():
    one = events({KEY: with_end(10, [25, 27, 24])}, 10)[0]
    assert replace(one, count=one.count * 2).importance > one.importance
    assert replace(one, places=("А", "Б", "В")).importance > one.importance
    assert replace(one, strength=1.0).importance < replace(one, strength=2.0).importance
    assert replace(one, confirmed=False).importance < one.importance
    over, unsure = replace(one, closed=LAST, count=1e6), replace(one, confirmed=False)
    assert most_important_first([over, unsure, one]) == [one, unsure, over]


def test_a_surge_is_dated_from_its_first_day_and_counted_from_there():
    (surge,) = events({KEY: with_end(10, [22, 25, 24, 26])}, 10)
    assert (surge.kind, surge.state) == ("observed", "open")
    assert (surge.start, surge.end, surge.closed) == (date(2026, 10, 25), LAST, None)
    assert surge.noticed is not None
    assert surge.start <= surge.noticed <= LAST
    assert (surge.count, surge.expected, surge.excess) == (97, 40, 57)
    assert surge.ratio == pytest.approx(97 / 40)
    assert surge.probability > 0.99


def test_one_event_a_surge_and_it_is_closed_when_over():
    counts = with_end(10, [24, 26, 23, 25, 27, 10, 9, 11, 10, 8, 10, 9])
    (surge,) = events({KEY: counts}, 10)
    assert (surge.start, surge.end, surge.state) == (date(2026, 10, 17), date(2026, 10, 21), "closed")
    assert surge.closed == date(2026, 10, 24)  # three usual days
    assert surge.count == 125


def test_what_flares_up_again_within_a_week_is_the_same_event_and_later_another():
    again = [25, 26, 24, 9, 10, 8, 25, 27, 26]
    assert len(events({KEY: with_end(10, again)}, 10)) == 1
    later = [25, 26, 24, *[9, 10, 11] * 4, 25, 27, 26]
    assert [surge.state for surge in events({KEY: with_end(10, later)}, 10)] == ["open", "closed"]


def test_every_day_of_an_event_tells_the_same_event():
    counts, means = frame({KEY: with_end(10, [24, 26, 23, 25, 27, 10, 9, 11, 10, 8])}), frame({KEY: 10.0})
    dispersion = pd.DataFrame([{"municipality": KEY[0], "sector": KEY[1], "daily": 0.03, "weekly": 0.02}])
    told = [observed_surges(counts, means, dispersion, SurgeConfig(), as_of=day.date()) for day in DAYS]
    starts = {surge.start for found in told for surge in found}
    assert starts == {date(2026, 10, 19)}
    states = "".join(found[0].state[0] if found else "-" for found in told)
    assert states.strip("-").lstrip("p").lstrip("o").lstrip("r").strip("c") == ""


@pytest.mark.parametrize("least", [5, 8, 200])
def test_no_alert_has_fewer_complaints_than_min_count(least: int):
    rng = np.random.default_rng(3)
    series = {(f"П{n}", f"С{n}"): rng.poisson(0.8 * (1 + 5 * (rng.random(28) < 0.2))) for n in range(80)}
    found = events(series, 0.8, min_count=least)
    assert all(surge.count >= least for surge in found)
    assert bool(found) == (least < 200)


def test_over_dispersed_series_need_more_to_alarm():
    counts = {KEY: with_end(10, [26])}
    assert events(counts, 10, daily=0.001)
    assert not events(counts, 10, daily=0.5)


def test_days_that_were_not_observed_are_no_evidence_and_no_end():
    (surge,) = events({KEY: with_end(10, [25, 27, np.nan, 26, np.nan, np.nan])}, 10)
    assert (surge.count, surge.end, surge.state) == (78, date(2026, 10, 26), "open")
    long_silent = events({KEY: with_end(10, [25, 27, 26, *[np.nan] * 8])}, 10)
    assert [surge.state for surge in long_silent] == ["closed"]
    assert not events({KEY: np.full(28, np.nan)}, 10)


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


def region_of(base: dict[tuple[str, str], "np.ndarray"], mean: float = 10.0) -> list[Surge]:
    counts = with_sums(frame(dict(base)))
    means = with_sums(frame(dict.fromkeys(base, mean)))
    rows = [{"municipality": p, "sector": s, "daily": 0.03, "weekly": 0.02} for p, s in counts.columns]
    return observed_surges(counts, means, pd.DataFrame(rows), SurgeConfig())


def test_neighbours_in_one_sector_are_one_event_of_the_region_with_its_places():
    high, higher, calm = with_end(10, [25, 27, 24]), with_end(10, [45, 47, 44]), with_end(10, [10, 10, 10])
    base = {("Алмазово", "ЖКХ"): high, ("Ольшаны", "ЖКХ"): higher, ("Поляны", "ЖКХ"): calm}
    (surge,) = region_of(base | {(place, "Дороги"): calm for place in ("Алмазово", "Ольшаны", "Поляны")})
    assert (surge.municipality, surge.sector) == (REGION, "ЖКХ")
    assert surge.places == ("Ольшаны", "Алмазово")
    assert "муниципалитеты со всплеском: Ольшаны, Алмазово" in surge.reasons


def test_a_sum_that_one_member_explains_is_not_told_beside_it():
    calm = with_end(10, [10, 10, 10])
    base = {(p, s): calm for p in ("Алмазово", "Ольшаны") for s in ("ЖКХ", "Дороги", "Экология")}
    found = region_of(base | {("Алмазово", "ЖКХ"): with_end(10, [60, 62, 61])})
    assert [(surge.municipality, surge.sector) for surge in found] == [("Алмазово", "ЖКХ")]


def test_a_rise_that_no_single_place_shows_is_told_of_the_region():
    rise = with_end(3, [6, 5, 6, 6, 5, 6])
    base = {(f"Место {n}", "ЖКХ"): rise for n in range(12)} | {("Место 0", "Дороги"): with_end(3, [3])}
    (surge,) = region_of(base, 3.0)
    assert (surge.municipality, surge.sector, surge.start) == (REGION, "ЖКХ", date(2026, 10, 23))


def test_several_sectors_of_one_place_are_one_event_of_the_place():
    high, calm = with_end(10, [25, 27, 24, 26]), with_end(10, [10])
    sectors = ("ЖКХ", "Дороги", "Экология", "Связь")
    base = {("Алмазово", s): high for s in sectors} | {(f"Место {n}", s): calm for n in range(8) for s in sectors}
    found = region_of(base)
    assert [(surge.municipality, surge.sector) for surge in found] == [("Алмазово", ALL_SECTORS)]
    assert set(found[0].sectors) == set(sectors)


def test_the_backlog_typed_in_on_one_day_is_no_surge_and_a_later_one_says_so():
    calm = with_end(5, [5])
    entered = with_end(5, [120, 5, 6, 5, 4])
    base = {("Алмазово", s): entered for s in ("ЖКХ", "Дороги", "Экология")} | {("Ольшаны", "ЖКХ"): calm}
    assert not region_of(base, 5.0)
    real = with_end(5, [120, 15, 16, 17, 16])
    surge = next(s for s in region_of(base | {("Алмазово", "ЖКХ"): real}, 5.0) if s.sector == "ЖКХ")
    assert surge.start == date(2026, 10, 25)
    assert "похоже на ввод накопленного одним днём, не учтено: 24.10.2026" in surge.reasons


def test_one_sector_that_explodes_alone_is_a_surge_on_its_first_day():
    base = {(p, s): with_end(2, [2]) for p in ("Алмазово", "Ольшаны") for s in ("ЖКХ", "Дороги", "Связь")}
    found = region_of(base | {("Алмазово", "Связь"): with_end(2, [60])}, 2.0)
    assert [(surge.municipality, surge.sector, surge.noticed) for surge in found] == [("Алмазово", "Связь", LAST)]


def test_what_all_sectors_do_on_the_same_day_is_no_surge_of_each():
    snow = with_end(10, [19, 20, 21, 19])
    base = {(p, f"С{n}"): snow for p in ("Алмазово", "Ольшаны") for n in range(10)}
    found = region_of(base)
    assert all(surge.sector == ALL_SECTORS for surge in found)
    assert len(found) <= 3


def test_long_holidays_and_an_earlier_rise_are_given_as_reasons():
    days = pd.date_range("2025-12-12", periods=31, freq="D")
    counts = pd.DataFrame({KEY: [6.0] * 10 + [14.0] * 18 + [40.0] * 3}, index=days)
    means = pd.DataFrame({KEY: [13.0] * 31}, index=days)
    for table in (counts, means):
        table.columns = pd.MultiIndex.from_tuples([KEY], names=NAMES)
    dispersion = pd.DataFrame([{"municipality": KEY[0], "sector": KEY[1], "daily": 0.03, "weekly": 0.02}])
    reasons = observed_surges(counts, means.iloc[-7:], dispersion, SurgeConfig(), calendar="russia")[0].reasons
    assert any("длинные выходные" in reason for reason in reasons)
    assert any("рост ещё до начала" in reason for reason in reasons)
    blind = observed_surges(counts, means.iloc[-7:], dispersion, SurgeConfig())[0].reasons
    assert not any("выходные" in reason for reason in blind)


@pytest.fixture(scope="module")
def region() -> pd.DataFrame:
    """The simulated sample's panel, its last year and a half."""
    columns = CountColumns(sector="sector", municipality="municipality")
    counts = read_counts(CHECKOUT / "data" / "samples" / COUNTS_FILE, columns)
    return panel(counts[counts["date"] >= "2025-05-01"])


def test_the_past_of_a_region_is_told_as_few_events(region: pd.DataFrame):
    found = past_surges(region, SurgeConfig(), "russia", since=date(2026, 1, 1))
    months = 10.5
    assert len(found) <= SurgeConfig().false_alarms_per_month * region.shape[1] * months / 2
    assert {surge.state for surge in found} == {"open", "closed"}
    told = {(place, surge.sector) for surge in found for place in (surge.municipality, *surge.places)}
    assert {("Верхнереченск", "Образование"), ("Верхнереченск", "Дороги"), ("Верхнереченск", "ЖКХ")} <= told
    assert all(surge.end >= date(2026, 1, 1) for surge in found)


@pytest.fixture(scope="module")
def sample() -> tuple[pd.DataFrame, Forecasts]:
    """A part of the simulated sample, to be quick."""
    columns = CountColumns(sector="sector", municipality="municipality")
    counts = read_counts(CHECKOUT / "data" / "samples" / COUNTS_FILE, columns)
    places = ["Верхнереченск", "Каменный Брод", "Новозаводск"]
    sectors = ["ЖКХ", "Дороги", "Общественный транспорт", "Экология"]
    counts = counts[counts["municipality"].isin(places) & counts["sector"].isin(sectors)]
    config = ForecasterConfig(forecasters=["prophet"], windows=2)
    return counts, fit_forecasts(counts, config, backtest(counts, config))


def test_the_surges_at_the_end_of_the_sample_are_found(sample: tuple[pd.DataFrame, Forecasts]):
    counts, forecasts = sample
    known = pd.concat([forecasts.past_means, forecasts.means])
    recent, means = sums_of_observed(panel(counts).iloc[-28:], known)
    events = observed_surges(recent, means.dropna(how="all"), forecasts.series, forecasts.config.surges)
    found = [surge for surge in events if surge.state == "open"]
    assert ("Верхнереченск", "ЖКХ", date(2026, 11, 11)) in {(s.municipality, s.sector, s.start) for s in found}
    assert len(found) <= 4


def test_training_states_the_thresholds_it_learned(sample: tuple[pd.DataFrame, Forecasts]):
    learned = sample[1].config.surges
    assert learned.threshold is not None
    assert learned.day_weight is not None
    assert learned.threshold > 1


def test_an_expected_surge_states_its_level_and_its_probability(sample: tuple[pd.DataFrame, Forecasts]):
    _, forecasts = sample
    assert forecasts.config.surges.exceedance is not None
    key = ("Новозаводск", "Дороги")
    high = forecasts.means.copy()
    high[key] *= 4
    before = {(surge.municipality, surge.sector) for surge in expected_surges(forecasts)}
    told = expected_surges(replace(forecasts, means=high))
    surge = next(s for s in told if (s.municipality, s.sector) == key)
    assert key not in before
    assert (surge.kind, surge.state) == ("expected", "expected")
    assert (surge.start, surge.end) == (date(2026, 11, 16), date(2026, 11, 22))
    assert surge.level is not None
    assert surge.count > surge.level > surge.expected
    assert surge.probability > 0.5
    assert surge.noticed is None
    assert not expected_surges(replace(forecasts, means=high.iloc[:3]))  # the week is not forecast whole


def test_without_skill_nothing_is_expected(sample: tuple[pd.DataFrame, Forecasts]):
    _, forecasts = sample
    surges = forecasts.config.surges
    assert surges.exceedance is not None
    eager = surges.model_copy(update={"min_probability": 0.01, "min_ratio": 1.0})
    unskilled = eager.model_copy(update={"exceedance": surges.exceedance.model_copy(update={"skill": -0.01})})
    unlearned = eager.model_copy(update={"exceedance": None})
    for config, told in ((eager, True), (unskilled, False), (unlearned, False)):
        changed = replace(forecasts, config=forecasts.config.model_copy(update={"surges": config}))
        assert bool(expected_surges(changed)) is told
