"""The command line: `--help` at once, and one clear sentence with status 2 for everything wrong."""

import io
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.complaints.files import complaints_frame, write_complaints
from data.settings import CHECKOUT, settings
from data.store.store import Store
from registry.drift_reports import last_report
from tests.conftest import tsur
from tests.data.store.rows import decision, rows
from tests.serving.bundles import CLASSIFIER, SENTENCES, register, write_classifier
from tests.serving.conftest import free_port, write_configs
from tests.training.retrain.small_region import build, complaint, complaints
from tsur.cli import main

GOOD = "id,text,created_at\n1,Не вывозят мусор на Садовой,2026-01-05\n"
COUNTS = "date,sector,count\n"


def test_help_answers_without_loading_torch_mlflow_or_pandas():
    code = (
        "import sys; from tsur.cli import app; "
        "heavy = {'torch', 'mlflow', 'pandas', 'transformers', 'prophet', 'bentoml'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "classify" in tsur(CHECKOUT / "var", "--help").stdout


def test_a_complaint_is_erased_and_the_scanner_finds_nothing_of_it(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/store.db", "verkhnerechye")
    store.decisions.save([decision(id="B-2026-17"), decision(id="18")])
    build(tmp_path / "built", [*complaints(30), complaint(50, id="B-2026-17")])
    (tmp_path / "datasets").mkdir()
    (tmp_path / "built" / "versions").rename(tmp_path / "datasets" / "verkhnerechye")
    shutil.rmtree(tmp_path / "built")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "old.log").write_text("complaint B-2026-17\n")
    found = tsur(tmp_path, "scan-personal-data", "--id", "B-2026-17", check=False)
    assert found.returncode == 1
    assert {"decisions", "rows.jsonl", "old.log"} <= set(re.findall(r"decisions|rows\.jsonl|old\.log", found.stdout))
    erased = tsur(tmp_path, "erase", "B-2026-17").stdout
    assert "1 decisions" in erased
    assert "1 rows of dataset version 0001-" in erased
    (tmp_path / "logs" / "old.log").unlink()
    clean = tsur(tmp_path, "scan-personal-data", str(tmp_path), "--id", "B-2026-17")
    assert "0 findings" in clean.stdout
    assert "0 complaints, 0 entries" in tsur(tmp_path, "retention", "--apply").stdout
    assert [row[0] for row in rows(f"sqlite:///{tmp_path}/store.db", "select id from decisions")] == ["18"]


Ended = Callable[..., tuple[int, str]]


@pytest.fixture()
def ended(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Ended]:
    """`ended(home, *arguments)`: a command in this process, which has everything imported; its status and stderr."""

    def run(home: Path, *arguments: str) -> tuple[int, str]:
        monkeypatch.setenv("TSUR_HOME", str(home))
        monkeypatch.setattr(sys, "argv", ["tsur", *arguments])
        settings.cache_clear()
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), " ".join(capsys.readouterr().err.split())

    yield run
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.parametrize(
    ("name", "content", "arguments", "sentence"),
    [
        ("empty file", b"", ["import", "FILE"], "empty"),
        ("no such file", None, ["import", "FILE"], "FILE"),
        ("unknown format", b"text", ["import", "FILE.docx"], "docx"),
        (
            "missing columns",
            "номер,описание\n1,яма\n".encode(),
            ["import", "FILE", "--source", "incident"],
            "sources/incident",
        ),
        ("unknown source", GOOD.encode(), ["import", "FILE", "--source", "vk"], "generic"),
        ("undecodable", b"id;text\n1;\x00\xff\xfe\x81\x8d\n", ["import", "FILE"], "FILE"),
        ("unknown labels", (GOOD[:18] + ",sector\n1,Яма,2026-01-05,Космос\n").encode(), ["import", "FILE"], "Космос"),
        ("unknown config key", GOOD.encode(), ["train", "classifier", "--set", "epoch=3"], "did you mean 'epochs'"),
        ("value of the wrong kind", GOOD.encode(), ["train", "classifier", "--set", "epochs=many"], "epochs"),
        ("an export without labels", GOOD.encode(), ["train", "classifier", "FILE"], "--no-complaints"),
        ("unknown encoder", None, ["train", "classifier", "--set", "encoder=packaged:bert"], "packaged:e5-small-ru"),
        ("encoder folder absent", None, ["train", "classifier", "--set", "encoder=/no/such"], "/no/such"),
        ("negative counts", (COUNTS + "2026-01-01,a,-1\n2026-01-02,a,2\n").encode(), ["backtest", "FILE"], "-1"),
        ("fractional counts", (COUNTS + "2026-01-01,a,1.5\n2026-01-02,a,2\n").encode(), ["backtest", "FILE"], "1.5"),
        ("doubled day", (COUNTS + "2026-01-01,a,1\n2026-01-01,a,2\n").encode(), ["backtest", "FILE"], "twice"),
        ("one day", (COUNTS + "2026-01-01,a,1\n").encode(), ["backtest", "FILE"], "one day"),
        ("no counts column", b"date,sector,number\n2026-01-01,a,1\n", ["backtest", "FILE"], "'count'"),
        (
            "short history",
            (COUNTS + "2026-01-01,a,1\n2026-01-02,a,2\n").encode(),
            ["train", "forecaster", "FILE"],
            "too few",
        ),
        (
            "gap in regressors",
            b"date,heat\n2026-01-01,1\n",
            ["train", "forecaster", "--regressors", "FILE"],
            "cover the history",
        ),
        ("regressors without numbers", b"date,heat\n2026-01-01,warm\n", ["backtest", "--regressors", "FILE"], "'warm'"),
        ("refresh of nothing", None, ["train", "forecaster", "--refresh"], "tsur train forecaster"),
        (
            "entered before made",
            b"created_at,entered_at\n2026-01-02,2026-01-01\n",
            ["delays", "FILE"],
            "before it was made",
        ),
        ("no champion", GOOD.encode(), ["classify", "FILE"], "tsur train classifier"),
        ("no forecaster", None, ["forecast"], "tsur train forecaster"),
        ("new topics, no such file", None, ["emerging", "FILE"], "FILE"),
        ("new topics without a classifier", GOOD.encode(), ["emerging", "FILE"], "tsur train classifier"),
        ("new topics of no days", GOOD.encode(), ["emerging", "FILE", "--days", "0"], "days"),
        ("no forecaster for surges", None, ["surges"], "tsur train forecaster"),
        (
            "too short for surges",
            (COUNTS + "2026-01-01,a,1\n2026-01-02,a,2\n").encode(),
            ["surges", "FILE"],
            "at least 28 days",
        ),
        (
            "negative counts for surges",
            (COUNTS + "2026-01-01,a,-1\n2026-01-02,a,2\n").encode(),
            ["surges", "FILE"],
            "-1",
        ),
        ("retired surge key", None, ["train", "forecaster", "--set", "surges.alarms_per_year=1"], "alarms_per_year"),
        ("not a picture", None, ["surges", "--plot", "surges.gif"], ".png"),
        ("open door", None, ["serve", "--host", "0.0.0.0"], "TSUR_API_KEYS"),
        ("open mlflow", None, ["mlflow", "--host", "0.0.0.0"], "this machine only"),
    ],
)
def test_bad_input_gets_one_sentence_and_status_2(name, content, arguments, sentence, tmp_path, ended):
    path = tmp_path / "export.csv"
    if content is not None:
        path.write_bytes(content)
    arguments = [str(path) + part.removeprefix("FILE") if part.startswith("FILE") else part for part in arguments]
    arguments += ["--out", str(tmp_path / "out.jsonl")] if arguments[0] == "import" else []
    status, said = ended(tmp_path / "home", *arguments)
    sentence = str(path) if sentence == "FILE" else sentence
    assert status == 2, (name, said)
    assert sentence in said, (name, said)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--horizon", "0"], "at least one day"),
        (["--horizon", "10000"], "reach 90 days"),
        (["--municipality", "Атлантида"], "known are"),
        (["--sector", "ЖКЖ"], "did you mean 'ЖКХ'"),
    ],
)
def test_forecast_of_nonsense_is_refused(arguments, sentence, trained, ended):
    status, said = ended(trained, "forecast", *arguments)
    assert status == 2
    assert sentence in said


def test_forecast_writes_a_table_that_pandas_reads(trained, tmp_path):
    out = tmp_path / "forecast.csv"
    tsur(trained, "forecast", "--sector", "ЖКХ", "--horizon", "7", "--out", str(out))
    frame = pd.read_csv(out, sep=";", parse_dates=["date"])
    assert len(frame) == 7
    assert (frame["q10"] <= frame["q90"]).all()
    assert (frame.drop(columns="date") >= 0).all().all()


def test_forecast_is_plotted(trained, tmp_path):
    tsur(trained, "forecast", "--sector", "ЖКХ", "--plot", str(tmp_path / "forecast.png"))
    assert (tmp_path / "forecast.png").read_bytes().startswith(b"\x89PNG")
    done = tsur(trained, "forecast", "--plot", str(tmp_path / "forecast.docx"), check=False)
    assert done.returncode == 2
    assert "forecast.docx" in done.stderr


def test_delays_are_measured(tmp_path):
    path = tmp_path / "entered.csv"
    rows = [f"2026-01-{day:02d},2026-01-{day + late:02d}" for day in range(1, 21) for late in (0, 0, 0, 1)]
    path.write_text("\n".join(["created_at,entered_at", *rows]), encoding="utf-8")
    assert "completeness: [0.75]" in tsur(tmp_path, "delays", str(path)).stdout


def test_import_then_classify_keeps_good_rows_and_sets_bad_ones_aside(trained, tmp_path):
    export = tmp_path / "export.csv"
    rows = ["1;Не вывозят мусор на Садовой 5, звоните 8-900-000-11-22;2026-01-05", "2;;2026-01-05", "3;Нет воды;вчера"]
    export.write_text("\n".join(["id;text;created_at", *rows]), encoding="cp1251")
    out = tmp_path / "decisions.csv"
    done = tsur(trained, "classify", str(export), "--out", str(out))
    decisions = pd.read_csv(out, sep=";")
    assert list(decisions["id"]) == [1]
    assert decisions["decision"].isin(["route", "review"]).all()
    assert "2 rows set aside" in done.stdout
    assert list(pd.read_csv(tmp_path / "decisions.rejects.csv", sep=";")["line"]) == [3, 4]


def test_complaints_become_daily_counts(tmp_path):
    export, out = tmp_path / "export.csv", tmp_path / "complaints.jsonl"
    lines = [f"{n},Мусор,2026-01-{n % 5 + 1:02d},Вывоз мусора,Не вывозят мусор" for n in range(20)]
    export.write_text("\n".join(["id,text,created_at,sector,topic", *lines]), encoding="utf-8")
    tsur(tmp_path, "import", str(export), "--out", str(out))
    tsur(tmp_path, "counts", str(out), "--out", str(tmp_path / "counts.csv"))
    counts = pd.read_csv(tmp_path / "counts.csv", sep=";")
    assert counts["count"].sum() == 20
    assert counts["date"].nunique() == 5


@pytest.fixture
def random_champion(tmp_path):
    """A home whose champion is a random network, which may be sure of anything, and configs that doubt all it says."""
    home = tmp_path / "home"
    (home / "mlflow" / "artifacts").mkdir(parents=True)
    bundle = write_classifier(tmp_path / "bundle")
    register(home, CLASSIFIER, bundle)
    return home, write_configs(tmp_path / "configs", emerging={"doubt": 1.0})


def test_emerging_reports_on_a_file_in_russian_and_as_csv(random_champion, tmp_path):
    home, configs = random_champion
    ages = np.random.default_rng(0).integers(0, 74, 300)
    texts = [(f"{SENTENCES[n % 5]} {SENTENCES[n // 5 % 5]} и ещё {n}", int(age)) for n, age in enumerate(ages)]
    texts += [(f"прокатные самокаты брошены поперёк тротуара, {n}", n % 7) for n in range(20)]
    last = pd.Timestamp("2026-11-15T09:00:00Z")
    lines = [f'{n},"{text}",{(last - pd.Timedelta(days=age)).isoformat()}' for n, (text, age) in enumerate(texts)]
    export, out = tmp_path / "export.csv", tmp_path / "complaints.jsonl"
    export.write_text("\n".join(["id,text,created_at", *lines]), encoding="utf-8")
    tsur(home, "import", str(export), "--out", str(out))
    report = tsur(home, "emerging", str(out), TSUR_CONFIGS=str(configs)).stdout
    assert "02.11.2026 – 15.11.2026: обращений" in report
    assert "прокатные самокаты" in report
    table = pd.read_csv(
        io.StringIO(tsur(home, "emerging", str(out), "--csv", TSUR_CONFIGS=str(configs)).stdout), sep=";"
    )
    assert list(table.columns[:3]) == ["summary_ru", "size", "since"]
    assert len(table) == report.count("Похожие обращения") >= 1
    assert table["words"].str.contains("самокаты").any()


def test_drift_is_told_by_the_status_and_the_last_report_is_kept_for_the_console(random_champion, tmp_path):
    home, configs = random_champion
    then, now = tmp_path / "then.jsonl", tmp_path / "now.jsonl"
    write_complaints(complaints_frame(complaints(60)), then)
    changed = [complaint(n, text=f"{SENTENCES[n % 5]} {SENTENCES[n // 5 % 5]} и ещё {n}") for n in range(60)]
    write_complaints(complaints_frame(changed), now)
    quiet = tsur(home, "drift", str(then), "--then", str(then), TSUR_CONFIGS=str(configs))
    kept = last_report(home, "verkhnerechye")
    assert kept is not None
    assert not kept.alarm
    assert kept.says in quiet.stdout
    alarmed = tsur(home, "drift", str(now), "--then", str(then), TSUR_CONFIGS=str(configs), check=False)
    kept = last_report(home, "verkhnerechye")
    assert alarmed.returncode == 1, alarmed.stderr
    assert kept.alarm
    assert kept.says.startswith("Drift in ")
    assert kept.report in alarmed.stdout


def test_the_demo_shows_an_answer_of_each_kind_and_ends(trained, tmp_path):
    done = tsur(trained, "demo", "--once", "--port", str(free_port()), TSUR_STORE_URL=f"sqlite:///{tmp_path}/store.db")
    for shown in (
        "is champion already",
        "/v1/classify",
        "/v1/forecast: ",
        "80 % интервал",
        "GET /v1/surges",
        "/docs",
        "/console",
    ):
        assert shown in done.stdout
    log = trained.resolve() / "logs" / "service.log"
    assert str(log) in done.stdout
    lines = [line for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert lines, "the service's output is in its log"
    assert not [line for line in lines if line in done.stdout + done.stderr], "and does not run through the tables"
