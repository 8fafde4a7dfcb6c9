"""The surge benchmark's other measurements: the simulated region, its expected surges, New York's controls.

In: the sample of `data/samples/` with the truth about its surges; New York's counts. Out: figures.
"""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.surge_quality.rivals import DETECTORS, Scored, Trial, with_learned_past
from benchmarks.surge_quality.trials import RATES, at_rate, delays, thresholds
from data.counts.daily import complete
from data.counts.reading import CountColumns, read_counts
from data.counts.simulator import COUNTS_FILE, SURGES_FILE
from data.settings import CHECKOUT
from models.forecasting.bundle import Forecasts
from models.forecasting.config import ForecasterConfig
from models.forecasting.forecasters.profile_mean import ProfileMean
from models.forecasting.series import keys_of, panel, trimmed
from models.surges.baseline import rolling_baseline
from models.surges.detection import expected_surges, past_surges
from models.surges.spans import SAME_EVENT_DAYS
from models.surges.thresholds import MONTH, count_alarms

SAMPLES = CHECKOUT / "data" / "samples"
REGION_FIRST = "2025-11-16"
"""The last year of the sample is judged."""
REGION_LEAST = 1.0
ORIGIN_DAYS = 3
BULK_DAYS = (date(2019, 12, 23), date(2019, 12, 26))

Bools = npt.NDArray[np.bool_]


def sample() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The simulated region's panel and the surges in it."""
    counts = panel(complete(read_counts(SAMPLES / COUNTS_FILE, CountColumns(municipality="municipality"))))
    return counts, pd.read_csv(SAMPLES / SURGES_FILE, parse_dates=["start", "end"])


def region_trial(folder: Path) -> tuple[Trial, pd.DataFrame]:
    """The region's series of at least one a day over the last year, and the surges known in them."""
    counts, truth = sample()
    first = int(counts.index.searchsorted(pd.Timestamp(REGION_FIRST)))
    watched = np.flatnonzero(counts.iloc[first:].mean().to_numpy() >= REGION_LEAST)
    fits = folder / "region"
    fits.mkdir(parents=True, exist_ok=True)
    trial = Trial(counts, counts, watched, first, fits, prophet_days=56, calendar="russia")
    return with_learned_past(trial), truth


def region_figures(trial: Trial, truth: pd.DataFrame, name: str) -> dict[str, Any]:
    """A detector's curve on the simulated region; days of known surges, and a week after, give no false alarm."""
    scored = DETECTORS[name][1](trial)
    position = {
        (key.municipality, key.sector): column
        for column, key in enumerate(keys_of(trial.counts.iloc[:, trial.watched]))
    }
    sites, ends = [], []
    quiet = np.ones(scored.score.shape, dtype=bool)
    for row in truth.itertuples(index=False):
        column = position.get((str(row.municipality), str(row.sector)))
        start = int((row.start - trial.counts.index[trial.first]).days)
        end = int((row.end - trial.counts.index[trial.first]).days)
        if column is None or end < 0:
            continue
        quiet[max(start, 0) : end + 1 + SAME_EVENT_DAYS, column] = False
        if start >= 0:
            sites.append((start, column))
            ends.append(end)
    points = _region_curve(scored, np.array(sites), np.array(ends), quiet)
    return {
        "series": len(trial.watched),
        "surges": len(sites),
        "at_rates": {f"{rate:g}": at_rate(points, rate) for rate in RATES},
        "curve": points[:: max(1, len(points) // 15)],
    }


def _region_curve(
    scored: Scored, sites: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], quiet: Bools
) -> list[dict[str, float]]:
    points: list[dict[str, float]] = []
    highest = 0.0
    for threshold in thresholds(scored):
        up = scored.alarms(float(threshold))
        false = int(count_alarms((up & quiet).astype(np.float64), 0.5).sum())
        highest = max(highest, false / (quiet.sum() / MONTH))
        if highest > 1.5:
            break
        of_each = [delays(up, site[None, :], end - site[0] + 1)[0] for site, end in zip(sites, ends, strict=True)]
        late = np.array(of_each)
        hits = int(np.isfinite(late).sum())
        points.append(
            {
                "threshold": float(threshold),
                "false_alarms": highest,
                "detected": hits / len(sites),
                "delay": float(np.median(late)),
                "ppv": hits / (hits + false) if hits + false else 0.0,
            }
        )
    return points


def forewarned(truth: pd.DataFrame, days: int = 180) -> dict[str, Any]:
    """Expected surges on the simulated region: how many come true, and how long before a surge they were told.

    Every third day of the last half year, the coming week is forecast by `profile_mean` for all series, with
    levels and dispersions known on that day.
    """
    counts, _ = sample()
    config = ForecasterConfig(forecasters=["profile_mean"])
    base = rolling_baseline(counts, config.calendar)
    weeks = counts.rolling(7).sum()
    expected = right = 0
    ahead: dict[tuple[str, str], list[pd.Timestamp]] = {}
    for origin in range(len(counts) - days, len(counts) - 7, ORIGIN_DAYS):
        forecasts = _forecasts_at(counts, base.daily, base.weekly, weeks, origin, config)
        for surge in expected_surges(forecasts):
            key = (surge.municipality, surge.sector)
            if key not in counts or surge.level is None:
                continue
            expected += 1
            right += bool(counts.loc[str(surge.start) : str(surge.end), key].sum() > surge.level)
            ahead.setdefault(key, []).append(pd.Timestamp(surge.start) - pd.Timedelta(days=1))
    begun = truth[truth["start"] >= counts.index[-days] + pd.Timedelta(days=7)]
    leads = []
    for row in begun.itertuples(index=False):
        before = [
            (row.start - day).days
            for day in ahead.get((row.municipality, row.sector), [])
            if pd.Timedelta(0) < row.start - day <= pd.Timedelta(days=7)
        ]
        if before:
            leads.append(max(before))
    return {
        "told": expected,
        "came_true": right / expected if expected else None,
        "surges": len(begun),
        "forewarned": len(leads),
        "median_lead_days": float(np.median(leads)) if leads else None,
    }


def _forecasts_at(
    counts: pd.DataFrame,
    daily: pd.DataFrame,
    weekly: pd.DataFrame,
    weeks: pd.DataFrame,
    origin: int,
    config: ForecasterConfig,
) -> Forecasts:
    """What the forecaster would have said at the end of day `origin - 1`."""
    past = counts.iloc[:origin]
    days = pd.date_range(past.index[-1] + pd.Timedelta(days=1), periods=7, freq="D", name="date")
    means = pd.DataFrame({column: ProfileMean().fit(trimmed(past[column]), 7).predict() for column in past}, index=days)
    means.columns = counts.columns
    level = weeks.iloc[origin - 364 : origin].quantile(config.surges.level_quantile)
    series = pd.DataFrame(
        {
            "municipality": [key.municipality for key in keys_of(counts)],
            "sector": [key.sector for key in keys_of(counts)],
            "champion": "profile_mean",
            "daily": daily.iloc[origin - 1].to_numpy(),
            "weekly": weekly.iloc[origin - 1].to_numpy(),
            "week_level": level.to_numpy(),
        }
    )
    tail = past.iloc[-56:]
    return Forecasts(config, past.index[-1].date(), series, means, tail, means.iloc[:0])


def bulk_and_covid(path: Path) -> dict[str, Any]:
    """What the product itself tells of New York: the year-end bulk entry of 2019 and the COVID-19 category."""
    counts = panel(complete(read_counts(path, CountColumns(sector="category"))))
    config = ForecasterConfig(calendar="none").surges
    surges = past_surges(counts, config)
    entered = counts.loc[pd.Timestamp("2019-12-23") : pd.Timestamp("2019-12-26")].max()
    typed = {str(key[1]) for key in entered.index[entered.to_numpy() > 100]}
    bulk = [s for s in surges if s.noticed in BULK_DAYS and s.sector in typed]
    everywhere = [s for s in surges if s.noticed in BULK_DAYS]
    covid = [s for s in surges if s.sector == "COVID-19" and s.noticed and s.noticed.year == 2020]
    march = [s for s in covid if s.noticed and s.noticed.month == 3]
    return {
        "surges_2015_2021": len(surges),
        "bulk_categories": len(typed),
        "bulk_surges": len(bulk),
        "surges_noticed_on_bulk_days": len(everywhere),
        "covid_surges": len(march),
        "covid_start": str(march[-1].start) if march else None,
        "covid_noticed": str(march[-1].noticed) if march else None,
    }
