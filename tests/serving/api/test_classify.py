"""What `/v1/classify` does with places before it asks the model."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from data.catalogue.checks import load_catalogue
from data.catalogue.model import Catalogue
from data.complaints.masking import masked
from data.errors import LabelError
from data.settings import CHECKOUT
from models.classifier.classifier import Classifier
from models.classifier.routing import Reason
from models.classifier.segments import proposals, with_several
from serving.api.v1.classify import Complaint, complaints_of, result_of
from serving.api.v1.classify_types import ClassifyItem, ClassifyResult
from serving.texts import REASONS_RU
from tests.models.classifier.taught import PIT, RUBBISH, TAUGHT, write_taught
from tests.serving.bundles import CATALOGUE


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(CATALOGUE)


def read(place: str | None, catalogue: Catalogue) -> list[Complaint]:
    item = ClassifyItem(text="Не вывозят мусор", municipality=place)
    return complaints_of([item], [masked(item.text)], catalogue)


@pytest.mark.parametrize(
    ("given", "place", "name"),
    [
        ("верхнереченск", "verkhnerechensk", "Верхнереченск"),
        ("verkhnerechensk", "verkhnerechensk", "Верхнереченск"),
        (None, None, None),
    ],
)
def test_a_place_is_the_catalogues(
    catalogue: Catalogue, given: str | None, place: str | None, name: str | None
) -> None:
    (complaint,) = read(given, catalogue)
    assert (complaint.place_id, complaint.municipality) == (place, name)


def test_a_place_that_the_catalogue_lacks_is_refused_with_those_it_has(catalogue: Catalogue) -> None:
    with pytest.raises(LabelError, match=r"items\.0\.municipality.*Каменный Брод"):
        read("Атлантида", catalogue)


@pytest.mark.parametrize(
    ("given", "stored"),
    [("Атлантида", "Атлантида"), (None, None), ("Атлантида, тел. 8 900 123-45-67", "Атлантида, тел. [ТЕЛЕФОН]")],
)
def test_a_catalogue_without_places_refuses_none_and_the_place_is_stored(
    catalogue: Catalogue, given: str | None, stored: str | None
) -> None:
    (complaint,) = read(given, catalogue.model_copy(update={"municipalities": []}))
    assert (complaint.place_id, complaint.municipality) == (None, stored)


def test_every_reason_is_told_in_russian() -> None:
    assert set(REASONS_RU) == set(Reason.__args__)


def test_every_reason_and_every_field_of_a_result_is_documented() -> None:
    reference = (CHECKOUT / "docs" / "reference.md").read_text(encoding="utf-8")
    for name in (*REASONS_RU, *ClassifyResult.model_fields):
        assert f"`{name}`" in reference, name


def test_several_problems_go_to_an_operator_with_a_proposal_each(tmp_path: Path) -> None:
    model = Classifier.load(write_taught(tmp_path / "bundle"))
    text = masked(f"{RUBBISH}; {PIT}")
    complaint = Complaint("pos", "1", text, datetime.now(UTC), place_id=None, municipality=None)
    (whole,) = model.classify([text], [None])
    (parts,) = proposals(model, [text], [None], [whole])
    result = result_of(complaint, with_several(whole, parts), parts, None)
    assert [part.topic.label for part in result.proposals] == [TAUGHT[RUBBISH][1], TAUGHT[PIT][1]]
    assert result.decision == "review"
    assert "several_problems" in result.reasons
    assert any("несколько проблем" in sentence for sentence in result.reasons_ru)
