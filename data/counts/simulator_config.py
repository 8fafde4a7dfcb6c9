"""What the simulated region depends on: inhabitants, sectors, seasons, calendar, silent sources and surges.

In: `configs/simulator.yaml`, where every parameter is explained. Out: a `SimulatorConfig`.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from data.config import Config

Weekdays = Annotated[list[float], Field(min_length=7, max_length=7)]
MonthDay = Annotated[str, Field(pattern=r"^\d\d-\d\d$")]
Shape = Literal["step", "ramp", "peak"]


class Season(Config):
    """A bump of the year: `gain` more complaints at the `peak` day, with a sd of `width` days."""

    peak: MonthDay
    width: float = Field(gt=0)
    gain: float = Field(gt=-1)


class Driver(Config):
    """The positive part of an AR(1) process with a `memory`, alive around one time of the year."""

    memory: float = Field(ge=0, lt=1)
    peak: MonthDay
    width: float = Field(gt=0)


class SectorModel(Config):
    """How one sector behaves; `weekdays` absent means the common profile."""

    rate: float = Field(gt=0)
    dispersion: float = Field(gt=0)
    weekdays: Weekdays | None = None
    seasons: list[Season] = []
    drivers: dict[str, float] = {}


class CalendarEffect(Config):
    """Factors for days that the production calendar sets apart."""

    holiday: float
    long_holiday: float
    long_run: int
    short: float
    after_long: float


class LevelShift(Config):
    """From `date` on, every expected count is `factor` times higher."""

    date: date
    factor: float = Field(gt=0)


class Gaps(Config):
    """How often and for how long a municipality's source is silent; never in the last days."""

    count: int = Field(ge=0)
    min_days: int = Field(ge=1)
    max_days: int = Field(ge=1)
    quiet_last_days: int = Field(ge=0)


class RecentSurge(Config):
    """A surge that is still going on when the sample ends."""

    municipality: str
    sector: str
    start: date
    ratio: float = Field(gt=1)
    shape: Shape
    reason: str


class SurgeModel(Config):
    """How many surges are injected, how large and how long, and why (by sector)."""

    count: int = Field(ge=0)
    min_daily: float
    min_ratio: float = Field(gt=1)
    max_ratio: float = Field(gt=1)
    min_days: int = Field(ge=1)
    max_days: int = Field(ge=1)
    joined: float = Field(ge=0, le=1)
    recent: list[RecentSurge] = []
    reasons: dict[str, list[str]]


class SimulatorConfig(Config):
    """Everything the simulation depends on; see `configs/simulator.yaml`."""

    seed: int
    start: date
    end: date
    population_exponent: float
    annual_growth: float
    municipality_spread: float
    sector_spread: float
    populations: dict[str, int]
    neighbours: list[list[str]]
    weekdays: Weekdays
    calendar: CalendarEffect
    drivers: dict[str, Driver]
    sectors: dict[str, SectorModel]
    level_shift: LevelShift
    gaps: Gaps
    surges: SurgeModel
