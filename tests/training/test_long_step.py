"""A long step says where it is: often enough that none is silent for ten seconds, seldom enough to be read."""

import pytest

from training.long_step import SAY_EVERY_SECONDS, Counted, LongStep, within


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set."""
    now = [100.0]
    monkeypatch.setattr("training.long_step.time.monotonic", lambda: now[0])
    return now


def test_a_long_step_says_where_it_is_every_few_seconds(clock: list[float]):
    said: list[str] = []
    with LongStep("fitting the n-grams", said.append) as tell:
        for second in range(30):
            clock[0] = 100.0 + second
            tell(f"text {second}")
    assert said == [f"fitting the n-grams: text {second}" for second in (8, 16, 24)]
    assert SAY_EVERY_SECONDS < 10


def test_a_short_step_says_nothing(clock: list[float]):
    said: list[str] = []
    with LongStep("fitting the n-grams", said.append) as tell:
        tell("text 1")
    assert said == []


def test_a_step_inside_another_names_both():
    said: list[str] = []
    inside = within(within(said.append, "fold 2 of 5"), "topic")
    assert list(Counted([3, 5], "row", inside)) == [3, 5]
    assert said == ["fold 2 of 5, topic, row 1 of 2", "fold 2 of 5, topic, row 2 of 2"]
