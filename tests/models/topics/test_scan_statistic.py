"""The scan: groups with more recent members than chance explains, and only those."""

import numpy as np
import pytest

from models.topics.scan_statistic import LARGEST_SHARE, Bools, Floats, Group, topic_metric, unit, unusual_groups

WIDTH = 24
SMALLEST, HIGHEST_P = 5, 0.05


def groups_of(vectors: Floats, recent: Bools, smallest: int = SMALLEST, highest_p: float = HIGHEST_P) -> list[Group]:
    """The groups where a classifier has named every complaint as one topic."""
    one, every = np.zeros(len(recent), dtype=np.int64), np.ones(len(recent), dtype=bool)
    return unusual_groups(vectors, recent, one, every, smallest, highest_p)


def crowd(topics: int = 12, each: int = 30, noise: float = 1.0, seed: int = 0) -> tuple[Floats, Bools]:
    """Vectors of so many topics, a fifth of each recent."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(topics, WIDTH))
    vectors = np.repeat(centres, each, axis=0) + noise * rng.normal(size=(topics * each, WIDTH))
    return unit(vectors), rng.random(topics * each) < 0.2


def planted(size: int = 12, old: int = 0, seed: int = 0) -> tuple[Floats, Bools]:
    """The crowd, and at its end one more topic with so many recent and so many past members."""
    vectors, recent = crowd(seed=seed)
    rng = np.random.default_rng(seed + 1)
    new = unit(rng.normal(size=WIDTH) + 0.5 * rng.normal(size=(size + old, WIDTH)))
    return np.concatenate([vectors, new]), np.concatenate([recent, np.arange(size + old) < size])


@pytest.mark.parametrize("seed", range(5))
def test_a_new_group_is_found_and_little_else_is_in_it(seed: int):
    vectors, recent = planted(seed=seed)
    (first, *_) = groups_of(vectors, recent)
    ours = first.members >= len(vectors) - 12
    assert ours.sum() >= 9
    assert ours.sum() > 0.5 * recent[first.members].sum()
    assert first.p_value <= HIGHEST_P


def test_texts_with_odd_words_of_their_own_are_found_by_what_they_share():
    """Each lies two and a half times as far from its topic as that from the middle; neighbours average it out."""
    found = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        others, topic = rng.normal(size=(300, 400)), unit(rng.normal(size=400))
        new = topic + 2.5 * unit(rng.normal(size=(12, 400)))
        recent = np.concatenate([rng.random(300) < 0.2, np.ones(12, dtype=bool)])
        groups = groups_of(unit(np.concatenate([others, new])), recent)
        found += max(int((group.members >= 300).sum()) for group in groups)
    assert found >= 67  # of 72; 63 where each text stands alone


def test_the_same_vectors_give_the_same_groups():
    one, other = (groups_of(*planted()) for _ in range(2))
    assert [(group.members.tolist(), group.p_value) for group in one] == [
        (group.members.tolist(), group.p_value) for group in other
    ]


def test_where_nothing_is_new_something_is_found_as_rarely_as_promised():
    runs = [bool(groups_of(*crowd(seed=seed))) for seed in range(60)]
    assert sum(runs) <= 8  # 3 expected; 9 or more in 60 have a chance of 0.4 %


def test_a_group_that_was_there_before_is_not_found():
    vectors, recent = planted(size=12, old=48)
    for group in groups_of(vectors, recent):
        assert (group.members < len(vectors) - 60).mean() > 0.5


def test_groups_do_not_overlap_and_come_the_clearest_first():
    one, two = planted(size=14, seed=3), planted(size=9, seed=4)
    vectors, recent = np.concatenate([one[0], two[0][-9:]]), np.concatenate([one[1], two[1][-9:]])
    groups = groups_of(vectors, recent)
    members = np.concatenate([group.members for group in groups])
    assert len(groups) >= 2
    assert len(np.unique(members)) == len(members)
    assert [group.p_value for group in groups] == sorted(group.p_value for group in groups)


def test_a_group_whose_topic_surges_outside_of_it_too_is_not_found():
    """Half of a known topic's complaints lie close together; all of them are recent, the others of it as well."""
    vectors, recent = planted()
    named = np.repeat(np.arange(13), 30)[: len(vectors)]
    named[-12:] = 0
    every = np.ones(len(recent), dtype=bool)
    assert unusual_groups(vectors, recent, named, every, SMALLEST, HIGHEST_P)
    surging = recent | (named == 0)
    groups = unusual_groups(vectors, surging, named, every, SMALLEST, HIGHEST_P)
    assert not any((group.members >= len(vectors) - 12).mean() > 0.5 for group in groups)


def test_fewer_recent_members_than_the_smallest_are_no_group():
    vectors, recent = planted(size=12)
    for group in groups_of(vectors, recent, 10, 1.0):
        assert recent[group.members].sum() >= 10


def test_a_group_of_a_large_part_of_all_is_no_topic():
    vectors, recent = planted(size=200)
    for group in groups_of(vectors, recent, SMALLEST, 1.0):
        assert len(group.members) <= LARGEST_SHARE * len(vectors)


@pytest.mark.parametrize("rows", [0, 1, 4, 9])
def test_a_handful_of_vectors_has_no_groups(rows: int):
    vectors = unit(np.random.default_rng(0).normal(size=(rows, WIDTH)))
    assert groups_of(vectors, np.ones(rows, dtype=bool), SMALLEST, 1.0) == []


def test_all_recent_or_none_has_no_groups():
    vectors, recent = crowd()
    for everywhere in (np.ones_like(recent), np.zeros_like(recent)):
        assert groups_of(vectors, everywhere) == []


def test_the_metric_makes_little_of_what_differs_inside_topics():
    rng = np.random.default_rng(0)
    topics = np.repeat(np.arange(20), 20)
    signal = np.repeat(rng.normal(size=(20, 4)), 20, axis=0) + 0.3 * rng.normal(size=(400, 4))
    vectors = np.concatenate([signal, 5 * rng.normal(size=(400, 4))], axis=1)
    mapped = vectors @ topic_metric(vectors, topics)

    def signal_to_noise(of: Floats) -> float:
        return float(of[:, :4].std() / of[:, 4:].std())

    assert signal_to_noise(mapped) > 1.5 * signal_to_noise(vectors)


@pytest.mark.parametrize("vectors", [np.ones((3, 4)), np.zeros((1, 4))])
def test_without_scatter_the_metric_is_the_plain_one(vectors: Floats):
    np.testing.assert_array_equal(topic_metric(vectors, np.zeros(len(vectors), dtype=np.int64)), np.eye(4))
