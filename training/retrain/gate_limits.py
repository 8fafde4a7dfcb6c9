"""What the promotion gate allows (`configs/gate.yaml` as a type), and what it says: one `Check` a thing looked at."""

from dataclasses import dataclass

from pydantic import Field

from data.config import Config


class ForecastLimits(Config):
    """What a challenger of a forecaster may cost; WAPE is Σ|error| / Σcount of the median.

    Attributes:
        windows: the newest ones, at most, that both forecast.
        wape_tolerance: so much more, over all series or those of a sector, is equal.
        least_series: over fewer the tolerance alone decides: a bootstrap of a handful of series is no test.
        sector_tolerance: the tolerance of a sector of fewer series.
        least_complaints: of a sector in the windows that is looked at by itself.
        level: of all sectors together: how often an honest challenger is refused for them.
        served_tolerance: of the WAPE against the champion as it serves, which has not seen the newest weeks.
        interval_tolerance: by how much the coverage of the 80 % interval may lie further off.
        alarms_tolerance: so many more surges a series and month.
        most_rewritten: of a sector's complaints on days that the champion knew, as a share of them.
        slower: by this factor at most, to fit and to answer.
    """

    windows: int = Field(default=4, ge=1, le=26)
    wape_tolerance: float = Field(default=0.01, ge=0)
    least_series: int = Field(default=10, ge=2)
    sector_tolerance: float = Field(default=0.05, ge=0)
    least_complaints: int = Field(default=200, ge=1)
    level: float = Field(default=0.05, gt=0, lt=1)
    served_tolerance: float = Field(default=0.05, ge=0)
    interval_tolerance: float = Field(default=0.05, ge=0)
    alarms_tolerance: float = Field(default=0.25, ge=0)
    most_rewritten: float = Field(default=0.1, ge=0)
    slower: float = Field(default=5.0, ge=1)


class GateLimits(Config):
    """What a challenger may cost.

    Attributes:
        tolerance: of accuracy, overall and on the newest rows: so much less is equal.
        newest_days: before the newest row; the rows of so many days are looked at by themselves.
        level: of all slices and labels together: how often an honest challenger is refused for them.
        least_rows: test rows below which nothing can be said.
        least_slice_rows: of a sector or an agency that is looked at by itself.
        guard_labels: of each head, labels that must not lose; each is tested by itself, uncorrected.
        calibration_tolerance: of the calibration error.
        promised_precision: of what is routed.
        coverage_tolerance: of the share that is routed rightly, beyond chance.
        least_agreement: of int8 with fp32.
        slower: by this factor at most.
        most_copies: of one text, as a share of the rows that joined.
        most_relabelled: of one label's rows, to one other label, without a migration in the catalogue.
        surprise: by how much more often earlier rows may speak against a label of new rows than of each other.
        surprise_level: of the test of that, all labels of a head together.
        surprise_of_all: the same of all labels taken together.
        forecaster: what a forecaster may cost.
    """

    tolerance: float = Field(default=0.01, ge=0)
    newest_days: int = Field(default=28, ge=1)
    level: float = Field(default=0.05, gt=0, lt=1)
    least_rows: int = Field(default=200, ge=1)
    least_slice_rows: int = Field(default=30, ge=1)
    guard_labels: dict[str, list[str]] = {}
    calibration_tolerance: float = Field(default=0.01, ge=0)
    promised_precision: float = Field(default=0.95, gt=0, lt=1)
    coverage_tolerance: float = Field(default=0.05, ge=0)
    least_agreement: float = Field(default=0.99, ge=0, le=1)
    slower: float = Field(default=1.5, ge=1)
    most_copies: float = Field(default=0.2, gt=0, le=1)
    most_relabelled: float = Field(default=0.5, gt=0, le=1)
    surprise: float = Field(default=0.3, gt=0, le=1)
    surprise_level: float = Field(default=0.01, gt=0, lt=1)
    surprise_of_all: float = Field(default=0.1, gt=0, le=1)
    forecaster: ForecastLimits = ForecastLimits()


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: whether it passed, and a sentence with its figures."""

    name: str
    passed: bool
    says: str


@dataclass(frozen=True)
class Judgement:
    """What a gate says: `checks`, all of them, in the order in which they matter."""

    checks: tuple[Check, ...]

    @property
    def promote(self) -> bool:
        """Whether the challenger may serve."""
        return all(check.passed for check in self.checks)

    @property
    def refusal(self) -> str | None:
        """Why not, in one sentence; None where every check passed."""
        failed = [check for check in self.checks if not check.passed]
        if not failed:
            return None
        return f"Refused, {len(failed)} of {len(self.checks)} checks failed: " + "; ".join(each.says for each in failed)
