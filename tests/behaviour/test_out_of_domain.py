"""What no citizen would write must not be sent to an agency unseen: a person reads it first."""

import pytest

from models.classifier.classifier import Classifier
from tests.behaviour.out_of_domain import OUT_OF_DOMAIN

NOT_A_COMPLAINT = "Не жалоба"


@pytest.mark.parametrize(
    ("kind", "least"),
    [("latin", 0.95), ("cyrillic_foreign", 0.9), ("gibberish", 0.95), ("machine", 0.9)],
)
def test_what_is_no_russian_message_goes_to_review(classifier: Classifier, kind: str, least: float) -> None:
    found = classifier.classify(OUT_OF_DOMAIN[kind])
    assert sum(item.decision == "review" for item in found) / len(found) >= least


@pytest.mark.parametrize("kind", ["other_russian", "adverts"])
def test_russian_that_is_no_complaint_is_not_routed_as_one(classifier: Classifier, kind: str) -> None:
    found = classifier.classify(OUT_OF_DOMAIN[kind])
    wrong = [item for item in found if item.decision == "route" and item.sector.label != NOT_A_COMPLAINT]
    assert len(wrong) / len(found) <= 0.1


@pytest.mark.parametrize("kind", ["latin", "gibberish"])
def test_the_reason_says_that_the_text_is_unlike_training(classifier: Classifier, kind: str) -> None:
    found = classifier.classify(OUT_OF_DOMAIN[kind])
    assert sum("unlike_training" in item.reasons for item in found) / len(found) >= 0.9
