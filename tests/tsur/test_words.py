"""Words that lead out of the error: each names the option that mends it, and options are called alike everywhere."""

from pathlib import Path

import pytest
import typer

from data.errors import TsurError
from tsur.cli import app

COUNTS = "date,sector,count\n2026-01-01,ЖКХ,3\n2026-01-02,ЖКХ,4\n"
OWN_NAMES = "Когда,Что,Всего\n2026-01-01,ЖКХ,3\n"
FOREIGN = "id,text,created_at,sector\n1,Яма,2026-01-05,Космос\n"


@pytest.mark.parametrize(
    ("content", "arguments", "option"),
    [
        ("id,text\n1,Яма\n", ["import"], "--date"),
        ("id,text,created_at\n1,Яма,\n", ["import"], "--date"),
        (FOREIGN, ["import"], "--no-catalogue"),
        (FOREIGN, ["import"], "--catalogue"),
        (OWN_NAMES, ["surges"], "--sector-column"),
        (OWN_NAMES, ["backtest"], "--sector-column"),
        (OWN_NAMES, ["train", "forecaster"], "--sector-column"),
        (OWN_NAMES, ["surges"], "--count-column"),
        (COUNTS, ["surges", "--plot", "surges.txt"], "--plot"),
        (COUNTS, ["surges", "--calendar", "mars"], "--calendar"),
        (COUNTS, ["backtest", "--calendar", "mars"], "--calendar"),
        (COUNTS, ["backtest", "--set", "windows"], "--set"),
        (COUNTS, ["backtest", "--set", "windows=0"], "--set"),
        (COUNTS, ["surges", "--region", "atlantis"], "--region"),
        (FOREIGN, ["train", "classifier", "--set", "test_share=0"], "holdout"),
        (FOREIGN, ["train", "classifier", "--set", "holdout=0.5"], "holdout"),
    ],
)
def test_an_error_names_the_option_that_mends_it(
    tmp_path: Path, content: str, arguments: list[str], option: str
) -> None:
    file = tmp_path / "file.csv"
    file.write_text(content, encoding="utf-8")
    out = ["--out", str(tmp_path / "out.jsonl")] if arguments == ["import"] else []
    with pytest.raises(TsurError) as caught:
        app([*arguments, str(file), *out], standalone_mode=False)
    assert option in caught.value.message


@pytest.mark.parametrize("command", ["surges", "backtest", "train forecaster"])
@pytest.mark.parametrize("option", ["--date-column", "--sector-column", "--count-column", "--municipality-column"])
def test_columns_of_counts_are_named_by_the_same_options_in_every_command(command: str, option: str) -> None:
    found = typer.main.get_command(app)
    for part in command.split():
        found = found.commands[part]  # type: ignore[attr-defined]
    assert option in {name for parameter in found.params for name in parameter.opts}
