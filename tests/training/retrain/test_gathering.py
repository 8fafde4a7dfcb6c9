"""Gathering: whose label holds, and what is never a label."""

from collections import Counter

import pytest

from data.catalogue.checks import load_catalogue
from data.complaints.files import complaints_frame
from data.errors import InputError
from data.store.corrections import Labels
from tests.training.retrain.small_region import HOLES, REGION, SIGNS, YARDS, catalogue, complaint, correction
from training.retrain.gathering import Gathered, gather
from training.retrain.operators import what_operators_say
from training.retrain.todays_labels import TodaysLabels


@pytest.fixture
def names(tmp_path) -> TodaysLabels:
    return TodaysLabels(load_catalogue(catalogue(tmp_path)))


def gathered(names: TodaysLabels, *files, corrections=(), **options) -> Gathered:
    operators = what_operators_say(corrections, names)
    return gather([complaints_frame(list(file)) for file in files], operators, names, REGION.zone, **options)


def row(found: Gathered, id_: str) -> dict:
    (record,) = found.rows[found.rows["id"] == id_].to_dict("records")
    return record


def labels(found: Gathered, id_: str) -> list:
    record = row(found, id_)
    return [record[head] for head in ("sector", "topic", "agency")]


def origins(found: Gathered, id_: str) -> list:
    record = row(found, id_)
    return [record[f"{head}_origin"] for head in ("sector", "topic", "agency")]


def test_an_operators_word_beats_the_file_and_leaves_what_it_is_silent_about(names):
    said = correction(1, "1", corrected=Labels("Дороги", "Знаки", None))
    found = gathered(names, [complaint(1, HOLES)], corrections=[said])
    assert labels(found, "1") == ["Дороги", "Знаки", "Дорожный комитет"]
    assert origins(found, "1") == ["confirmed", "corrected", "file"], "the sector was right as the model had it"


def test_a_sector_alone_takes_the_topic_of_another_sector_away(names):
    said = correction(1, "1", corrected=Labels("Дворы", None, None))
    found = gathered(names, [complaint(1, HOLES)], corrections=[said])
    assert labels(found, "1") == ["Дворы", None, "Дорожный комитет"]
    assert origins(found, "1") == ["corrected", None, "file"]


def test_right_as_it_was_is_a_label_and_a_models_decision_alone_is_none(names):
    right = correction(1, "7", corrected=Labels(None, None, "Дорожный комитет"))
    found = gathered(names, [complaint(1)], corrections=[right])
    assert labels(found, "7") == [None, None, "Дорожный комитет"], (
        "what the model decided of the topic nobody confirmed"
    )
    assert origins(found, "7") == [None, None, "confirmed"]
    assert row(found, "7")["municipality"] == "Юг"
    assert found.counts["from_store_alone"] == 1


def test_what_a_correction_corrects_is_not_known_any_more_and_it_is_a_label_all_the_same(names):
    said = correction(1, "7", decided=Labels(None, None, None), corrected=Labels(*SIGNS, None))
    assert origins(gathered(names, [], corrections=[said]), "7") == ["corrected", "corrected", None]


def test_of_two_operators_the_newest_word_holds_and_both_are_told(names):
    words = [
        correction(1, "1", corrected=Labels(*SIGNS, None)),
        correction(2, "1", corrected=Labels(*YARDS, None), operator="operator-2"),
        correction(3, "2", corrected=Labels(*SIGNS, None)),
        correction(4, "2", corrected=Labels(*YARDS, None)),
    ]
    found = gathered(names, [], corrections=words)
    assert labels(found, "1") == labels(found, "2") == [*YARDS, None]
    disputed = [(each.id, each.head, each.given, each.other) for each in found.findings if each.kind == "conflict"]
    assert disputed == [("1", "sector", "Дороги", "Дворы"), ("1", "topic", "Знаки", "Ямы")], "2 changed their own mind"
    assert what_operators_say(words, names).overruled == Counter({"operator-1": 2})


def test_the_order_of_writing_decides_when_the_clock_went_back(names):
    earlier, later = complaint(0).created_at, complaint(9).created_at
    words = [
        correction(1, "1", corrected=Labels(*SIGNS, None), received_at=later),
        correction(2, "1", corrected=Labels(*YARDS, None), received_at=earlier),
    ]
    assert labels(gathered(names, [], corrections=words), "1")[:2] == list(YARDS)


def test_two_operators_without_names_may_be_two(names):
    words = [
        correction(1, "1", corrected=Labels(None, None, "Администрация Юга"), operator=None),
        correction(2, "1", corrected=Labels(None, None, "Дорожный комитет"), operator=None),
    ]
    assert gathered(names, [], corrections=words).counts["conflicts"] == 1


def test_of_two_files_the_later_one_holds_and_the_order_of_rows_is_that_of_time(names):
    again = complaint(1, SIGNS)
    found = gathered(names, [complaint(2), complaint(1)], [again, complaint(0)])
    assert found.rows["id"].tolist() == ["0", "1", "2"]
    assert labels(found, "1")[1] == "Знаки"
    assert (found.counts["given_again"], found.counts["given_again_otherwise"]) == (1, 1)


def test_two_sources_may_use_one_id(names):
    found = gathered(names, [complaint(1), complaint(1, SIGNS, source="hotline")])
    assert sorted(found.rows["topic"]) == ["Знаки", "Ямы"]


def test_a_label_that_the_catalogue_does_not_know_is_left_out_and_named(names):
    strange = complaint(1, ("Дороги", "Космос"))
    found = gathered(names, [strange, complaint(2, ("Космос", "Ямы"), agency=None)])
    assert labels(found, "1") == ["Дороги", None, "Дорожный комитет"]
    assert found.rows["id"].tolist() == ["1"]
    told = [(each.kind, each.id, each.head, each.given) for each in found.findings]
    assert told == [
        ("unknown_label", "1", "topic", "Космос"),
        ("unknown_label", "2", "sector", "Космос"),
        ("no_label", "2", None, None),
    ]


def test_an_operators_unknown_label_leaves_the_files(names):
    said = correction(1, "1", corrected=Labels("Космос", "Ямы", None))
    found = gathered(names, [complaint(1, HOLES)], corrections=[said])
    assert labels(found, "1")[:2] == list(HOLES)
    assert [each.head for each in found.findings] == ["sector"]


def test_spelling_is_the_catalogues_and_texts_and_ids_are_masked(names):
    found = gathered(
        names,
        [
            complaint(1, ("ДОРОГИ", "ямы"), municipality="северный", text="Яма, звоните +7 900 123-45-67"),
            complaint(2, id="+7 900 123-45-67"),
        ],
    )
    assert labels(found, "1")[:2] == ["Дороги", "Ямы"]
    assert (row(found, "1")["municipality"], row(found, "1")["text"]) == ("Север", "Яма, звоните [ТЕЛЕФОН]")
    assert [(each.kind, each.id) for each in found.findings] == [("refused_id", "")]


def test_old_labels_take_the_migrations_of_the_catalogue(tmp_path):
    migrations = [
        {
            "day": "2026-04-01",
            "was": [{"sector": "Дороги", "topic": "Провалы"}],
            "now": [{"sector": "Дороги", "topic": "Ямы"}],
        },
        {"day": "2026-04-01", "was": [{"sector": "Дороги", "topic": "Камеры"}]},
    ]
    names = TodaysLabels(load_catalogue(catalogue(tmp_path, migrations=migrations)))
    said = correction(1, "3", corrected=Labels("Дороги", "Провалы", None))
    found = gathered(
        names, [complaint(1, ("дороги", "провалы")), complaint(2, ("Дороги", "Камеры"))], corrections=[said]
    )
    assert labels(found, "1")[:2] == labels(found, "3")[:2] == list(HOLES)
    assert labels(found, "2")[:2] == ["Дороги", None]
    assert names.migrations == {"renamed": 2, "retired": 1}
    assert not found.findings


def test_without_a_catalogue_labels_stay_as_they_came_masked():
    found = gathered(TodaysLabels(None), [complaint(1, ("Космос", "звонить +7 900 123-45-67"))])
    assert labels(found, "1") == ["Космос", "звонить [ТЕЛЕФОН]", "Дорожный комитет"]


def test_what_is_erased_does_not_come_back(names):
    found = gathered(names, [complaint(1), complaint(2)], is_erased=lambda key: key == ("pos", "1"))
    assert found.rows["id"].tolist() == ["2"]
    assert found.counts["erased"] == 1


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([], "none of 0 complaints has a label"),
        ([complaint(1, (None, None), agency=None)], "none of 1 complaints has a label to learn from$"),
        ([complaint(1, ("Космос", None), agency=None)], "sector 'Космос' is not known.*--catalogue names another"),
    ],
)
def test_nothing_to_learn_from_is_refused_with_the_first_reason(names, files, sentence):
    with pytest.raises(InputError, match=sentence):
        gathered(names, files)
