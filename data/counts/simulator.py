"""The sample region's daily counts: simulated, because real complaints may not be given away.

In: `SimulatorConfig` (`configs/simulator.yaml`). Out: counts
(`DAILY_COUNTS`) with the troubles of real ones, and the truth about the surges injected into them.
Seeded and deterministic: the same config gives the same frames. `python -m data.counts.simulator`
rewrites the two files in `data/samples/`.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.complaints.schema import check_counts
from data.config import load_config
from data.counts.simulator_config import CalendarEffect, Driver, Shape, SimulatorConfig
from data.production_calendar import calendar_frame

Floats = npt.NDArray[np.float64]

COUNTS_FILE = "daily_counts.csv.gz"
SURGES_FILE = "surges.csv"


class TrueSurge(NamedTuple):
    """One injected surge: the expected count is multiplied by up to `peak_ratio` from `start` to `end`."""

    municipality: str
    sector: str
    start: date
    end: date
    peak_ratio: float
    shape: Shape
    reason: str


def simulate(config: SimulatorConfig) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Daily counts (`DAILY_COUNTS`) and the injected surges (columns as in `TrueSurge`)."""
    rng = np.random.default_rng(config.seed)
    days = pd.date_range(config.start, config.end, freq="D")
    municipalities, sectors = list(config.populations), list(config.sectors)
    base = _base_rates(config, rng)
    profiles = _sector_profiles(config, days, rng)
    surges = _draw_surges(config, base, rng)
    expected = base[:, :, None] * profiles[None, :, :] * _trend(config, days)
    for surge in surges:
        span = slice((surge.start - config.start).days, (surge.end - config.start).days + 1)
        factor = surge_factors(surge.shape, surge.peak_ratio, (surge.end - surge.start).days + 1)
        expected[municipalities.index(surge.municipality), sectors.index(surge.sector), span] *= factor
    size = 1 / np.array([config.sectors[name].dispersion for name in sectors])[None, :, None]
    drawn = rng.negative_binomial(np.broadcast_to(size, expected.shape), size / (size + expected))
    observed = np.broadcast_to(_observed(config, len(days), rng)[:, None, :], drawn.shape)
    municipality, sector, day = np.nonzero(observed)
    counts = pd.DataFrame(
        {
            "date": days[day],
            "municipality": np.array(municipalities, dtype=object)[municipality],
            "sector": np.array(sectors, dtype=object)[sector],
            "count": drawn[observed].astype("int64"),
        }
    )
    surges.sort(key=lambda surge: surge.start)
    truth = pd.DataFrame(surges, columns=list(TrueSurge._fields))
    return check_counts(counts), truth


def surge_factors(shape: Shape, peak: float, days: int) -> Floats:
    """What the expected count of each day of a surge is multiplied by."""
    if shape == "step":
        rise = np.ones(days)
    elif shape == "ramp":
        rise = (np.arange(days) + 1.0) / days
    else:
        rise = 1 - np.abs(np.linspace(-1, 1, days + 2)[1:-1])
        rise = rise / rise.max()
    return np.asarray(1 + (peak - 1) * rise, dtype=np.float64)


def _base_rates(config: SimulatorConfig, rng: np.random.Generator) -> Floats:
    """Expected complaints a day, municipality × sector, before anything that changes in time."""
    people = np.array(list(config.populations.values())) / 10_000
    largest = people.max()
    people = largest * (people / largest) ** config.population_exponent
    rates = np.array([sector.rate for sector in config.sectors.values()])
    levels = np.exp(rng.normal(0, config.municipality_spread, len(people)))
    levels[np.argmax(people)] = 1.0
    pairs = np.exp(rng.normal(0, config.sector_spread, (len(people), len(rates))))
    return np.asarray(people[:, None] * rates[None, :] * levels[:, None] * pairs, dtype=np.float64)


def _bump(days: pd.DatetimeIndex, peak: str, width: float) -> Floats:
    """A bell over the day of the year, 1 at `peak`, closed over New Year."""
    centre = date.fromisoformat(f"2023-{peak}").timetuple().tm_yday
    distance = np.abs(np.asarray(days.dayofyear, dtype=np.float64) - centre)
    distance = np.minimum(distance, 365.25 - distance)
    return np.asarray(np.exp(-0.5 * (distance / width) ** 2), dtype=np.float64)


def _sector_profiles(config: SimulatorConfig, days: pd.DatetimeIndex, rng: np.random.Generator) -> Floats:
    """Sector × day: weekday, seasons, calendar and drivers, without the level."""
    drivers = {name: _driver(driver, days, rng) for name, driver in config.drivers.items()}
    kinds, factors = _calendar(config.calendar, days)
    weekday = np.where((days.weekday == 5) & ~kinds, 4, days.weekday)  # a working Saturday
    profiles = []
    for sector in config.sectors.values():
        profile = np.array(sector.weekdays or config.weekdays)[weekday] * factors
        for season in sector.seasons:
            profile = profile * (1 + season.gain * _bump(days, season.peak, season.width))
        for name, gain in sector.drivers.items():
            profile = profile * np.exp(gain * drivers[name])
        profiles.append(profile)
    return np.array(profiles)


def _driver(driver: Driver, days: pd.DatetimeIndex, rng: np.random.Generator) -> Floats:
    noise = rng.normal(0, np.sqrt(1 - driver.memory**2), len(days))
    state = np.zeros(len(days))
    for day in range(1, len(days)):
        state[day] = driver.memory * state[day - 1] + noise[day]
    return np.clip(state, 0, None) * _bump(days, driver.peak, driver.width)


def _calendar(effect: CalendarEffect, days: pd.DatetimeIndex) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Whether each day is off, and its factor on top of the weekday's."""
    kind = calendar_frame(days[0].date(), days[-1].date())["kind"].to_numpy()
    off = np.isin(kind, ["weekend", "holiday"])
    run = pd.Series(off).groupby((~pd.Series(off)).cumsum()).transform("sum").to_numpy()
    long = off & (run >= effect.long_run)
    factors = np.ones(len(days))
    factors[kind == "short"] = effect.short
    factors[(kind == "holiday") & ~long] = effect.holiday
    factors[long] = effect.long_holiday
    weekend = np.asarray(days.weekday >= 5)
    factors[off & weekend & (kind != "weekend")] **= 0.5  # a weekend is low already
    factors[off & weekend & long] = np.sqrt(effect.long_holiday)
    after = np.flatnonzero(~off[1:] & long[:-1]) + 1
    factors[after] *= effect.after_long
    return off, factors


def _trend(config: SimulatorConfig, days: pd.DatetimeIndex) -> Floats:
    years = np.arange(len(days)) / 365.25
    shifted = np.where(days >= pd.Timestamp(config.level_shift.date), config.level_shift.factor, 1.0)
    return np.asarray((1 + config.annual_growth) ** years * shifted, dtype=np.float64)


def _draw_surges(config: SimulatorConfig, base: Floats, rng: np.random.Generator) -> list[TrueSurge]:
    municipalities, sectors, model = list(config.populations), list(config.sectors), config.surges
    total = (config.end - config.start).days + 1
    weight = np.where(base >= model.min_daily, np.sqrt(base), 0).ravel()
    taken_days: dict[tuple[str, str], set[int]] = {}
    surges: list[TrueSurge] = []

    def add(surge: TrueSurge) -> None:
        first = (surge.start - config.start).days
        apart = set(range(first - 28, first + (surge.end - surge.start).days + 29))
        taken = taken_days.setdefault((surge.municipality, surge.sector), set())
        if not apart & taken:
            taken |= apart
            surges.append(surge)

    for recent in model.recent:
        values = recent.model_dump(exclude={"ratio"})
        add(TrueSurge(**values, end=config.end, peak_ratio=recent.ratio))
    for _ in range(model.count):
        row, sector = divmod(int(rng.choice(weight.size, p=weight / weight.sum())), len(sectors))
        length = int(rng.integers(model.min_days, model.max_days + 1))
        start = config.start + timedelta(days=int(rng.integers(28, total - length - 7)))
        ratio = float(rng.uniform(model.min_ratio, model.max_ratio))
        shape: Shape = rng.choice(np.array(["step", "ramp", "peak"], dtype=object))
        reason = str(rng.choice(np.array(model.reasons[sectors[sector]], dtype=object)))
        municipality = municipalities[row]
        affected = {municipality: ratio}
        if rng.random() < model.joined:
            group = next(group for group in config.neighbours if municipality in group)
            affected |= {name: max(model.min_ratio, 0.8 * ratio) for name in group if name != municipality}
        for name, peak in affected.items():
            end = start + timedelta(days=length - 1)
            add(TrueSurge(name, sectors[sector], start, end, round(peak, 2), shape, reason))
    return surges


def _observed(config: SimulatorConfig, days: int, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Municipality × day: False while its source is silent."""
    observed = np.ones((len(config.populations), days), dtype=bool)
    for _ in range(config.gaps.count):
        municipality = int(rng.integers(len(config.populations)))
        length = int(rng.integers(config.gaps.min_days, config.gaps.max_days + 1))
        start = int(rng.integers(0, days - config.gaps.quiet_last_days - length))
        observed[municipality, start : start + length] = False
    return observed


def write_samples(config: SimulatorConfig, folder: Path) -> None:
    """Write the counts and the truth about their surges to `folder`."""
    counts, surges = simulate(config)
    folder.mkdir(parents=True, exist_ok=True)
    compression: Any = {"method": "gzip", "compresslevel": 9, "mtime": 0}
    counts.to_csv(
        folder / COUNTS_FILE,
        index=False,
        date_format="%Y-%m-%d",
        lineterminator="\n",
        compression=compression,
    )
    surges.to_csv(folder / SURGES_FILE, index=False, lineterminator="\n")


if __name__ == "__main__":
    from data.settings import CHECKOUT

    write_samples(load_config(CHECKOUT / "configs" / "simulator.yaml", SimulatorConfig), CHECKOUT / "data" / "samples")
