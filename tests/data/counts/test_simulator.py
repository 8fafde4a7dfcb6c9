"""The simulated sample: reproducible, and with the troubles that it says it has."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.catalogue.checks import load_catalogue
from data.config import load_config
from data.counts.daily import complete
from data.counts.reading import CountColumns, read_counts
from data.counts.simulator import COUNTS_FILE, SURGES_FILE, simulate, surge_factors, write_samples
from data.counts.simulator_config import SimulatorConfig
from data.settings import CHECKOUT

UNCOUNTED = {"СМИ", "Нацпроекты"}
"""Sectors of the sample's messages that the simulated series are without."""
SAMPLES = CHECKOUT / "data" / "samples"


@pytest.fixture(scope="module")
def config() -> SimulatorConfig:
    return load_config(CHECKOUT / "configs" / "simulator.yaml", SimulatorConfig)


@pytest.fixture(scope="module")
def counts() -> pd.DataFrame:
    columns = CountColumns(sector="sector", municipality="municipality")
    return read_counts(SAMPLES / COUNTS_FILE, columns)


@pytest.fixture(scope="module")
def surges() -> pd.DataFrame:
    return pd.read_csv(SAMPLES / SURGES_FILE, parse_dates=["start", "end"])


def daily(counts: pd.DataFrame, sector: str) -> "pd.Series[int]":
    return counts[counts["sector"] == sector].groupby("date")["count"].sum()


def test_the_committed_sample_is_what_the_config_gives(
    config: SimulatorConfig, counts: pd.DataFrame, surges: pd.DataFrame, tmp_path: Path
):
    again, truth = simulate(config)
    pd.testing.assert_frame_equal(again, counts)
    assert list(truth["peak_ratio"]) == list(surges["peak_ratio"])
    write_samples(config, tmp_path)
    for name in (COUNTS_FILE, SURGES_FILE):
        assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes()


def test_places_and_sectors_are_those_of_the_catalogue(counts: pd.DataFrame):
    catalogue = load_catalogue(CHECKOUT / "configs" / "regions" / "verkhnerechye" / "catalogue.yaml")
    assert set(counts["municipality"]) == {place.name for place in catalogue.municipalities}
    assert set(counts["sector"]) == {sector.name for sector in catalogue.sectors} - {"Не жалоба", *UNCOUNTED}
    assert (counts["date"].min(), counts["date"].max()) == (
        pd.Timestamp(2023, 11, 20),
        pd.Timestamp(2026, 11, 15),
    )


def test_sizes_run_from_tens_a_day_to_one_in_a_week(counts: pd.DataFrame):
    means = counts.groupby(["municipality", "sector"])["count"].mean()
    assert 30 < means["Верхнереченск", "ЖКХ"] < 60
    assert means.min() < 0.2


@pytest.mark.parametrize(
    ("sector", "season", "rest"),
    [
        ("ЖКХ", [10], [6, 7, 8]),
        ("Дороги", [4], [8, 9]),
        ("Образование", [9], [6, 7]),
        ("Здравоохранение", [1, 2], [6, 7]),
        ("Экология", [7], [11, 12]),
    ],
)
def test_sectors_have_their_seasons(counts: pd.DataFrame, sector: str, season: list[int], rest: list[int]):
    series = daily(counts, sector)
    month = pd.DatetimeIndex(series.index).month
    assert series[month.isin(season)].mean() > 1.25 * series[month.isin(rest)].mean()


def test_weekends_and_long_holidays_are_quiet_and_the_level_shifts(counts: pd.DataFrame):
    total = counts.groupby("date")["count"].sum()
    weekday = pd.DatetimeIndex(total.index).weekday
    assert total[weekday >= 5].mean() < 0.7 * total[weekday < 5].mean()
    assert total["2026-01-02":"2026-01-08"].mean() < 0.75 * total["2025-12-08":"2025-12-28"].mean()
    assert total["2025-06-02":"2026-06-01"].mean() > 1.15 * total["2024-06-02":"2025-06-01"].mean()


def test_counts_are_over_dispersed(counts: pd.DataFrame):
    series = daily(counts, "ЖКХ")["2026-06-01":"2026-08-31"]
    mondays = series[pd.DatetimeIndex(series.index).weekday == 0]
    assert mondays.var() > 2 * mondays.mean()


def test_a_silent_source_leaves_gaps_that_completing_does_not_fill(counts: pd.DataFrame):
    everyday = counts["date"].nunique() * counts.groupby(["municipality", "sector"]).ngroups
    assert 500 < everyday - len(counts) < 5000
    assert len(complete(counts)) == len(counts)


def test_surges_are_many_sized_as_stated_and_some_are_going_on(surges: pd.DataFrame, config: SimulatorConfig):
    assert len(surges) >= 25
    assert surges["peak_ratio"].between(1.5, 4).all()
    assert (surges["end"] - surges["start"]).dt.days.add(1).between(3, 21).all()
    assert set(surges["shape"]) == {"step", "ramp", "peak"}
    assert (surges["end"] == pd.Timestamp(config.end)).sum() >= 3
    together = surges.groupby(["sector", "start"])["municipality"].nunique()
    assert (together > 1).sum() >= 5


def test_a_surge_is_visible_in_the_counts(counts: pd.DataFrame):
    capital = counts[(counts["municipality"] == "Верхнереченск") & (counts["sector"] == "ЖКХ")]
    series = capital.set_index("date")["count"]
    assert series["2026-11-11":].mean() > 1.6 * series["2026-10-28":"2026-11-08"].mean()


@pytest.mark.parametrize(
    ("shape", "factors"),
    [("step", [3, 3, 3, 3]), ("ramp", [1.5, 2, 2.5, 3]), ("peak", [2, 3, 3, 2])],
)
def test_the_shapes_of_a_surge(shape: str, factors: list[float]):
    np.testing.assert_allclose(surge_factors(shape, 3.0, 4), factors)  # type: ignore[arg-type]


def test_another_seed_gives_other_counts(config: SimulatorConfig, counts: pd.DataFrame):
    short = config.model_copy(update={"seed": 1, "start": date(2026, 8, 1)})
    assert not simulate(short)[0]["count"].reset_index(drop=True).equals(counts["count"])
