"""Keys: what is kept of one is its digest; a revoked or ended one opens nothing; texts tell their typing errors."""

from datetime import UTC, datetime, timedelta

import pytest

from data.errors import InputError
from data.store.digests import digest
from data.store.key_text import is_key, new_key
from data.store.store import Store
from tests.data.store.rows import OTHER, REGION, rows

NOW = datetime.now(UTC)


def test_a_key_is_kept_by_its_digest_alone(store: Store, url: str) -> None:
    number, text = store.keys.make("ПОС", "routing", frozenset({REGION, OTHER}), NOW + timedelta(days=1))
    (key,) = store.keys.all()
    assert (key.number, key.digest, key.name, key.role) == (number, digest(text), "ПОС", "routing")
    assert (key.regions, key.revoked_at, key.last_used_at) == (frozenset({REGION, OTHER}), None, None)
    assert text not in str(rows(url, "select * from keys"))
    assert key.opens_at(NOW)
    assert not key.opens_at(NOW + timedelta(days=1))


def test_a_key_of_all_regions_is_told_from_one_of_none(store: Store) -> None:
    for regions in (None, frozenset[str]()):
        store.keys.make("x", "admin", regions, None)
    assert [key.regions for key in store.keys.all()] == [None, frozenset()]


def test_a_revoked_key_stays_to_be_named_and_opens_nothing(store: Store) -> None:
    number, _ = store.keys.make("x", "admin", None, None)
    assert store.keys.revoke(number).name == "x"
    (key,) = store.keys.all()
    assert not key.opens_at(datetime.now(UTC))
    for again in (store.keys.revoke, lambda n: store.keys.rotate(n, timedelta(0))):
        with pytest.raises(InputError, match=f"key {number} .x. is revoked"):
            again(number)
    with pytest.raises(InputError, match="no key 99"):
        store.keys.revoke(99)


def test_a_rotated_key_ends_after_the_overlap_and_the_new_one_lasts_as_long_as_it_was_to(store: Store) -> None:
    old, _ = store.keys.make("x", "operator", frozenset({REGION}), NOW + timedelta(days=100))
    (before,) = store.keys.all()
    new, text = store.keys.rotate(old, timedelta(hours=2))
    first, second = store.keys.all()
    assert (second.number, second.digest) == (new, digest(text))
    assert (second.name, second.role, second.regions) == (first.name, first.role, first.regions)
    assert first.opens_at(datetime.now(UTC) + timedelta(hours=1.9))
    assert not first.opens_at(datetime.now(UTC) + timedelta(hours=2.1))
    assert second.expires_at is not None
    assert before.expires_at is not None
    lasts = before.expires_at - before.made_at
    assert abs(second.expires_at - second.made_at - lasts) < timedelta(minutes=1)


def test_when_keys_were_used_is_written_for_each(store: Store) -> None:
    numbers = [store.keys.make(name, "admin", None, None)[0] for name in "abc"]
    store.keys.used({numbers[0]: NOW, numbers[2]: NOW + timedelta(minutes=1)})
    assert [key.last_used_at for key in store.keys.all()] == [NOW, None, NOW + timedelta(minutes=1)]


@pytest.mark.parametrize("place", [5, 20, 44, 45, 50])
def test_one_wrong_character_of_a_key_is_told(place: int) -> None:
    text = new_key()
    assert is_key(text)
    wrong = text[:place] + ("b" if text[place] == "a" else "a") + text[place + 1 :]
    assert not is_key(wrong)
    assert not is_key(text[:-1])
    assert not is_key(text + "a")


def test_no_key_is_made_twice() -> None:
    assert len({new_key() for _ in range(1000)}) == 1000
