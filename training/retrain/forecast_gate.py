"""The promotion gate of forecasters: may a challenger forecast in the champion's place?

In: what both said of the newest windows (`forecast_windows.py`). Out: a `ForecastVerdict`: every check with its
sentence. What is resampled is series, not days: the days of one series err together. A challenger passes that is
better or equal over all series and worse in no sector, whose interval and alarms keep what they promise, and that the
champion does not beat without having seen the newest weeks: counts that have been spoiled teach both sides the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.counts.daily import KEY
from training.forecaster.evaluation import COVERED
from training.retrain.forecast_windows import ForecastComparison, Served
from training.retrain.gate_limits import Check, ForecastLimits, Judgement
from training.retrain.paired_bootstrap import (
    Compared,
    Difference,
    Resamples,
    mean_difference,
    miss_difference,
    wape_difference,
    worse_after_holm,
)

Floats = npt.NDArray[np.float64]
LEAST_REWRITTEN = 20
"""Complaints: of a sector with a handful a month, one that is entered late is a tenth."""
QUICK_FIT, QUICK_ANSWER = 60.0, 0.1
"""Seconds: a fit of all series under a minute, or an answer under a tenth of a second, is nobody's loss."""


@dataclass(frozen=True)
class ForecastVerdict(Judgement):
    """What the gate says.

    Attributes:
        overall: the WAPE over all series, champion less challenger.
        sectors: the same of each sector.
        compared: the other differences, by the names of their checks.
    """

    overall: Compared
    sectors: Mapping[str, Compared] = field(default_factory=dict)
    compared: Mapping[str, Compared] = field(default_factory=dict)

    @property
    def first_line(self) -> str:
        """Why, in one sentence."""
        return self.refusal or (
            f"Passed on {self.overall.rows} series: {self.overall} points of WAPE gained, worse nowhere that matters"
        )


def by_series_sums(days: pd.DataFrame) -> pd.DataFrame:
    """Of each series, in order: `days, actual, error` (Σ|median − actual|), `inside` (days in the 80 % interval)."""
    sums = days.assign(
        days=1,
        error=(days["q50"] - days["actual"]).abs(),
        inside=(days["q10"] <= days["actual"]) & (days["actual"] <= days["q90"]),
    )
    return sums.groupby(KEY)[["days", "actual", "error", "inside"]].sum().astype("float64")


def judge_forecasts(comparison: ForecastComparison, limits: ForecastLimits) -> ForecastVerdict:
    """Hold the challenger against the champion on the same days of the same series."""
    champion, challenger = (by_series_sums(side.days) for side in (comparison.champion, comparison.challenger))
    resamples = Resamples(len(champion))
    overall = resamples.compare(_gain(challenger, champion))
    sectors = dict(_sectors(resamples, champion, challenger, limits))
    covered = resamples.compare(
        miss_difference(
            challenger["inside"].to_numpy(), champion["inside"].to_numpy(), champion["days"].to_numpy(), COVERED
        )
    )
    alarms = [side.alarms / comparison.months for side in (comparison.champion, comparison.challenger)]
    alarmed = Resamples(len(alarms[0])).compare(mean_difference(-alarms[1], -alarms[0]))
    compared = {"interval": covered, "alarms": alarmed}
    checks = [
        _rewritten(comparison.rewritten, limits),
        _no_worse("WAPE", overall, limits, f"WAPE {wape(challenger):.1%}, the champion's {wape(champion):.1%}"),
        _no_sector_worse(sectors, limits),
        _interval(champion, challenger, covered, limits),
        _alarms(alarms[0], alarms[1], alarmed, limits),
    ]
    if len(comparison.unrefreshed):
        served = by_series_sums(comparison.unrefreshed)
        compared["as it serves"] = without = _against_unrefreshed(comparison, served)
        says = f"the champion as it serves, which has seen none of these weeks, has WAPE {wape(served):.1%}"
        passed = without.difference >= -limits.served_tolerance
        checks.append(Check("as it serves", passed, f"{says}: {without} points gained"))
    checks += _speed(comparison.champion, comparison.challenger, limits)
    return ForecastVerdict(tuple(checks), overall, sectors, compared)


def _gain(challenger: pd.DataFrame, champion: pd.DataFrame) -> Difference:
    errors = challenger["error"].to_numpy(), champion["error"].to_numpy()
    return wape_difference(*errors, champion["actual"].to_numpy())


def wape(sums: pd.DataFrame) -> float:
    """Of `by_series_sums`: Σ|median − actual| / Σactual."""
    return float(sums["error"].sum() / max(sums["actual"].sum(), 1.0))


def _no_worse(name: str, gained: Compared, limits: ForecastLimits, says: str) -> Check:
    beyond_chance = gained.is_worse and gained.rows >= limits.least_series
    passed = not beyond_chance and gained.difference >= -limits.wape_tolerance
    return Check(name, passed, f"{says}: {gained} points gained")


def _sectors(
    resamples: Resamples, champion: pd.DataFrame, challenger: pd.DataFrame, limits: ForecastLimits
) -> Iterator[tuple[str, Compared]]:
    """The sectors that are large enough to be looked at by themselves."""
    sectors = champion.index.get_level_values("sector")
    for sector in sectors.unique():
        rows = np.flatnonzero(sectors == sector)
        if champion["actual"].iloc[rows].sum() >= limits.least_complaints:
            yield str(sector), resamples.compare(_gain(challenger.iloc[rows], champion.iloc[rows]), rows)


def _no_sector_worse(sectors: Mapping[str, Compared], limits: ForecastLimits) -> Check:
    many = [name for name, gained in sectors.items() if gained.rows >= limits.least_series]
    beyond_chance = worse_after_holm([sectors[name].p_no_loss for name in many], limits.level)
    lost = [many[place] for place in beyond_chance if sectors[many[place]].difference < -limits.wape_tolerance]
    few = [name for name in sectors if name not in many]
    lost += [name for name in few if sectors[name].difference < -limits.sector_tolerance]
    if not lost:
        return Check("sectors", True, f"none of {len(sectors)} sectors is forecast worse")
    said = ", ".join(f"{name}: {sectors[name]} points of WAPE gained on {sectors[name].rows} series" for name in lost)
    return Check("sectors", False, f"worse in {said}")


def _interval(champion: pd.DataFrame, challenger: pd.DataFrame, covered: Compared, limits: ForecastLimits) -> Check:
    shares = [side["inside"].sum() / side["days"].sum() for side in (challenger, champion)]
    passed = not (covered.is_worse and covered.difference < -limits.interval_tolerance)
    says = f"the {COVERED:.0%} interval holds {shares[0]:.1%} of the days, the champion's {shares[1]:.1%}"
    return Check("interval", passed, says)


def _alarms(champion: Floats, challenger: Floats, fewer: Compared, limits: ForecastLimits) -> Check:
    passed = not (fewer.is_worse and fewer.difference < -limits.alarms_tolerance)
    says = f"{challenger.mean():.2f} surges a series and month are told, the champion's thresholds tell "
    return Check("alarms", passed, f"{says}{champion.mean():.2f}")


def _rewritten(sectors: pd.DataFrame, limits: ForecastLimits) -> Check:
    share = (sectors["changed"] / sectors["known"].clip(lower=1.0)).sort_values(ascending=False)
    others = share[(share > limits.most_rewritten) & (sectors["changed"].reindex(share.index) >= LEAST_REWRITTEN)]
    if others.empty:
        return Check("rewritten", True, f"the counts that the champion knew stand: {share.max():.1%} changed at most")
    said = ", ".join(f"{sector} {of:.0%}" for sector, of in others.items())
    return Check("rewritten", False, f"counts of days that the champion knew are others now: {said} of the complaints")


def _against_unrefreshed(comparison: ForecastComparison, champion: pd.DataFrame) -> Compared:
    """The challenger against the champion's bundle as it is, on the windows and series that it forecasts."""
    days = comparison.challenger.days.merge(comparison.unrefreshed[["date", *KEY]], on=["date", *KEY])
    return Resamples(len(champion)).compare(_gain(by_series_sums(days), champion))


def _speed(champion: Served, challenger: Served, limits: ForecastLimits) -> Iterator[Check]:
    for name, seconds, before, quick in (
        ("fitting", challenger.fit_seconds, champion.fit_seconds, QUICK_FIT),
        ("answering", challenger.answer_seconds, champion.answer_seconds, QUICK_ANSWER),
    ):
        passed = seconds <= quick or seconds <= limits.slower * before
        yield Check(name, passed, f"{name} takes {seconds:.3g} s, the champion {before:.3g} s")
