"""Sessions of the console: a cookie that stands for a key, for some hours, while the key opens something.

In: the token of a request's cookie. Out: the principal of the key behind it, with the same role, regions, rate and
audit. A worker knows the living sessions as it knows the keys (`serving/store_thread.py`); one that another worker has
just begun is looked for in the store once. The cookie is `HttpOnly` and `SameSite=Strict`, and whatever changes
something needs a header besides, which no foreign page can send: no request is forged.
"""

from datetime import UTC, datetime, timedelta
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers

from data.errors import AccessError, ForbiddenError
from data.store.digests import digest
from data.store.sessions import Session, Sessions
from serving.auth.keyring import KeyRing
from serving.auth.principal import Principal

COOKIE = "tsur_session"
PAGE_HEADER = "X-Console"
"""Sent by the console's own pages with every request; its value says nothing."""
READING = ("GET", "HEAD", "OPTIONS")


class SessionRing:
    """The living sessions of one worker. `known` is for the event loop, the others for any thread.

    Args:
        sessions: those of the store.
        keys: what keys open.
        hours: how long a session lasts.
    """

    def __init__(self, sessions: Sessions, keys: KeyRing, hours: float) -> None:
        self._sessions = sessions
        self._keys = keys
        self._known: dict[str, Session] = {}
        self.lasts = timedelta(hours=hours)

    def known(self, token: str) -> bool:
        """Whether this worker knows the session already."""
        return digest(token) in self._known

    def principal(self, token: str) -> Principal:
        """Who is logged in by this token.

        Raises:
            AccessError: the session is over, or its key is revoked or has ended.
            StoreError: the store has not said yet which keys there are.
        """
        session = self._known.get(digest(token))
        if session is None or session.expires_at <= datetime.now(UTC):
            raise AccessError("this session is over: log in again")
        return self._keys.principal_of(session.key_id)

    def begin(self, principal: Principal) -> str:
        """Begin a session; its token.

        Raises:
            StoreError: nothing was stored.
        """
        token = self._sessions.begin(principal.key_id, datetime.now(UTC) + self.lasts)
        self.refresh()
        return token

    def end(self, token: str) -> None:
        """End a session, here at once, in other workers within seconds.

        Raises:
            StoreError: it goes on.
        """
        self._sessions.end(digest(token))
        self.refresh()

    def refresh(self) -> None:
        """Ask the store which sessions there are.

        Raises:
            StoreError: the store does not answer; those known before go on.
        """
        self._known = {session.digest: session for session in self._sessions.living()}


def session_token(headers: Headers) -> str | None:
    """The token of the console's cookie, if the request has one."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel is not None and morsel.value else None


def check_own_page(method: str, headers: Headers) -> None:
    """Whether a request that came with a cookie is one of the console's own pages'.

    Raises:
        ForbiddenError: it changes something, and another site's page may have sent it.
    """
    if method in READING:
        return
    if PAGE_HEADER not in headers or headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise ForbiddenError(
            f"with a session's cookie only the console's own pages may change anything ({PAGE_HEADER})"
        )
