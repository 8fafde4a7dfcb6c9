"""A region is a folder; whatever is wrong with it or its name is one sentence that says what would be right."""

from collections.abc import Callable
from pathlib import Path

import pytest

from data.errors import ConfigError
from data.regions.region import load_region
from data.regions.time_zone import check_timezone
from data.settings import settings

GOOD = "title: Камчатский край\ntimezone: Asia/Kamchatka\ncatalogue: null\n"
Write = Callable[..., Path]


@pytest.fixture()
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Writes `region.yaml` of regions, the installation's only ones."""
    monkeypatch.setenv("TSUR_CONFIGS", str(tmp_path))
    monkeypatch.delenv("TSUR_REGION", raising=False)
    settings.cache_clear()

    def regions(**texts: str) -> Path:
        for name, text in texts.items():
            folder = tmp_path / "regions" / name.replace("_", "-")
            folder.mkdir(parents=True)
            (folder / "region.yaml").write_text(text, encoding="utf-8")
        return tmp_path

    yield regions
    monkeypatch.undo()
    settings.cache_clear()


def test_the_only_region_need_not_be_named(write: Write):
    configs = write(kamchatka=GOOD)
    region = load_region()
    assert (region.id, region.title, region.timezone) == ("kamchatka", "Камчатский край", "Asia/Kamchatka")
    assert region.zone.key == "Asia/Kamchatka"
    assert region.catalogue is None
    assert region.source_folders == (configs / "regions" / "kamchatka" / "sources", configs / "sources")


def test_the_sample_region_has_its_catalogue():
    region = load_region()
    assert region.title == "Верхнереченская область"
    assert region.catalogue is not None
    assert region.catalogue.is_file()


def test_of_several_regions_one_is_named(write: Write, monkeypatch: pytest.MonkeyPatch):
    write(kamchatka=GOOD, kursk=GOOD)
    with pytest.raises(ConfigError, match=r"several regions, kamchatka, kursk: name one with --region or TSUR_REGION"):
        load_region()
    assert load_region("kursk").id == "kursk"
    monkeypatch.setenv("TSUR_REGION", "kamchatka")
    settings.cache_clear()
    assert load_region().id == "kamchatka"
    assert load_region("kursk").id == "kursk", "what a command says wins over the environment"


@pytest.mark.parametrize("name", ["Курск", "../kursk", "kursk ", "Kursk", "kursk.oblast", "-kursk", "kursk/"])
def test_a_name_that_could_not_stand_in_a_path_or_a_models_name_is_refused(write: Write, name: str):
    write(kursk=GOOD)
    with pytest.raises(ConfigError, match="small Latin letters, digits and hyphens"):
        load_region(name)


def test_an_unknown_region_is_refused_with_the_known_ones(write: Write):
    write(kamchatka=GOOD, kursk=GOOD)
    with pytest.raises(ConfigError, match=r"region 'kirsk' is not known: known are kamchatka, kursk \(folders of .*"):
        load_region("kirsk")


def test_an_installation_without_regions_says_what_to_make(write: Write):
    write()
    with pytest.raises(ConfigError, match=r"regions holds no region: make a folder there with a region\.yaml"):
        load_region()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("timezone: Asia/Omsk", ["title", "required"]),
        ("title: a", ["timezone", "required"]),
        (
            GOOD + "time_zone: Asia/Omsk",
            ["'time_zone'", "did you mean 'timezone'?", "catalogue, inhabitants, regulations, source, timezone"],
        ),
        ("title: a\ntimezone: Vladivostok", ["timezone", "Asia/Vladivostok"]),
        ("title: a\ntimezone: Asia/Omsk", ["'catalogue.yaml' is not in that folder", "`catalogue: null`"]),
        ("title: a\ntimezone: Asia/Omsk\ncatalogue: other.yaml", ["'other.yaml' is not in that folder"]),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(write: Write, text: str, parts: list[str]):
    write(omsk=text)
    with pytest.raises(ConfigError) as caught:
        load_region()
    for part in ["region.yaml", *parts]:
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("Moscow", "Europe/Moscow"),
        ("asia/kamchatka", "Asia/Kamchatka"),
        ("Asia/Vladivostock", "Asia/Vladivostok"),
        ("Europe", "Europe/Kaliningrad"),
        ("МСК+7", "Asia/Vladivostok"),
        ("", "Europe/Moscow"),
    ],
)
def test_an_unknown_time_zone_is_refused_with_close_ones(name: str, offered: str):
    with pytest.raises(ValueError, match=f"no such time zone.*{offered}"):
        check_timezone(name)
