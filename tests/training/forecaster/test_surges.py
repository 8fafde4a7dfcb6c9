"""`tsur surges`: the events of a file or of the champion, as a table, CSV and a timeline."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.counts.daily import REGION
from data.errors import CountsError, UnknownSeriesError
from models.forecasting.config import ForecasterConfig
from tests.conftest import tsur
from training.forecaster.surge_figure import surge_figure
from training.forecaster.surges import only, surge_frame, surges_of_counts

PLACES, SECTORS = ("Алмазово", "Ольшаны"), ("ЖКХ", "Дороги", "Связь", "Экология")
CONFIG = ForecasterConfig(calendar="none")


@pytest.fixture(scope="module")
def counts() -> pd.DataFrame:
    """Two places, four sectors, 200 days; «Связь» surges in one place in May, «ЖКХ» in both at the end."""
    rng = np.random.default_rng(4)
    days = pd.date_range("2026-01-01", periods=200, freq="D")
    parts = []
    for place in PLACES:
        for sector in SECTORS:
            mean = np.full(len(days), 12.0)
            if (place, sector) == ("Алмазово", "Связь"):
                mean[130:137] *= 3
            if sector == "ЖКХ":
                mean[-5:] *= 3
            parts.append(
                pd.DataFrame({"date": days, "municipality": place, "sector": sector, "count": rng.poisson(mean)})
            )
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def file(counts: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("surges") / "counts.csv"
    counts.to_csv(path, index=False)
    return path


def test_open_and_closed_events_of_a_history_are_told_once_each(counts: pd.DataFrame):
    found = [surge for surge in surges_of_counts(counts, CONFIG) if surge.kind == "observed"]
    told = {(s.municipality, s.sector, s.state, str(s.start)) for s in found}
    assert ("Алмазово", "Связь", "closed", "2026-05-11") in told
    assert (REGION, "ЖКХ", "open", "2026-07-15") in told
    assert len(told) == len(found) <= 0.5 * 11 * 200 / 30.4  # what is allowed, sums included


def test_what_matters_comes_first(counts: pd.DataFrame):
    found = [surge for surge in surges_of_counts(counts, CONFIG) if surge.kind == "observed"]
    assert [(s.municipality, s.sector, s.state) for s in found[:2]] == [
        (REGION, "ЖКХ", "open"),
        ("Алмазово", "Связь", "closed"),
    ]


def test_since_leaves_out_what_was_over(counts: pd.DataFrame):
    late = surges_of_counts(counts, CONFIG, since=pd.Timestamp("2026-07-01").date())
    assert all(surge.end >= pd.Timestamp("2026-07-01").date() for surge in late)
    assert any(surge.sector == "ЖКХ" for surge in late)


def test_a_place_finds_the_regions_events_that_name_it_and_an_unknown_one_is_refused(counts: pd.DataFrame):
    found = surges_of_counts(counts, CONFIG)
    here = only(found, "Ольшаны", "ЖКХ", counts)
    assert next(surge for surge in here if surge.kind == "observed").municipality == REGION
    assert all("Ольшаны" in (surge.municipality, *surge.places) or surge.municipality == "Ольшаны" for surge in here)
    with pytest.raises(UnknownSeriesError, match="known are Алмазово, Ольшаны"):
        only(found, "Нигде", None, counts)


def test_under_four_weeks_nobody_knows_what_is_usual(counts: pd.DataFrame):
    with pytest.raises(CountsError, match="at least 28 days"):
        surges_of_counts(counts[counts["date"] < "2026-01-20"], CONFIG)


def test_the_command_prints_csv_and_draws_the_timeline(file: Path, tmp_path: Path):
    picture = tmp_path / "surges.png"
    arguments = ["surges", str(file), "--municipality-column", "municipality", "--plot", str(picture)]
    table = tsur(tmp_path, *arguments, "--set", "calendar=none").stdout
    assert "завершён" in table
    assert "идёт" in table
    assert picture.read_bytes().startswith(b"\x89PNG")
    csv = tsur(tmp_path, *arguments[:-2], "--set", "calendar=none", "--csv", "--sector", "Связь").stdout
    frame = pd.read_csv(io.StringIO(csv), sep=";")
    assert set(frame["sector"]) == {"Связь"}
    assert list(frame.columns) == list(surge_frame([]).columns)


def test_no_surge_is_an_empty_table_and_an_empty_picture(tmp_path: Path):
    assert surge_frame([]).empty
    surge_figure([]).savefig(tmp_path / "none.png")
    assert (tmp_path / "none.png").stat().st_size > 0
