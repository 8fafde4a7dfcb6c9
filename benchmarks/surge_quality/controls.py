"""The surge benchmark's other measurements: the simulated region and New York's controls.

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
from models.forecasting.config import ForecasterConfig
from models.forecasting.series import keys_of, panel
from models.surges.detection import past_surges
from models.surges.spans import SAME_EVENT_DAYS
from models.surges.thresholds import MONTH, count_alarms

SAMPLES = CHECKOUT / "data" / "samples"
REGION_FIRST = "2025-11-16"
"""The last year of the sample is judged."""
REGION_LEAST = 1.0
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
