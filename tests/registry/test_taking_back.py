"""Going back: which version served before, whatever was promoted and taken back since."""

from datetime import UTC, datetime

import pytest

from data.store.promotions import Promotion
from registry.taking_back import ROLLBACK, line_of_champions, taken_back


def log(*steps: tuple[int, bool]) -> list[Promotion]:
    """Promotions in their order: a version, and whether it was gone back to."""
    made, previous = [], None
    for version, back in steps:
        evidence = {ROLLBACK: True, "why": "worse"} if back else {}
        made.append(Promotion("oblast", "oblast.model", version, previous, evidence, "somebody", datetime.now(UTC)))
        previous = version
    return made


UP, BACK = False, True


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        ([], []),
        ([(1, UP), (2, UP), (3, UP)], [1, 2, 3]),
        ([(1, UP), (2, UP), (1, BACK)], [1]),
        ([(1, UP), (2, UP), (3, UP), (2, BACK), (1, BACK)], [1]),
        ([(1, UP), (2, UP), (1, BACK), (3, UP)], [1, 3]),
        ([(1, UP), (2, UP), (1, BACK), (2, UP)], [1, 2]),
        ([(1, UP), (1, UP), (2, UP)], [1, 2]),
        ([(5, UP), (4, BACK)], [5, 4]),
    ],
)
def test_a_rollback_leads_back_and_never_forward(steps, line):
    assert line_of_champions(log(*steps)) == line


def test_a_version_that_was_taken_back_is_known_until_somebody_promotes_it_again():
    promotions = log((1, UP), (2, UP), (1, BACK))
    found = taken_back(promotions, 2)
    assert found is not None
    assert found.evidence["why"] == "worse"
    assert taken_back(promotions, 1) is None
    assert taken_back(log((1, UP), (2, UP), (1, BACK), (2, UP)), 2) is None
