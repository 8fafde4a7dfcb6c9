"""What a past teaches: the evidence of a whole history, and from it thresholds and how wild each series is.

In: a panel of base series. Out: `Past`, the panel with its sums, judged day by day by a rolling baseline;
`LearnedSurges`, what a bundle keeps of it. The decision worth knowing: sums have a baseline and a wildness of their
own, but the allowed rate is that of the base series.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.counts.daily import KEY
from models.forecasting.config import LearnedExceedance, SurgeConfig
from models.forecasting.series import keys_of, sums_of_observed
from models.surges.baseline import Baseline, rolling_baseline
from models.surges.evidence import Evidence, surge_evidence
from models.surges.exceedance import learned_exceedance
from models.surges.thresholds import Thresholds, thresholds_from

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Past:
    """A history with its sums: counts, what was to be expected of each day, and the evidence against it.

    `base`: how many of the columns, the first ones, are base series; `outlook`: theirs, as in `Baseline`.
    """

    counts: pd.DataFrame
    baseline: Baseline
    evidence: Evidence
    base: int
    outlook: pd.DataFrame

    @classmethod
    def of(cls, counts: pd.DataFrame, calendar: str, window_days: int) -> "Past":
        """Judge every day of a panel of base series, and of the sums above them, by earlier days only."""
        base = rolling_baseline(counts, calendar)
        panel, means = sums_of_observed(counts, base.means)
        above = rolling_baseline(panel.drop(columns=list(counts.columns)), calendar)
        baseline = Baseline(
            means=means,
            daily=pd.concat([base.daily, above.daily], axis=1)[panel.columns],
            weekly=pd.concat([base.weekly, above.weekly], axis=1)[panel.columns],
        )
        assert base.outlook is not None  # a rolling baseline's
        return cls(panel, baseline, surge_evidence(panel, baseline, window_days), counts.shape[1], base.outlook)

    def thresholds(self, config: SurgeConfig, judged: Ints | None = None) -> Thresholds:
        """The thresholds that this past teaches; what the config states is kept.

        `judged`: the base columns that the rate is allowed for; None: all of them.
        """
        return thresholds_from(self.evidence, config, np.arange(self.base) if judged is None else judged)

    def exceedance(self, config: SurgeConfig) -> LearnedExceedance | None:
        """What this past teaches of weeks that pass their level."""
        return learned_exceedance(self.counts.iloc[:, : self.base], self.outlook, config)


@dataclass(frozen=True)
class LearnedSurges:
    """The config with its thresholds stated, and `municipality, sector, wildness` of every series, sums included."""

    config: SurgeConfig
    wildness: pd.DataFrame

    @classmethod
    def of(cls, config: SurgeConfig, counts: pd.DataFrame, calendar: str) -> "LearnedSurges":
        """What a panel of base series teaches."""
        past = Past.of(counts, calendar, config.window_days)
        learned = past.thresholds(config)
        stated = config.model_copy(
            update={
                "threshold": learned.alarm,
                "day_weight": learned.day_weight,
                "exceedance": config.exceedance or past.exceedance(config),
            }
        )
        wildness = pd.DataFrame(keys_of(past.counts), columns=KEY).assign(wildness=past.evidence.wildness)
        return cls(stated, wildness)
