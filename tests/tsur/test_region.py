"""`--region` and TSUR_REGION on the command line, and the region's days from an export to the counts."""

from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import tsur
from tests.tsur.regions import KAMCHATKA, add_region

EXPORT = """id;text;created_at;municipality;sector
1;Во дворе не вывозят мусор;01.11.2026 00:30;Елизово;ЖКХ
2;Во дворе не вывозят мусор;01.11.2026 23:30;Елизово;ЖКХ
3;Во дворе не вывозят мусор;2026-11-01T23:30:00+12:00;Елизово;ЖКХ
4;Во дворе не вывозят мусор;2026-11-01T12:30:00Z;Елизово;ЖКХ
5;Во дворе не вывозят мусор;03.11.2026;Елизово;ЖКХ
"""
"""The fourth is made on the 2nd, half an hour after midnight in Kamchatka."""


@pytest.fixture()
def configs(tmp_path: Path) -> str:
    """The sample's region and Kamchatka."""
    folder = tmp_path / "configs"
    add_region(folder, "kamchatka", KAMCHATKA)
    return str(folder)


@pytest.mark.parametrize("said", [["--region", "kamchatka"], []], ids=["option", "TSUR_REGION"])
def test_complaints_count_on_the_days_of_their_region(tmp_path: Path, configs: str, said: list[str]):
    export, out, counts = tmp_path / "export.csv", tmp_path / "complaints.jsonl", tmp_path / "counts.csv"
    export.write_text(EXPORT, encoding="utf-8")
    environment = {"TSUR_CONFIGS": configs} | ({} if said else {"TSUR_REGION": "kamchatka"})
    tsur(tmp_path, "import", str(export), "--out", str(out), *said, **environment)
    tsur(tmp_path, "counts", str(out), "--out", str(counts), *said, **environment)
    frame = pd.read_csv(counts, sep=";")
    assert dict(zip(frame["date"], frame["count"], strict=True)) == {"2026-11-01": 3, "2026-11-02": 1, "2026-11-03": 1}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["import", "export.csv"], "several regions, kamchatka, verkhnerechye: name one with --region or TSUR_REGION"),
        (["import", "export.csv", "--region", "kamchatk"], "known are kamchatka, verkhnerechye"),
        (["serve", "--region", "Камчатка"], "small Latin letters, digits and hyphens"),
        (["serve"], "name one with --region or TSUR_REGION"),
        (["train", "classifier", "--region", "kamchatka"], "'kamchatka' has no bundled sample"),
        (["train", "forecaster", "--region", "kamchatka"], "name a file of daily counts"),
    ],
)
def test_what_is_wrong_with_the_region_is_one_sentence(
    tmp_path: Path, configs: str, arguments: list[str], sentence: str
):
    done = tsur(tmp_path, *arguments, check=False, TSUR_CONFIGS=configs)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert sentence in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
