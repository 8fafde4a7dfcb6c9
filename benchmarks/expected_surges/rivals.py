"""Plain Prophet as a rival: the share of its samples of the coming week whose total passes the level.

In: the panel, and the judged weeks. Out: its probability of some of them: fits are dear, so the largest series and
every so many weeks have to do; the others are compared on the same weeks.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from models.forecasting.forecasters.prophet_model import prophet_class
from models.forecasting.series import trimmed
from models.surges.exceedance import WEEK

SAMPLES = 300


def prophet_weeks(counts: pd.DataFrame, rows: pd.DataFrame, path: Path, most_series: int, every: int) -> pd.DataFrame:
    """Plain Prophet's probability of some of the rows: of the largest series, every so many weeks; kept in a file.

    Columns: `series, start, prophet`.
    """
    if path.is_file():
        return pd.read_parquet(path)
    largest = rows.groupby("series")["total"].sum().nlargest(most_series).index
    starts = sorted(rows["start"].unique())[::every]
    chosen = rows[rows["series"].isin(largest) & rows["start"].isin(starts)]
    columns = {" · ".join(map(str, key)): key for key in counts.columns}
    said = [
        prophet_exceedance(
            trimmed(counts.loc[: row["start"] - pd.Timedelta(days=1), columns[row["series"]]]), row["level"]
        )
        for row in chosen.to_dict("records")
    ]
    out = chosen[["series", "start"]].assign(prophet=said)
    path.parent.mkdir(parents=True, exist_ok=True)
    out.to_parquet(path)
    return out


def prophet_exceedance(history: "pd.Series[float]", level: float) -> float:
    """The share of Prophet's samples of the coming week (all defaults) whose total passes a level."""
    model = prophet_class()(uncertainty_samples=SAMPLES)
    model.fit(pd.DataFrame({"ds": history.index, "y": history.to_numpy()}).dropna())
    future = model.make_future_dataframe(WEEK, include_history=False)
    np.random.seed(0)
    samples = model.predictive_samples(future)["yhat"]
    return float((np.clip(samples, 0, None).sum(axis=0) > np.floor(level)).mean())
