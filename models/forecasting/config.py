"""The forecaster's config (`configs/forecaster.yaml`)."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from data.config import Config
from models.forecasting.forecasters.available import COMBINATION, SIMPLEST_FIRST
from models.forecasting.forecasters.boosting import BoostingConfig
from models.forecasting.forecasters.harmonic import HarmonicConfig
from models.forecasting.forecasters.prophet_model import ProphetConfig


def known_forecaster(name: str) -> str:
    """The name of a forecaster that there is."""
    if name not in SIMPLEST_FIRST:
        raise ValueError(f"{name!r} is no forecaster: known are {', '.join(SIMPLEST_FIRST)}")
    return name


ForecasterName = Annotated[str, AfterValidator(known_forecaster)]


class LearnedExceedance(Config):
    """The logistic regression of `models/surges/exceedance.py`, as training leaves it behind."""

    intercept: float
    slopes: list[float] = Field(min_length=4, max_length=4, description="of the logarithms of outlook, last week, …")
    weeks: int = Field(ge=1, description="past weeks it was learned from")
    skill: float | None = Field(description="Brier skill on the newest of them; null: too few to judge by")

    @property
    def has_skill(self) -> bool:
        """Whether it says more than how often weeks pass their level anyway."""
        return self.skill is not None and self.skill > 0


class SurgeConfig(Config):
    """When a count is called a surge."""

    window_days: int = Field(default=7, ge=1, le=14, description="longest window whose evidence is added up")
    false_alarms_per_month: float = Field(
        default=0.5, gt=0, le=4, description="false alarms that a series may give in a month of daily checks"
    )
    threshold: float | None = Field(
        default=None, gt=0, description="evidence that is an alarm; null: learned for that rate in training"
    )
    day_weight: float | None = Field(
        default=None, gt=0, description="how much a single day weighs in the evidence; null: learned likewise"
    )
    min_count: int = Field(default=5, ge=1, description="fewer complaints since its start are no surge")
    min_ratio: float = Field(default=1.3, ge=1, description="observed (or forecast) to usual, at least")
    level_quantile: float = Field(
        default=0.95, gt=0, lt=1, description="expected surges: quantile of the series' own weekly totals"
    )
    level_weeks: int = Field(default=52, ge=8, description="expected surges: over so many past weeks")
    min_probability: float = Field(
        default=0.2, gt=0, lt=1, description="expected surges: probability of passing that level"
    )
    exceedance: LearnedExceedance | None = Field(
        default=None, description="expected surges: how that probability follows; null: learned in training"
    )


class ForecasterConfig(Config):
    """Forecasters, backtest, horizons and surges."""

    forecasters: list[ForecasterName] = Field(
        default=[
            "seasonal_naive",
            "weekday_mean",
            "profile_mean",
            "harmonic",
            "prophet",
            "gradient_boosting",
            "combination",
        ],
        min_length=1,
    )
    combination: list[ForecasterName] = Field(
        default=["gradient_boosting", "harmonic"],
        min_length=2,
        description="members of the combination, the geometric mean of 1 + their means",
    )
    calendar: Literal["russia", "none"] = "russia"
    horizon: int = Field(default=14, ge=1, le=90, description="days of one backtest window")
    windows: int = Field(default=4, ge=1, le=52, description="backtest windows, back from the last day")
    max_horizon: int = Field(default=90, ge=1, le=366, description="days forecast after the last day")
    min_history_days: int = Field(default=60, ge=28, description="shorter histories get no backtest")
    min_daily_mean: float = Field(
        default=1.0, ge=0, description="sparser series (over the last 365 days) go without Prophet and smoothing"
    )
    new_days: int = Field(default=28, ge=1, description="a series with fewer observed days is new")
    dead_days: int = Field(default=182, ge=28, description="a series without complaints for so long is dead")
    bulk_entry_ratio: float = Field(
        default=3.0, gt=1, description="a day above so many times the usual high is bulk entry: learnt as that much"
    )
    completeness: list[float] = Field(
        default=[],
        max_length=60,
        description="share of a day's complaints known by the end of the counts: of the last day, the one before…",
    )
    refresh_days: int = Field(default=14, ge=1, description="a refresh backtests again when so many days have come")
    scored_daily_mean: float = Field(
        default=2.0, ge=0, description="WAPE is reported over series with at least this many a day"
    )
    levels: list[float] = Field(default=[0.5, 0.8, 0.95], min_length=1, description="interval levels")
    processes: int = Field(default=2, ge=1)
    prophet: ProphetConfig = ProphetConfig()
    harmonic: HarmonicConfig = HarmonicConfig()
    boosting: BoostingConfig = BoostingConfig()
    surges: SurgeConfig = SurgeConfig()

    @field_validator("levels")
    @classmethod
    def inside_unit(cls, levels: list[float]) -> list[float]:
        """Interval levels lie between 0 and 1."""
        if not all(0 < level < 1 for level in levels):
            raise ValueError("interval levels lie between 0 and 1")
        return sorted(levels)

    @field_validator("completeness")
    @classmethod
    def shares(cls, completeness: list[float]) -> list[float]:
        """Shares lie above 0 and at most at 1, and rise with age."""
        if not all(0 < share <= 1 for share in completeness) or completeness != sorted(completeness):
            raise ValueError("shares lie above 0 and at most at 1, the last day's first, and do not fall with age")
        return completeness

    @model_validator(mode="after")
    def members_compete(self) -> "ForecasterConfig":
        """A combination is made of forecasters other than itself."""
        if COMBINATION in self.forecasters:
            missing = [name for name in self.combination if name not in self.forecasters or name == COMBINATION]
            if missing:
                raise ValueError(f"combination: {missing[0]!r} must be among the other forecasters")
        return self
