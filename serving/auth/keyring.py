"""The keys that a running worker knows: those of the store, looked at every few seconds, and those of `TSUR_API_KEYS`.

In: the text of a key. Out: its principal. A request costs a hash and a look into a dictionary, never one into the
store: `refresh` brings new and revoked keys and writes down when each was last used (`serving/store_thread.py`). While
the store does not answer, the keys known last go on; before it has answered for the first time, nobody but a key of
`TSUR_API_KEYS` is let in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from data.errors import AccessError, StoreError
from data.store.digests import digest
from data.store.key_text import PREFIX, is_key
from data.store.keys import Key, Keys
from serving.auth.principal import Principal
from serving.auth.roles import ROLES

LAST_USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class _Entry:
    key: Key
    principal: Principal


class KeyRing:
    """The keys of one worker. `principal` is for the event loop, `refresh` for any one thread.

    Args:
        keys: those of the store.
        environment: those of `TSUR_API_KEYS`: each an administrator's of all regions.
    """

    def __init__(self, keys: Keys, environment: Iterable[str] = ()) -> None:
        self._keys = keys
        self._bootstrap = {digest(text): _bootstrap_principal(text) for text in environment}
        self._known: dict[str, _Entry] | None = None
        self._used: dict[int, datetime] = {}
        self._written: dict[int, datetime] = {}

    @property
    def demands_keys(self) -> bool:
        """Whether a caller has to send a key: once one was made one is asked for, revoked or not.

        Raises:
            StoreError: the store has not said yet whether there are keys.
        """
        if self._bootstrap:
            return True
        return bool(self._of_the_store())

    def principal(self, text: str) -> Principal:
        """Who sent this key.

        Raises:
            AccessError: nobody has it, or it is revoked or has ended.
            StoreError: the store has not said yet which keys there are.
        """
        # digests are looked up, not keys: the time of a look-up tells nothing about a key
        name = digest(text)
        if name in self._bootstrap:
            return self._bootstrap[name]
        if text.startswith(PREFIX) and not is_key(text):
            raise AccessError("this API key is mistyped or cut off: its checksum is wrong")
        entry = self._of_the_store().get(name)
        now = datetime.now(UTC)
        if entry is None or not entry.key.opens_at(now):
            raise AccessError("this API key is not known here, or is revoked or has ended")
        self._used[entry.key.number] = now
        return entry.principal

    def principal_of(self, key_id: str) -> Principal:
        """Who has the key of this id: a session begun with it goes on for as long as it opens something.

        Raises:
            AccessError: there is no such key any more, or it is revoked or has ended.
            StoreError: the store has not said yet which keys there are.
        """
        for principal in self._bootstrap.values():
            if principal.key_id == key_id:
                return principal
        now = datetime.now(UTC)
        for entry in self._of_the_store().values():
            if entry.principal.key_id == key_id and entry.key.opens_at(now):
                self._used[entry.key.number] = now
                return entry.principal
        raise AccessError("the key of this session is revoked or has ended: log in with another one")

    def refresh(self) -> None:
        """Ask the store for its keys, and write down which were used.

        Raises:
            StoreError: the store does not answer; the keys known before go on.
        """
        self._known = {key.digest: _Entry(key, _principal(key)) for key in self._keys.all()}
        self._write_uses()

    def _of_the_store(self) -> dict[str, _Entry]:
        if self._known is None:
            raise StoreError("the store, which holds the keys, cannot be read yet; try again later")
        return self._known

    def _write_uses(self) -> None:
        due = {
            number: moment
            for number, moment in self._used.copy().items()
            if number not in self._written or moment - self._written[number] >= LAST_USED_EVERY
        }
        if due:
            self._keys.used(due)
            self._written |= due


def _principal(key: Key) -> Principal:
    role = next((role for role in ROLES if role == key.role), None)
    if role is None:  # of a later version: it opens nothing here
        return Principal(f"key-{key.number}", key.name, "routing", frozenset())
    return Principal(f"key-{key.number}", key.name, role, key.regions)


def _bootstrap_principal(text: str) -> Principal:
    return Principal(f"environment-{digest(text)[:8]}", "TSUR_API_KEYS", "admin")
