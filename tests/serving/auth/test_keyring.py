"""The keys of a running worker: what the store says reaches it, a store that is gone takes nothing away."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data.errors import AccessError, StoreError
from data.store.keys import Keys
from data.store.store import Store
from serving.auth.keyring import LAST_USED_EVERY, KeyRing
from tests.serving.bundles import REGION


def test_a_key_opens_from_one_refresh_on_and_after_its_revocation_no_more(url: str) -> None:
    store = Store(url, REGION)
    ring = KeyRing(store.keys)
    ring.refresh()
    assert not ring.demands_keys
    number, text = store.keys.make("ПОС", "routing", frozenset({REGION}), None)
    with pytest.raises(AccessError, match="not known"):
        ring.principal(text)
    ring.refresh()
    who = ring.principal(text)
    assert (who.key_id, who.name, who.role, who.regions) == (f"key-{number}", "ПОС", "routing", frozenset({REGION}))
    store.keys.revoke(number)
    ring.refresh()
    with pytest.raises(AccessError, match="revoked"):
        ring.principal(text)
    assert ring.demands_keys, "the last key's revocation does not open the service to everybody"
    store.close()


def test_a_key_ends_without_a_look_into_the_store(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/store.db", REGION)
    _, text = store.keys.make("x", "admin", None, datetime.now(UTC) - timedelta(seconds=1))
    ring = KeyRing(store.keys)
    ring.refresh()
    with pytest.raises(AccessError, match="has ended"):
        ring.principal(text)


def test_a_key_of_an_unknown_role_opens_nothing(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/store.db", REGION)
    _, text = store.keys.make("x", "superuser", None, None)
    ring = KeyRing(store.keys)
    ring.refresh()
    assert not ring.principal(text).opens(REGION)


def test_the_last_use_is_written_once_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(f"sqlite:///{tmp_path}/store.db", REGION)
    number, text = store.keys.make("x", "admin", None, None)
    written: list[dict[int, datetime]] = []
    really_used = Keys.used

    def used(self: Keys, moments: dict[int, datetime]) -> None:
        written.append(dict(moments))
        really_used(self, moments)

    monkeypatch.setattr(Keys, "used", used)
    ring = KeyRing(store.keys)
    ring.refresh()
    for _ in range(3):
        ring.principal(text)
        ring.refresh()
    assert [list(moments) for moments in written] == [[number]]
    ring._used[number] += LAST_USED_EVERY
    ring.refresh()
    assert len(written) == 2
    (key,) = store.keys.all()
    assert key.last_used_at == written[-1][number]


def test_while_the_store_is_gone_the_keys_known_last_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    store = Store(f"sqlite:///{folder}/store.db", REGION)
    _, text = store.keys.make("x", "admin", None, None)
    ring = KeyRing(store.keys)
    ring.refresh()
    ring._keys = Store(f"sqlite:///{tmp_path}/store/store.db/x.db", REGION).keys
    with pytest.raises(StoreError):
        ring.refresh()
    assert ring.principal(text).name == "x"


def test_before_the_store_has_answered_only_keys_of_the_environment_open(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    keys = Store(f"sqlite:///{tmp_path}/file/store.db", REGION).keys
    with pytest.raises(StoreError):
        _ = KeyRing(keys).demands_keys
    ring = KeyRing(keys, ["first-key"])
    assert ring.demands_keys
    assert ring.principal("first-key").role == "admin"
    with pytest.raises(StoreError):
        ring.principal("another")


def test_a_mistyped_key_is_told_as_such(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/store.db", REGION)
    _, text = store.keys.make("x", "admin", None, None)
    ring = KeyRing(store.keys)
    ring.refresh()
    with pytest.raises(AccessError, match="mistyped"):
        ring.principal(text[:-1] + ("a" if text[-1] != "a" else "b"))
