"""The forecaster's config (`configs/forecaster.yaml`)."""

from typing import Literal

from pydantic import Field, field_validator

from data.config import Config

ContenderName = Literal["seasonal_naive", "weekday_mean", "profile_mean", "prophet"]


class ProphetConfig(Config):
    """How Prophet is set up; its names where it has them."""

    log: bool = Field(default=True, description="fit log(1 + count): seasons multiply, spikes weigh less")
    growth: Literal["flat", "linear"] = "flat"
    level_days: int = Field(
        default=56, ge=7, description="days over which a fit's level is brought to that of the counts"
    )
    yearly_from_days: int = Field(default=548, ge=365, description="history needed for a yearly season")
    changepoint_prior_scale: float = Field(default=0.05, gt=0)
    seasonality_prior_scale: float = Field(default=10.0, gt=0)
    holidays_prior_scale: float = Field(default=10.0, gt=0)


class SurgeConfig(Config):
    """When a count is called a surge."""

    window_days: int = Field(default=7, ge=1, le=14, description="longest window whose evidence is added up")
    false_alarms_per_month: float = Field(
        default=0.2, gt=0, le=4, description="false alarms that a series may give in a month of daily checks"
    )
    threshold: float | None = Field(
        default=None, gt=0, description="evidence that is an alarm; null: learned for that rate in training"
    )
    tail_weight: float | None = Field(
        default=None, gt=0, description="how much improbable totals weigh in the evidence; null: learned likewise"
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


class ForecasterConfig(Config):
    """Contenders, backtest, horizons and surges."""

    contenders: list[ContenderName] = Field(
        default=["seasonal_naive", "weekday_mean", "profile_mean", "prophet"], min_length=1
    )
    calendar: Literal["russia", "none"] = "russia"
    horizon: int = Field(default=14, ge=1, le=90, description="days of one backtest window")
    windows: int = Field(default=3, ge=1, le=26, description="backtest windows, back from the last day")
    max_horizon: int = Field(default=90, ge=1, le=366, description="days forecast after the last day")
    min_history_days: int = Field(default=60, ge=28, description="shorter histories get no backtest")
    min_daily_mean: float = Field(
        default=1.0, ge=0, description="sparser series (over the last 365 days) go without Prophet"
    )
    scored_daily_mean: float = Field(
        default=2.0, ge=0, description="WAPE is reported over series with at least this many a day"
    )
    levels: list[float] = Field(default=[0.5, 0.8, 0.95], min_length=1, description="interval levels")
    processes: int = Field(default=2, ge=1)
    prophet: ProphetConfig = ProphetConfig()
    surges: SurgeConfig = SurgeConfig()

    @field_validator("levels")
    @classmethod
    def inside_unit(cls, levels: list[float]) -> list[float]:
        """Interval levels lie between 0 and 1."""
        if not all(0 < level < 1 for level in levels):
            raise ValueError("interval levels lie between 0 and 1")
        return sorted(levels)
