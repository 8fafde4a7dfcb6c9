"""Pictures: the level is drawn as it was learned, and labels stay inside the frame."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from models.forecasting.forecasters.prophet_model import ProphetConfig
from models.forecasting.series import NAMES
from models.surges.types import Surge
from training.forecaster.plots import learned_level
from training.forecaster.surge_figure import ratio_text, surge_figure

SURGE = Surge(
    kind="observed",
    municipality="Алмазово",
    sector="ЖКХ",
    start=date(2026, 5, 1),
    end=date(2026, 5, 9),
    noticed=date(2026, 5, 2),
    closed=None,
    expected=40.0,
    count=80.0,
    level=None,
    probability=1.0,
)


@pytest.mark.parametrize("log", [True, False])
def test_the_level_follows_the_counts_though_the_trend_is_flat(log: bool):
    days = pd.date_range("2024-01-01", periods=400, freq="D")
    week = np.array([1.3, 1.2, 1.1, 1.1, 1.0, 0.7, 0.6])[np.arange(400) % 7]
    level = np.where(np.arange(400) < 200, 10.0, 100.0)
    history = pd.Series(level * week, index=days)
    if log:
        parts = pd.DataFrame({"trend": np.log1p(30.0), "weekly": np.log1p(30 * week) - np.log1p(30.0)}, index=days)
    else:
        parts = pd.DataFrame({"trend": 30.0, "weekly": 30 * (week - 1)}, index=days)
    drawn = learned_level(history, parts, ProphetConfig(log=log))
    assert drawn.iloc[150:190].mean() == pytest.approx(10, rel=0.05)
    assert drawn.iloc[300:].mean() == pytest.approx(100, rel=0.05)


def test_a_ratio_to_next_to_nothing_says_only_that():
    assert ratio_text(SURGE) == "×2,0"
    assert ratio_text(replace(SURGE, count=3256.0, expected=10.0)) == "более ×20"


def test_counts_are_drawn_beside_the_events_and_labels_stay_inside_the_frame():
    days = pd.date_range("2026-03-01", "2026-06-01", freq="D", name="date")
    counts = pd.DataFrame({("Алмазово", "ЖКХ"): np.full(len(days), 5.0)}, index=days)
    counts.columns = pd.MultiIndex.from_tuples([("Алмазово", "ЖКХ")], names=NAMES)
    events = [
        replace(SURGE, count=123456.0, new_level=True),
        replace(SURGE, start=date(2026, 3, 20), end=date(2026, 3, 22)),
    ]
    figure = surge_figure(events, counts)
    figure.canvas.draw()
    timeline, beside = figure.axes
    frame = timeline.get_window_extent()
    extents = [text.get_window_extent() for text in timeline.texts]
    assert all(frame.x0 <= extent.x0 and extent.x1 <= frame.x1 for extent in extents)
    assert [text.get_text() for text in beside.texts] == ["до 5", "до 5"]
    assert len(surge_figure(events).axes) == 1
