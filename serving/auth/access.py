"""Access: which requests need a key, who is behind it, and where the service may listen without keys.

Keys are made by `tsur keys`; those of `TSUR_API_KEYS` open everything, for a first start. Where there are none, the
service is for this machine only. A caller sends `Authorization: Bearer KEY` or `X-API-Key: KEY`, a browser the cookie
of a session that was begun with a key; health, the documentation and the console's files stay open, metrics are open to
this machine.
"""

import ipaddress

from starlette.datastructures import Headers

from data.errors import AccessError, BindingError
from serving.auth.keyring import KeyRing
from serving.auth.principal import LOCAL, Principal

GUARDED = "/v1/"
METRICS = "/metrics"


def is_loopback(host: str | None) -> bool:
    """Whether an address is this machine's own; a name other than `localhost` is not trusted."""
    if host is None:
        return False
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def check_binding(host: str, has_keys: bool) -> None:
    """Refuse to listen beyond this machine without keys.

    Raises:
        BindingError: the host is not loopback and there are no keys.
    """
    if not has_keys and not is_loopback(host):
        raise BindingError(
            f"serving on {host} lets other machines in, so it needs keys: make one with `tsur keys make` "
            "(or set TSUR_API_KEYS), or serve on 127.0.0.1"
        )


def given_key(headers: Headers) -> str | None:
    """The key that a request carries."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return headers.get("x-api-key")


def is_guarded(path: str, client: str | None) -> bool:
    """Whether one has to say here who asks."""
    return f"{path}/".startswith(GUARDED) or (path == METRICS and not is_loopback(client))


def authenticate(
    path: str, client: str | None, headers: Headers, ring: KeyRing, session: Principal | None = None
) -> Principal | None:
    """Who asks; None where nobody has to say so. A key says it before a session does.

    Raises:
        AccessError: a key is needed here, and none or a wrong one was sent.
        StoreError: the store has not said yet which keys there are.
    """
    if not is_guarded(path, client):
        return None
    given = given_key(headers)
    if not ring.demands_keys:
        if is_loopback(client):
            return LOCAL
        raise AccessError("without keys this service answers its own machine only: make one with `tsur keys make`")
    if given is None and session is not None:
        return session
    if given is None:
        raise AccessError("an API key is needed: send Authorization: Bearer KEY, or X-API-Key: KEY")
    return ring.principal(given)
