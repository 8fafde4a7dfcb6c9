"""`tsur surges`: the events of daily counts, or of what the champion forecaster knows.

In: daily counts, or nothing and the registered champion. Out: surges, what matters most first. Given counts are judged
over their whole history by the rolling baseline; the champion judges the days that its own forecasts had not seen.
"""

from datetime import date

import pandas as pd

from data.complaints.schema import check_counts
from data.counts.daily import REGION
from data.errors import CountsError, UnknownSeriesError
from data.tables.csv_writer import csv_text
from models.forecasting.bundle import Forecasts
from models.forecasting.config import ForecasterConfig
from models.forecasting.series import ALL_SECTORS, panel, sums_of_observed
from models.surges.detection import expected_surges, observed_surges, past_surges
from models.surges.events import most_important_first
from models.surges.types import Surge
from training.forecaster.backtest import backtest
from training.forecaster.fitting import fit_forecasts
from training.forecaster.surge_figure import surge_figure
from training.tracker import TrackedRun


def surges_of_counts(counts: pd.DataFrame, config: ForecasterConfig, since: date | None = None) -> list[Surge]:
    """Every surge in the history of some counts, and those to be expected after it, by a quick forecast.

    Raises:
        CountsError: the counts are malformed, or under four weeks long.
    """
    counts = check_counts(counts)
    wide = panel(counts)
    if len(wide) < 28:
        raise CountsError(
            f"daily counts: {len(wide)} days are too few to say what is usual: surges need at least 28 days"
        )
    observed = past_surges(wide, config.surges, config.calendar, since)
    if len(wide) < config.min_history_days + config.horizon:
        return most_important_first(observed)
    quick = config.model_copy(update={"forecasters": ["profile_mean"]})
    return most_important_first(expected_surges(fit_forecasts(counts, quick, backtest(counts, quick))) + observed)


def surges_of_forecasts(forecasts: Forecasts, since: date | None = None) -> list[Surge]:
    """The surges that a forecaster sees at the end of its counts, closed ones among them."""
    all_means = pd.concat([forecasts.past_means, forecasts.means])
    counts, means = sums_of_observed(forecasts.tail, all_means)
    config = forecasts.config
    observed = observed_surges(
        counts, means.dropna(how="all"), forecasts.series, config.surges, calendar=config.calendar
    )
    surges = most_important_first(expected_surges(forecasts) + observed)
    return [surge for surge in surges if since is None or surge.end >= since]


def only(surges: list[Surge], municipality: str | None, sector: str | None, known: pd.DataFrame) -> list[Surge]:
    """The surges of a place and a sector; None stands for any. An event of several places is each one's.

    Args:
        surges: any.
        municipality: a place.
        sector: a sector.
        known: columns `municipality, sector`: what there is.

    Raises:
        UnknownSeriesError: no such place or sector; names the known ones.
    """
    for column, value, whole in (("municipality", municipality, REGION), ("sector", sector, ALL_SECTORS)):
        names = sorted({*known[column].astype(str), whole})
        if value is not None and value not in names:
            raise UnknownSeriesError(f"{column} {value!r} is not among the counts; known are {', '.join(names)}")
    return [
        surge
        for surge in surges
        if (municipality is None or municipality in (surge.municipality, *surge.places))
        and (sector is None or sector in (surge.sector, *surge.sectors))
    ]


def surge_frame(surges: list[Surge]) -> pd.DataFrame:
    """One row a surge, as `GET /v1/surges` names its fields; lists joined by `; `."""
    rows = [
        {
            "state": surge.state,
            "municipality": surge.municipality,
            "sector": surge.sector,
            "places": "; ".join(surge.places),
            "sectors": "; ".join(surge.sectors),
            "start": surge.start,
            "end": surge.end,
            "noticed": surge.noticed,
            "closed": surge.closed,
            "expected": round(surge.expected, 2),
            "count": round(surge.count, 2),
            "excess": round(surge.excess, 2),
            "ratio": round(surge.ratio, 2),
            "level": surge.level,
            "probability": round(surge.probability, 4),
            "confirmed": surge.confirmed,
            "new_level": surge.new_level,
            "importance": round(surge.importance, 2),
            "reasons": "; ".join(surge.reasons),
        }
        for surge in surges
    ]
    columns = ["state", "municipality", "sector", "places", "sectors", "start", "end", "noticed", "closed"]
    columns += ["expected", "count", "excess", "ratio", "level", "probability", "confirmed"]
    columns += ["new_level", "importance", "reasons"]
    return pd.DataFrame(rows, columns=columns)


def log_surges(run: TrackedRun, counts: pd.DataFrame, config: ForecasterConfig) -> None:
    """Log the last year's surges of some counts to a run: a table and a timeline."""
    wide = panel(counts)
    since = (wide.index[-1] - pd.Timedelta(days=365)).date()
    surges = most_important_first(past_surges(wide, config.surges, config.calendar, since))
    run.log_text(csv_text(surge_frame(surges)), "surges/events.csv")
    run.log_figure(surge_figure(surges, wide), "surges/timeline.png")
