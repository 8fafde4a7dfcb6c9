"""`heat_cells`: each cell's figures by their definitions, the hottest first and the unknown last."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.forecasting.bundle import Forecasts
from models.forecasting.distribution import window_dispersion
from models.surges.types import Surge
from serving.api.v1.heatmap import heat_cells
from serving.api.v1.heatmap_types import HeatCell
from tests.serving.bundles import CALM_PLACE, CALM_SECTOR, LAST_DAY, SURGE_PLACE, SURGE_SECTOR

DAYS = pd.date_range(end=LAST_DAY, periods=7, freq="D")
SURGING, CALM = (SURGE_PLACE, SURGE_SECTOR), (CALM_PLACE, CALM_SECTOR)


@pytest.fixture(scope="module")
def forecasts(forecaster_bundle: Path) -> Forecasts:
    return Forecasts.load(forecaster_bundle)


def counts_of(forecasts: Forecasts) -> pd.DataFrame:
    """As many as were expected."""
    return forecasts.past_means.loc[DAYS].round()


def cells(forecasts: Forecasts, counts: pd.DataFrame, **options: object) -> dict[tuple[str, str], HeatCell]:
    made = heat_cells(forecasts, counts, DAYS, **options)  # type: ignore[arg-type]
    return {(cell.municipality, cell.sector): cell for cell in made}


def test_a_cell_holds_sums_their_ratio_and_their_distance_in_standard_deviations(forecasts: Forecasts):
    counts = counts_of(forecasts)
    counts[SURGING] *= 3
    counts.loc[DAYS[2], SURGING] = np.nan
    observed = counts[SURGING].sum()
    expected = forecasts.past_means.loc[DAYS, SURGING].drop(DAYS[2]).sum()
    facts = forecasts.series.set_index(["municipality", "sector"]).loc[SURGING]
    alpha = window_dispersion(facts["daily"], facts["weekly"], 6)
    cell = cells(forecasts, counts)[SURGING]
    assert (cell.observed, cell.expected) == (observed, round(expected, 2))
    assert cell.ratio == pytest.approx(observed / expected, abs=1e-3)
    assert cell.z == pytest.approx((observed - expected) / np.sqrt(expected + alpha * expected**2), abs=0.01)


def test_the_hottest_come_first_and_what_nobody_observed_last(forecasts: Forecasts):
    counts = counts_of(forecasts)
    counts[SURGING] *= 5
    counts[CALM] = np.nan
    made = list(cells(forecasts, counts).items())
    assert made[0][0] == SURGING
    heat = [cell.z for _, cell in made[:-1]]
    assert heat == sorted(heat, reverse=True)
    last, unknown = made[-1]
    assert last == CALM
    assert (unknown.observed, unknown.expected, unknown.ratio, unknown.z) == (None, 0.0, None, None)


def test_an_open_surge_is_told_in_its_own_cell_alone(forecasts: Forecasts):
    surge = Surge(
        kind="observed",
        municipality=SURGE_PLACE,
        sector=SURGE_SECTOR,
        start=date(2026, 11, 12),
        end=date(2026, 11, 14),
        noticed=date(2026, 11, 13),
        closed=None,
        expected=10.0,
        count=30.0,
        level=None,
        probability=0.999,
        recovering=True,
    )
    made = cells(forecasts, counts_of(forecasts), surges={SURGING: surge})
    assert {key: cell.surge for key, cell in made.items() if cell.surge} == {SURGING: surge.start}
    assert {key: cell.surge_state for key, cell in made.items() if cell.surge_state} == {SURGING: "recovering"}
