"""Settings of one installation: the only place that reads the environment (`TSUR_*`, or `.env`)."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

CHECKOUT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Where things are on this machine. Every field is `TSUR_<NAME>` in the environment."""

    model_config = SettingsConfigDict(env_prefix="TSUR_", env_file=".env", extra="ignore")

    home: Path = Field(default=CHECKOUT / "var", description="state: MLflow, store, checkpoints, caches")
    configs: Path = Field(default=CHECKOUT / "configs", description="the folder of YAML files")
    region: str | None = Field(default=None, description="the region, where `configs/regions` holds several")
    tracking_uri: str | None = Field(default=None, description="MLflow tracking URI; default: SQLite in `home`")
    store_url: str | None = Field(default=None, description="SQLAlchemy URL of the store; default: SQLite in `home`")
    api_keys: SecretStr = Field(
        default=SecretStr(""), description="comma-separated keys that open everything, for a first start"
    )
    csv_decimal: Literal["comma", "point"] = Field(
        default="point", description="decimal sign of the CSV files that are written; a Russian Excel reads `comma`"
    )
    real_data: Path | None = Field(
        default=None, description="folder with real complaints and counts, for tests and benchmarks"
    )

    @property
    def mlflow_uri(self) -> str:
        """The tracking and registry URI."""
        return self.tracking_uri or f"sqlite:///{self.home.resolve()}/mlflow/mlflow.db"

    @property
    def artifacts(self) -> Path:
        """The artifact folder used with the default tracking URI."""
        return self.home.resolve() / "mlflow" / "artifacts"

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL of the service's store."""
        return self.store_url or f"sqlite:///{self.home.resolve()}/store.db"

    @property
    def keys(self) -> frozenset[str]:
        """The accepted API keys; empty means that none is asked for."""
        return frozenset(k.strip() for k in self.api_keys.get_secret_value().split(",") if k.strip())


@lru_cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
