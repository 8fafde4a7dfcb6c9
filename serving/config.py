"""The service's limits and defaults, as in `configs/serving.yaml`."""

from pydantic import Field

from data.complaints.schema import MAX_CHARACTERS
from data.config import Config, load_config
from data.settings import settings
from models.topics.emerging import EmergingConfig

MAX_ITEMS = 256
"""Complaints in one request, at most: the API's schema names this number."""


class SurgeDefaults(Config):
    """What `GET /v1/surges` and `GET /v1/heatmap` show unless the request says otherwise."""

    min_probability: float = Field(default=0.2, ge=0, le=1)
    window_days: int = Field(default=7, ge=1, le=28)


class EmergingDefaults(EmergingConfig):
    """How `GET /v1/emerging` and `tsur emerging` look for new topics."""

    remember_minutes: float = Field(default=10, ge=0)
    read_at_once: int = Field(default=256, ge=0)


class JobDefaults(Config):
    """How large a file of `POST /v1/jobs` may be, and how long jobs are kept."""

    max_upload_bytes: int = Field(default=8 * 1024**3, ge=1024)
    upload_seconds: float = Field(default=6 * 3600, gt=0)
    keep_days: float = Field(default=14, gt=0)
    threads: int = Field(default=0, ge=0)


class DeskDefaults(Config):
    """How long things last at an operator's desk."""

    claim_minutes: float = Field(default=10, gt=0)
    later_minutes: float = Field(default=60, gt=0)
    undo_minutes: float = Field(default=15, ge=0)


class ConsoleDefaults(Config):
    """How long one is logged in to the console, and where its links into MLflow lead."""

    session_hours: float = Field(default=12, gt=0, le=24 * 31)
    mlflow_url: str | None = Field(default=None, pattern=r"^https?://[^\s]+$")


class ServingConfig(Config):
    """Limits, timings and processes; comments on each stand in the YAML."""

    max_items: int = Field(default=MAX_ITEMS, ge=1, le=MAX_ITEMS)
    max_characters: int = Field(default=MAX_CHARACTERS, ge=1, le=MAX_CHARACTERS)
    max_body_bytes: int = Field(default=8 * 1024 * 1024, ge=1024)
    timeout_seconds: float = Field(default=60.0, gt=0)
    refresh_seconds: float = Field(default=3.0, gt=0)
    threads: int = Field(default=8, ge=1, le=256)
    analytics_threads: int = Field(default=2, ge=1, le=64)
    classified_at_once: int = Field(default=4, ge=1, le=1024)
    requests_per_minute: int = Field(default=3000, ge=0)
    inference_threads: int = Field(default=0, ge=0)
    region_idle_minutes: float = Field(default=60, ge=0)
    workers: int = Field(default=1, ge=1, le=64)
    surges: SurgeDefaults = SurgeDefaults()
    emerging: EmergingDefaults = EmergingDefaults()
    jobs: JobDefaults = JobDefaults()
    desk: DeskDefaults = DeskDefaults()
    console: ConsoleDefaults = ConsoleDefaults()


def load_serving_config() -> ServingConfig:
    """Read `serving.yaml` of this installation.

    Raises:
        ConfigError: the file is missing or malformed; names the key.
    """
    return load_config(settings().configs / "serving.yaml", ServingConfig)
