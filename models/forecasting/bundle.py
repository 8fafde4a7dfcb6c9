"""Forecasts: what the registry holds and the service answers from.

In: counts and their backtest. Out: `Forecasts`: the champion's means of every series for `max_horizon`
days after the last one, with their dispersions, and what surges need of the past. All means are
computed when the champions are fitted (`fitting.py`), so that loading and answering need no Prophet. Saved as
Parquet, JSON and YAML, the fitted Prophet models as JSON beside them; never a pickle.
"""

import difflib
import gzip
import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from data.config import parse_config
from data.counts.daily import KEY, REGION
from data.errors import BundleError, ConfigError, ForecastStaleError, HorizonError, UnknownSeriesError
from models.forecasting.config import ForecasterConfig
from models.forecasting.distribution import quantile_levels, quantile_name, quantiles
from models.forecasting.intervals import WEEK, Conformal, groups
from models.forecasting.series import (
    ALL_SECTORS,
    SeriesKey,
    keys_of,
    long_form,
    sums,
    wide_form,
)

FORMAT = 4
"""4 has `wildness` in its series and thresholds of another evidence; 3 has the names `forecasters` in its config and
`kind` in its series, where 2 has `contenders` and `treatment`."""
READABLE = (2, 3, 4)
FILES = (
    "forecasts.json",
    "config.yaml",
    "series.parquet",
    "means.parquet",
    "tail.parquet",
    "backtest.parquet",
    "conformal.parquet",
)
PROPHET_FILE = "prophet.json.gz"


@dataclass(frozen=True)
class Forecasts:
    """Fitted champions, evaluated.

    Attributes:
        config: what they were fitted with.
        origin: the last day of the counts; forecasts start on the day after.
        series: one row a series, sums included: `municipality, sector, champion, kind, daily, weekly,
            week_level, week_usual, wildness`; `kind` as in `series_kinds.py`, or `sum`; `daily`, `weekly` are
            dispersions, `week_level` the level of expected surges and `week_usual` the median (of a week's total),
            `wildness` as in `models/surges/wildness.py`.
        means: dates × base series, from the day after `origin`.
        tail: dates × base series: the counts of the last days, NaN where nothing was observed.
        past_means: dates × base series: what the champions had forecast for the last backtest window
            without having seen it, so that counts of those days can be judged.
        prophet: the fitted models of champions that have a JSON, which are Prophet's; empty after loading without them.
        conformal: the quantile levels that give the stated coverage.
        backtested: the last day of the counts that champions, dispersions and quantile levels come from.
    """

    config: ForecasterConfig
    origin: date
    series: pd.DataFrame
    means: pd.DataFrame
    tail: pd.DataFrame
    past_means: pd.DataFrame
    prophet: dict[SeriesKey, str] = field(default_factory=dict, repr=False)
    conformal: Conformal = field(default_factory=Conformal.identity)
    backtested: date = date.min

    @property
    def keys(self) -> list[SeriesKey]:
        """The base series."""
        return keys_of(self.means)

    @property
    def last_day(self) -> date:
        """The last day that is forecast."""
        return self.origin + timedelta(days=len(self.means))

    def resolve(self, municipality: str | None = None, sector: str | None = None) -> SeriesKey:
        """The series of a place and a sector; None stands for all of them.

        Raises:
            UnknownSeriesError: no such municipality, sector or pair; names the known ones.
        """
        key = SeriesKey(municipality or REGION, sector or ALL_SECTORS)
        rows = self.series
        for column, value in key._asdict().items():
            known = sorted(set(rows[column]))
            if value not in known:
                raise UnknownSeriesError(_unknown(column, value, known), known=known)
        if key not in {SeriesKey(*row) for row in rows[KEY].itertuples(index=False)}:
            known = sorted(set(rows.loc[rows["municipality"] == key.municipality, "sector"]))
            raise UnknownSeriesError(
                f"there are no counts of sector {key.sector!r} in {key.municipality!r}: "
                f"known there are {', '.join(known)}",
                known=known,
            )
        return key

    def members(self, key: SeriesKey) -> list[SeriesKey]:
        """The base series that a series is the sum of; itself for a base series."""
        return sums(self.keys).get(key, [key])

    def mean_of(self, key: SeriesKey, means: pd.DataFrame | None = None) -> "pd.Series[float]":
        """Means of one series, sums included."""
        frame = self.means if means is None else means
        return frame[[tuple(member) for member in self.members(key)]].sum(axis=1, skipna=False)

    def facts(self, key: SeriesKey) -> dict[str, Any]:
        """The row of `series` of one series."""
        rows = self.series
        of_key = rows[(rows["municipality"] == key.municipality) & (rows["sector"] == key.sector)]
        return {str(name): value for name, value in of_key.iloc[0].items()}

    def forecast(
        self,
        municipality: str | None = None,
        sector: str | None = None,
        start: date | None = None,
        horizon: int = 14,
        levels: list[float] | None = None,
    ) -> pd.DataFrame:
        """Means and quantiles of one series, or of a sum: `date, mean, q10, q50, q90, …`.

        Args:
            municipality: a place; None: the whole region.
            sector: a sector; None: all of them.
            start: the first day; None: the day after the last counts.
            horizon: how many days.
            levels: central intervals; None: those of the config. 0.8 gives the columns q10 and
                q90; the median q50 is always there.

        Raises:
            HorizonError: no day, or more days than remain.
            ForecastStaleError: the forecasts end before `start`.
            UnknownSeriesError: no such series.
        """
        first = self.origin + timedelta(days=1)
        start = start or first
        self._check_days(start, horizon, first)
        key = self.resolve(municipality, sector)
        skipped = (start - first).days
        means = self.mean_of(key).iloc[skipped:][:horizon]
        mean = np.asarray(means, dtype=np.float64)
        wanted = quantile_levels(levels or self.config.levels)
        week = (skipped + np.arange(len(mean))) // WEEK
        is_sum = key not in self.keys
        asked = self.conformal.asked(groups(mean, is_sum), week, wanted)
        bounds = quantiles(mean, float(self.facts(key)["daily"]), asked)
        columns = {quantile_name(level): bounds[:, column] for column, level in enumerate(wanted)}
        return pd.DataFrame({"date": means.index, "mean": mean, **columns})

    def _check_days(self, start: date, horizon: int, first: date) -> None:
        if horizon < 1:
            raise HorizonError(f"horizon {horizon}: at least one day has to be forecast", horizon=horizon)
        if start > self.last_day:
            raise ForecastStaleError(
                f"the forecasts end on {self.last_day:%Y-%m-%d}, before {start:%Y-%m-%d}: "
                "train the forecaster on newer counts",
                last_day=str(self.last_day),
            )
        if start < first:
            raise HorizonError(f"{start:%Y-%m-%d} is not ahead: forecasts start on {first:%Y-%m-%d}")
        remain = (self.last_day - start).days + 1
        if horizon > remain:
            raise HorizonError(
                f"horizon {horizon}: from {start:%Y-%m-%d} the forecasts reach {remain} days, "
                f"to {self.last_day:%Y-%m-%d}",
                horizon=horizon,
                remain=remain,
            )

    def save(self, folder: Path) -> None:
        """Write everything to `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        facts = {
            "format": FORMAT,
            "origin": str(self.origin),
            "backtested": str(self.backtested),
            "days": len(self.means),
            "series": len(self.series),
        }
        (folder / "forecasts.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        (folder / "config.yaml").write_text(
            yaml.safe_dump(self.config.model_dump(), allow_unicode=True, sort_keys=False), encoding="utf-8"
        )
        self.series.to_parquet(folder / "series.parquet", index=False)
        for name, frame, value in (
            ("means", self.means, "mean"),
            ("tail", self.tail, "count"),
            ("backtest", self.past_means, "mean"),
        ):
            long_form(frame, value).to_parquet(folder / f"{name}.parquet", index=False)
        self.conformal.table.to_parquet(folder / "conformal.parquet", index=False)
        models = [{**key._asdict(), "model": json.loads(model)} for key, model in self.prophet.items()]
        packed = gzip.compress(json.dumps(models, ensure_ascii=False).encode(), mtime=0)
        (folder / PROPHET_FILE).write_bytes(packed)

    @classmethod
    def load(cls, folder: Path) -> "Forecasts":
        """Read what `save` wrote; the Prophet models stay on disk.

        Raises:
            BundleError: a file is missing or unreadable, or the format is another.
        """
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise BundleError(f"forecaster bundle {folder.name}: {missing[0]} is missing")
        try:
            loaded, facts = _read(folder)
        except (OSError, ValueError, KeyError, TypeError, IndexError, ConfigError, yaml.YAMLError) as error:
            raise BundleError(f"forecaster bundle {folder.name} is broken: {' '.join(str(error).split())}") from None
        if len(loaded.means) != facts["days"] or len(loaded.series) != facts["series"]:
            raise BundleError(f"forecaster bundle {folder.name} is broken: its files are not of one training")
        return loaded


def _read(folder: Path) -> tuple[Forecasts, dict[str, Any]]:
    """The forecasts in a folder of any readable format, and the facts that its files are checked against."""
    facts: dict[str, Any] = json.loads((folder / "forecasts.json").read_text(encoding="utf-8"))
    if facts["format"] not in READABLE:
        raise BundleError(
            f"forecaster bundle {folder.name} has format {facts['format']}, "
            f"this version reads {', '.join(map(str, READABLE))}: train the forecaster again"
        )
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    series = pd.read_parquet(folder / "series.parquet")
    if facts["format"] == 2:
        config = {"forecasters" if name == "contenders" else name: value for name, value in config.items()}
        series = series.rename(columns={"treatment": "kind"})
    if facts["format"] < 4:  # learned for another evidence: those of the simulation hold until the next training
        config["surges"] = {k: v for k, v in config["surges"].items() if k not in ("threshold", "tail_weight")}
        series["wildness"] = 1.0
    loaded = Forecasts(
        config=parse_config(config, ForecasterConfig, "config.yaml"),
        origin=date.fromisoformat(facts["origin"]),
        backtested=date.fromisoformat(facts["backtested"]),
        series=series,
        means=_read_panel(folder / "means.parquet", "mean"),
        tail=_read_panel(folder / "tail.parquet", "count"),
        past_means=_read_panel(folder / "backtest.parquet", "mean"),
        conformal=Conformal(pd.read_parquet(folder / "conformal.parquet")),
    )
    return loaded, facts


def _read_panel(path: Path, value: str) -> pd.DataFrame:
    return wide_form(pd.read_parquet(path), value)


def load_prophet(folder: Path) -> dict[SeriesKey, str]:
    """The fitted Prophet models of a bundle as JSON; none where it has no file of them."""
    path = folder / PROPHET_FILE
    if not path.is_file():
        return {}
    models = json.loads(gzip.decompress(path.read_bytes()))
    return {SeriesKey(entry["municipality"], entry["sector"]): json.dumps(entry["model"]) for entry in models}


def _unknown(column: str, value: str, known: list[str]) -> str:
    close = difflib.get_close_matches(value, known, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ";"
    return f"{column} {value!r} is not among the forecast series{hint} known are {', '.join(known)}"
