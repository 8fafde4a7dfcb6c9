"""What `/v1/classify` does with places before it asks the model."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from data.catalogue.checks import load_catalogue
from data.catalogue.model import Catalogue
from data.complaints.masking import masked
from data.settings import CHECKOUT
from models.classifier.classifier import Classifier
from models.classifier.routing import Reason
from models.classifier.segments import proposals, with_several
from serving.api.v1.classify import problems_of_item, read_items
from serving.api.v1.classify_result import PLACE_NOTES, Complaint, result_of
from serving.api.v1.classify_types import ClassifyItem, ClassifyResult
from serving.api.v1.items import RefusedItem
from serving.texts import REASONS_RU
from tests.models.classifier.taught import PIT, RUBBISH, TAUGHT, write_taught
from tests.serving.bundles import CATALOGUE


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(CATALOGUE)


def read(place: str | None, catalogue: Catalogue) -> Complaint:
    (complaint,) = read_items([ClassifyItem(text="Не вывозят мусор", municipality=place)], catalogue, 100)
    assert isinstance(complaint, Complaint)
    return complaint


@pytest.mark.parametrize(
    ("given", "place", "name", "note"),
    [
        ("верхнереченск", "verkhnerechensk", "Верхнереченск", None),
        ("г. Верхнереченск", "verkhnerechensk", "Верхнереченск", None),
        ("verkhnerechensk", "verkhnerechensk", "Верхнереченск", None),
        ("Атлантида", None, None, "unknown_municipality"),
        (None, None, None, "no_municipality"),
        (" ", None, None, "no_municipality"),
    ],
)
def test_a_place_is_the_catalogues_and_without_one_the_complaint_goes_on_and_says_so(
    catalogue: Catalogue, given: str | None, place: str | None, name: str | None, note: str | None
) -> None:
    complaint = read(given, catalogue)
    assert (complaint.place_id, complaint.municipality, complaint.note) == (place, name, note)


@pytest.mark.parametrize(
    ("given", "stored"),
    [("Атлантида", "Атлантида"), (None, None), ("Атлантида, тел. 8 900 123-45-67", "Атлантида, тел. [ТЕЛЕФОН]")],
)
def test_a_catalogue_without_places_refuses_none_and_the_place_is_stored(
    catalogue: Catalogue, given: str | None, stored: str | None
) -> None:
    complaint = read(given, catalogue.model_copy(update={"municipalities": []}))
    assert (complaint.place_id, complaint.municipality, complaint.note) == (None, stored, None)


def test_this_installations_limit_of_characters_is_kept() -> None:
    item = ClassifyItem(text="Яма на дороге")
    assert problems_of_item(item, masked(item.text), 13, set()) == {}
    assert problems_of_item(item, masked(item.text), 12, set()) == {"text": "the text is longer than 12 characters"}


def test_every_reason_is_told_in_russian() -> None:
    assert set(REASONS_RU) == set(Reason.__args__)


def test_every_reason_and_every_field_of_a_result_is_documented() -> None:
    reference = (CHECKOUT / "docs" / "reference.md").read_text(encoding="utf-8")
    for name in (*REASONS_RU, *PLACE_NOTES, *ClassifyResult.model_fields, *RefusedItem.model_fields):
        assert f"`{name}`" in reference, name


def test_several_problems_go_to_an_operator_with_a_proposal_each(tmp_path: Path) -> None:
    model = Classifier.load(write_taught(tmp_path / "bundle"))
    text = masked(f"{RUBBISH}; {PIT}")
    complaint = Complaint("pos", "1", text, datetime.now(UTC), place_id=None, municipality=None)
    (whole,) = model.classify([text], [None])
    (parts,) = proposals(model, [text], [None], [whole])
    result = result_of(complaint, with_several(whole, parts), parts, None, None)
    assert [part.topic.label for part in result.proposals] == [TAUGHT[RUBBISH][1], TAUGHT[PIT][1]]
    assert result.decision == "review"
    assert "several_problems" in result.reasons
    assert any("несколько проблем" in sentence for sentence in result.reasons_ru)
