"""`tsur regions`: a region is added whole or not at all, listed, and checked with its champions."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from data.errors import ConfigError
from data.settings import CHECKOUT, settings
from tests.serving.bundles import CATALOGUE, CLASSIFIER, register, write_classifier
from tests.serving.regions.test_champions import write_damaged
from tsur.cli import app

ADD = ["regions", "add", "zarechye", "--title", "Заречье", "--timezone", "Asia/Omsk"]


@pytest.fixture(autouse=True)
def _installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(CHECKOUT / "configs", tmp_path / "configs")
    monkeypatch.setenv("TSUR_CONFIGS", str(tmp_path / "configs"))
    monkeypatch.setenv("TSUR_HOME", str(tmp_path / "home"))
    settings.cache_clear()
    yield
    settings.cache_clear()


def tsur(*arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(app, list(arguments))
    if isinstance(done.exception, ConfigError):
        raise done.exception
    assert done.exit_code == status, done.output
    return done.output


def test_a_region_is_added_from_its_catalogue_and_listed(tmp_path: Path) -> None:
    assert "tsur train classifier complaints.jsonl --region zarechye\n" in tsur(*ADD, "--catalogue", str(CATALOGUE))
    assert (tmp_path / "configs/regions/zarechye/catalogue.yaml").read_text() == CATALOGUE.read_text()
    listed = tsur("regions", "list")
    assert "Заречье" in listed
    assert "verkhnerechye" in listed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["regions", "add", "Заречье", "--title", "x", "--timezone", "Asia/Omsk"], "no name of a region"),
        (["regions", "add", "verkhnerechye", "--title", "x", "--timezone", "Asia/Omsk"], "is there already"),
        (["regions", "add", "new", "--title", "x", "--timezone", "Omsk"], "did you mean one of Asia/Omsk"),
        ([*ADD, "--catalogue", "nowhere.yaml"], "no such config file"),
    ],
)
def test_what_makes_no_region_is_refused_and_leaves_nothing(tmp_path: Path, arguments: list[str], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        tsur(*arguments)
    assert [path.name for path in (tmp_path / "configs" / "regions").iterdir()] == ["verkhnerechye"]


def test_a_region_is_checked_with_its_champions(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "mlflow" / "artifacts").mkdir(parents=True)
    register(home, CLASSIFIER, write_classifier(tmp_path / "sound" / "bundle"))
    assert "version 1 loads and agrees" in tsur("regions", "check", "verkhnerechye")
    register(home, CLASSIFIER, write_damaged(tmp_path / "damaged" / "bundle"))
    assert "decides otherwise here" in tsur("regions", "check", status=1)
