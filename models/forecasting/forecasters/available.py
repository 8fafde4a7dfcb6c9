"""The list of forecasters: what can compete, from the simplest to the richest.

In: a name of the config. Out: a forecaster, set up. The order is also how ties between them are settled. A new
forecaster is a module beside this one and a line here.
"""

from typing import TYPE_CHECKING

from models.forecasting.forecasters.boosting import GradientBoosting
from models.forecasting.forecasters.harmonic import HarmonicForecaster
from models.forecasting.forecasters.profile_mean import ProfileMean
from models.forecasting.forecasters.prophet_model import ProphetForecaster
from models.forecasting.forecasters.statistical import AutoEts, AutoTheta, SeasonalNaive, WeekdayMean, ZeroInflated
from models.forecasting.interface import GlobalForecaster, LocalForecaster

if TYPE_CHECKING:
    from models.forecasting.config import ForecasterConfig

FORECASTERS: tuple[type[LocalForecaster] | type[GlobalForecaster], ...] = (
    SeasonalNaive,
    WeekdayMean,
    ProfileMean,
    ZeroInflated,
    AutoTheta,
    AutoEts,
    HarmonicForecaster,
    ProphetForecaster,
    GradientBoosting,
)
COMBINATION = "combination"
"""Not fitted but made of others' means, see `ForecasterConfig.combination`; the richest of all."""
SIMPLEST_FIRST = [*(kind.name for kind in FORECASTERS), COMBINATION]
LOCAL: dict[str, type[LocalForecaster]] = {kind.name: kind for kind in FORECASTERS if issubclass(kind, LocalForecaster)}
GLOBAL: dict[str, type[GlobalForecaster]] = {
    kind.name: kind for kind in FORECASTERS if issubclass(kind, GlobalForecaster)
}
SPARSE_FORECASTER = ZeroInflated.name
"""It always competes for sparse series."""


def local_forecaster(name: str, config: "ForecasterConfig") -> LocalForecaster:
    """The local forecaster of that name."""
    return LOCAL[name].from_config(config)


def global_forecaster(name: str, config: "ForecasterConfig") -> GlobalForecaster:
    """The global forecaster of that name."""
    return GLOBAL[name].from_config(config)
