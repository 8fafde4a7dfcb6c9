"""Regulations are data: by them and the catalogue a complaint is due; what is wrong with one is a sentence."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from data.catalogue.model import Route, Topic
from data.errors import ConfigError
from data.regions.region import Region, load_region
from data.regulations.deadlines import CATALOGUE_BASIS, load_deadlines
from data.regulations.regulation import load_regulation
from data.settings import CHECKOUT

BUNDLED = CHECKOUT / "configs" / "regulations"
MOSCOW = ZoneInfo("Europe/Moscow")
TUESDAY = datetime(2026, 11, 24, 12, tzinfo=MOSCOW)
GOOD = "title: Срок\nbasis: Указ\nsources: [pos]\nterms: {ordinary: {answer: {hours: 8}}}\n"


def topic(hours: int, priority: str = "ordinary") -> Topic:
    return Topic(name="Тема", deadline_hours=hours, priority=priority, routes=[Route(agency="a")])


def region_in(folder: Path, *names: str) -> Region:
    return Region("oblast", "Область", "Europe/Moscow", None, "generic", (), names, (folder,))


@pytest.mark.parametrize(
    ("source", "priority", "due", "interim", "law"),
    [
        ("hotline", "ordinary", "2026-12-24 23:59:59", None, "59-ФЗ"),
        ("hotline", "urgent", "2026-12-24 23:59:59", None, "59-ФЗ"),  # the law knows one term for all
        ("pos", "ordinary", "2026-12-24 23:59:59", None, "№ 1802"),
        ("pos", "urgent", "2026-12-08 23:59:59", None, "№ 1802"),
        ("incident", "ordinary", "2026-11-26 18:00", "2026-11-24 16:00", "социальных сетях"),
        ("incident", "urgent", "2026-11-24 16:00", "2026-11-24 13:00", "социальных сетях"),
    ],
)
def test_the_bundled_regulations_rule_each_source(source, priority, due, interim, law):
    deadline = load_deadlines(load_region()).of(source, topic(24 * 366, priority), TUESDAY)
    assert deadline is not None
    assert deadline.due_at == datetime.fromisoformat(due).replace(tzinfo=MOSCOW)
    assert deadline.interim_due_at == (interim and datetime.fromisoformat(interim).replace(tzinfo=MOSCOW))
    assert law in deadline.basis
    assert deadline.due_at.tzinfo == UTC


def test_the_topics_own_deadline_holds_where_it_is_the_earlier_one():
    deadlines = load_deadlines(load_region())
    deadline = deadlines.of("pos", topic(72), TUESDAY)
    assert deadline is not None
    assert (deadline.due_at, deadline.basis) == (TUESDAY + timedelta(hours=72), CATALOGUE_BASIS)


def test_no_answer_is_owed_where_the_catalogue_says_so():
    assert load_deadlines(load_region()).of("pos", topic(0), TUESDAY) is None


def test_without_a_known_topic_the_source_alone_decides():
    deadlines = load_deadlines(load_region())
    assert deadlines.of("pos", None, TUESDAY) == deadlines.of("pos", topic(24 * 366), TUESDAY)


def test_a_region_without_regulations_keeps_to_its_catalogue():
    deadlines = load_deadlines(replace(load_region(), regulations=()))
    assert deadlines.of("pos", None, TUESDAY) is None
    assert deadlines.of("pos", topic(24), TUESDAY) is not None


def test_a_regions_own_file_goes_before_the_bundled_one(tmp_path: Path):
    (tmp_path / "pp-1802.yaml").write_text(GOOD, encoding="utf-8")
    assert load_regulation("pp-1802", tmp_path, BUNDLED).basis == "Указ"
    assert "1802" in load_regulation("pp-1802", tmp_path / "none", BUNDLED).basis


@pytest.mark.parametrize("name", sorted(path.stem for path in BUNDLED.glob("*.yaml")))
def test_every_bundled_regulation_loads_and_quotes_its_law(name: str):
    regulation = load_regulation(name, BUNDLED)
    assert regulation.title
    assert regulation.basis


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("{hours: 8}", "{hours: 8, working_days: 1}", "name exactly one of hours, working_hours"),
        ("{hours: 8}", "{}", "name exactly one of hours"),
        ("{hours: 8}", "{hours: 0}", "greater than or equal to 1"),
        ("{hours: 8}", "{days: 8}", "unknown key"),
        ("ordinary", "urgent", "the priority 'ordinary' is missing"),
        ("ordinary", "normal", "'ordinary' or 'urgent'"),
        ("[pos]", "[post]", "sources"),
        ("[pos]", "[]", "sources"),
        ("basis: Указ\n", "", "basis: Field required"),
        ("title", "working_time: {opens: '18:00', closes: '09:00'}\ntitle", "closes 09:00 must be more than an hour"),
        ("title", "working_time: {closes: 18:00}\ntitle", "write the time in quotes"),
        ("title", "day_off: never\ntitle", "day_off"),
    ],
)
def test_what_is_wrong_with_a_regulation_is_one_sentence_with_its_file(
    tmp_path: Path, old: str, new: str, sentence: str
):
    (tmp_path / "own.yaml").write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"own\.yaml: .*{sentence}"):
        load_regulation("own", tmp_path)


def test_an_unknown_regulation_is_refused_with_the_known_ones():
    region = replace(load_region(), regulations=("59-fs",))
    with pytest.raises(ConfigError, match="'59-fs' is not known: known are 59-fz, pp-1802, social-networks"):
        load_deadlines(region)


def test_two_regulations_of_one_source_are_refused(tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(ConfigError, match="regulations 'one' and 'two' both rule the source 'pos'"):
        load_deadlines(region_in(tmp_path, "one", "two"))
