"""The outlook of a week where there is no forecaster, and what people wrote about its surges."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from data.errors import NoChampionError, NotReadyError, TsurError
from data.kpi.outlook import NO_FORECASTER, NOT_SERVED
from data.kpi.span import Span
from data.regions.region import load_region
from data.store.store import Store
from data.store.surge_notes import SurgeNote
from models.forecasting.bundle import Forecasts
from serving.analytics.surges import SurgeMemory
from serving.analytics.week_outlook import week_outlook
from serving.regions.champions import Champion
from tests.data.store.rows import REGION
from tests.serving.bundles import CALM_PLACE, CALM_SECTOR, write_surging_forecaster

WEEK = Span(date(2026, 11, 2), date(2026, 11, 8))


@pytest.fixture()
def store(tmp_path: Path) -> Store:
    return Store(f"sqlite:///{tmp_path}/store.db", REGION)


@pytest.mark.parametrize(
    ("error", "sentence"), [(NoChampionError("none"), NO_FORECASTER), (NotReadyError("loading"), NOT_SERVED)]
)
def test_without_a_forecaster_a_sentence_says_so(store: Store, error: TsurError, sentence: str) -> None:
    def nobody() -> Champion[Forecasts]:
        raise error

    told = week_outlook(nobody, SurgeMemory(), store, load_region(), WEEK, 0.2)
    assert (told.surges, told.forecast) == ([], [])
    assert (told.surges_missing, told.forecast_missing) == (sentence, sentence)


def test_what_became_of_a_surge_and_what_was_written_about_it(store: Store, tmp_path: Path) -> None:
    champion = Champion("f", "1", Forecasts.load(write_surging_forecaster(tmp_path / "forecaster")))
    for note in ("Прорыв трубы", ""):
        start = date(2026, 11, 2)
        now = datetime.now(UTC)
        store.surge_notes.save(SurgeNote(REGION, "observed", CALM_PLACE, CALM_SECTOR, start, now, "1", "Ключ", note))
    told = week_outlook(lambda: champion, SurgeMemory(), store, load_region(), WEEK, 0.2)
    (surge,) = [each for each in told.surges if (each.municipality, each.sector) == (CALM_PLACE, CALM_SECTOR)]
    assert (surge.state, surge.note) == ("closed", "Прорыв трубы")
    assert surge.became.startswith("закончился ")
    assert (told.coming, told.forecast_missing) == (Span(date(2026, 11, 9), date(2026, 11, 15)), None)
