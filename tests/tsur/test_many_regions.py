"""`tsur train regions`: each region's own champion; who fails is told, and the others finish."""

from pathlib import Path

import pytest

from data.errors import InputError
from data.tables.csv_writer import write_csv
from tests.conftest import tsur
from tests.serving.bundles import small_counts
from tests.tsur.regions import KAMCHATKA, add_region
from tsur.many_regions import region_files


def test_regions_are_trained_though_one_of_them_fails(tmp_path: Path):
    add_region(tmp_path / "configs", "kamchatka", KAMCHATKA)
    counts = tmp_path / "counts.csv"
    write_csv(small_counts(), counts)
    options = ["--model", "forecaster", "--set", "forecasters=[seasonal_naive]", "--set", "windows=1"]
    parts = [f"{region}={counts}" for region in ("verkhnerechye", "atlantis", "kamchatka")]
    (tmp_path / "home").mkdir()
    done = tsur(
        tmp_path / "home", "train", "regions", *parts, *options, check=False, TSUR_CONFIGS=str(tmp_path / "configs")
    )
    assert done.returncode == 2
    assert "1 of 3: verkhnerechye: forecaster version 1 is champion" in done.stdout
    assert "3 of 3: kamchatka: forecaster version 1 is champion" in done.stdout
    assert "1 of 3 regions failed, the others are trained: atlantis: " in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["kursk.jsonl"], "'kursk.jsonl': expected REGION=FILE"),
        (["kursk=a.jsonl", "kursk=b.jsonl"], "region 'kursk' is named twice"),
    ],
)
def test_files_without_a_region_of_their_own_are_refused(arguments: list[str], message: str):
    with pytest.raises(InputError, match=message):
        region_files(arguments)
