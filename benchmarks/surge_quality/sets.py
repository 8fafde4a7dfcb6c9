"""The sets of real counts of the benchmark: their files, and which days are judged.

In: a file of `series/` in the folder of real data. Out: a `Trial` of the series that are large enough.
"""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.results import real_data
from benchmarks.surge_quality.rivals import Trial, with_learned_past
from data.counts.daily import complete
from data.counts.reading import CountColumns, read_counts
from data.errors import FileError
from models.forecasting.series import panel

TUNED = {"chicago": "2012", "boston": "2015-04 to 2015-07", "nyc": "2016 to 2017"}
SETS = {
    "chicago": ("chicago_sanitation_daily.csv", "2013-01-01", "2014-12-31"),
    "boston": ("boston311_2015_daily.csv", "2015-08-01", "2015-12-31"),
    "nyc": ("nyc_council_daily.csv", "2018-01-01", "2019-12-31"),
}
"""File, first and last judged day."""
LEAST_A_DAY = 5.0
"""Complaints a day in the judged days: of smaller series twice the usual is two or three."""


def load_trial(name: str, folder: Path) -> Trial:
    """The counts of a real set, watched from its first judged day on.

    Raises:
        FileError: no such file.
    """
    file, first, last = SETS[name]
    path = real_data() / "series" / file
    if not path.is_file():
        raise FileError(f"TSUR_REAL_DATA holds no series/{file}")
    counts = panel(complete(read_counts(path, CountColumns(sector="category")))).loc[:last]
    start = int(counts.index.searchsorted(pd.Timestamp(first)))
    watched = np.flatnonzero(counts.iloc[start:].mean().to_numpy() >= LEAST_A_DAY)
    fits = folder / f"{name}-{fingerprint(counts)}"
    fits.mkdir(parents=True, exist_ok=True)
    return with_learned_past(Trial(counts, counts, watched, start, fits))


def fingerprint(counts: pd.DataFrame) -> str:
    """SHA-256 (16 hex digits) of a panel of counts."""
    digest = hashlib.sha256(repr(list(counts.columns)).encode())
    digest.update(str(counts.index[0]).encode() + counts.to_numpy(dtype=np.float64).tobytes())
    return digest.hexdigest()[:16]
