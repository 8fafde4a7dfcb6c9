"""Series on a cluster: a backtest and its champions' fits say what they say on this machine, to the last digit."""

import os
from collections.abc import Iterator

import pandas as pd
import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install '.[ray]'")

from batch.ray_cluster import connected
from batch.ray_executor import RayExecutor
from data.settings import CHECKOUT
from models.forecasting.config import ForecasterConfig
from tests.training.forecaster.test_backtest import made
from training.forecaster.backtest import backtest
from training.forecaster.fitting import fit_forecasts

CONFIG = ForecasterConfig(
    forecasters=["seasonal_naive", "weekday_mean", "harmonic", "gradient_boosting", "combination"],
    combination=["weekday_mean", "gradient_boosting"],
    windows=2,
    horizon=14,
    processes=1,
)


@pytest.fixture(scope="module")
def executor() -> Iterator[RayExecutor]:
    """Two workers of this machine, which get two series at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")]))
        with connected(workers=2):
            yield RayExecutor(block=2)


def test_a_backtest_and_its_champions_are_the_same_numbers(executor: RayExecutor):
    counts = made()
    here, there = backtest(counts, CONFIG), backtest(counts, CONFIG, executor=executor)
    pd.testing.assert_frame_equal(here.predictions, there.predictions, check_exact=True)
    assert here.champions == there.champions
    fitted, elsewhere = fit_forecasts(counts, CONFIG, here), fit_forecasts(counts, CONFIG, there, executor=executor)
    pd.testing.assert_frame_equal(fitted.means, elsewhere.means, check_exact=True)
    pd.testing.assert_frame_equal(fitted.series, elsewhere.series, check_exact=True)
    assert fitted.prophet == elsewhere.prophet
