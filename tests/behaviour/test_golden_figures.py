"""Golden figures: how well the simulated region is forecast and watched, so that quality is held without private data.

Measured on the bundled sample with what is committed; the tolerances are what other processors and releases of the
libraries may move. A figure that leaves them is a change of quality: find its cause, and only then write the new one.
"""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from data.counts.simulator import SURGES_FILE
from data.settings import CHECKOUT
from models.forecasting.config import ForecasterConfig
from models.forecasting.series import panel
from models.surges.detection import past_surges
from models.surges.types import Surge
from models.topics.emerging import EmergingConfig, emerging_topics
from tests.models.topics.planted import END, Days, group, ordinary
from training.forecaster.backtest import backtest
from training.forecaster.evaluation import BacktestResult
from tsur.samples import sample_counts

PLACES = ["Верхнереченск", "Каменный Брод", "Новозаводск"]
SECTORS = ["ЖКХ", "Дороги", "Общественный транспорт", "Экология"]
QUICK = ["seasonal_naive", "weekday_mean", "profile_mean", "harmonic", "gradient_boosting", "combination"]


@pytest.fixture(scope="module")
def counts() -> pd.DataFrame:
    return sample_counts()


@pytest.fixture(scope="module")
def forecasts(counts: pd.DataFrame) -> BacktestResult:
    """Twelve series, six windows, every forecaster but Prophet, which takes its time."""
    chosen = counts["municipality"].isin(PLACES) & counts["sector"].isin(SECTORS)
    return backtest(counts[chosen], ForecasterConfig(forecasters=QUICK, windows=6))


@pytest.mark.parametrize(
    ("forecaster", "wape"),
    [
        ("champion", 0.311),
        ("combination", 0.309),
        ("gradient_boosting", 0.322),
        ("harmonic", 0.314),
        ("profile_mean", 0.353),
        ("weekday_mean", 0.379),
        ("seasonal_naive", 0.404),
    ],
)
def test_forecasts_are_as_near_as_they_were(forecasts: BacktestResult, forecaster: str, wape: float):
    assert forecasts.wape.loc[forecaster, "mean"] == pytest.approx(wape, abs=0.006)


def test_intervals_hold_as_many_days_as_they_did(forecasts: BacktestResult):
    assert forecasts.coverage["all"] == pytest.approx(0.761, abs=0.015)
    assert forecasts.pinball_loss == pytest.approx(1.392, rel=0.015)


@pytest.fixture(scope="module")
def events(counts: pd.DataFrame) -> list[Surge]:
    """What is told of the sample's last two years, by thresholds learned from it."""
    return past_surges(panel(counts), ForecasterConfig().surges, "russia", since=date(2024, 11, 16))


def covers(event: Surge, known: pd.Series) -> bool:
    """Whether an event is told while a known surge goes on, of its place and sector."""
    place = known["municipality"] in (event.municipality, *event.places)
    sector = known["sector"] in (event.sector, *event.sectors)
    return place and sector and event.start <= known["end"].date() and known["start"].date() <= event.end


def test_known_surges_are_found_as_often_and_false_alarms_are_as_rare(counts: pd.DataFrame, events: list[Surge]):
    known = pd.read_csv(CHECKOUT / "data" / "samples" / SURGES_FILE, parse_dates=["start", "end"])
    known = known[known["start"] >= "2024-11-16"]
    mean = counts.groupby(["municipality", "sector"])["count"].mean()
    often = known[mean.loc[list(zip(known["municipality"], known["sector"], strict=True))].to_numpy() >= 1]
    found = [any(covers(event, row) for event in events) for _, row in often.iterrows()]
    false = [event for event in events if not any(covers(event, row) for _, row in known.iterrows())]
    series_months = counts.groupby(["municipality", "sector"]).ngroups * 24
    assert np.mean(found) == pytest.approx(0.94, abs=0.04)
    assert len(false) / series_months == pytest.approx(0.236, abs=0.02)


def test_new_topics_are_found_and_nothing_else_is():
    """Ten weeks of ordinary complaints with a new topic of eight, and ten without."""

    def proposals(days: Days) -> list[bool]:
        topics = emerging_topics(days.complaints, days.vectors, END, EmergingConfig()).topics
        return [any("самокаты" in text for text in topic.examples) for topic in topics]

    with_new = [proposals(ordinary(seed=s) + group("самокаты на тротуаре", 8, range(10), seed=s)) for s in range(10)]
    without = [proposals(ordinary(seed=s)) for s in range(10)]
    assert sum(any(found) for found in with_new) >= 10
    assert sum(len(found) - sum(found) for found in with_new + without) <= 1
