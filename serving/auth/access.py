"""Access: which requests need a key, who is behind it, and where the service may listen without keys.

Keys come from `TSUR_API_KEYS`. With none set, the service is for this machine only. A caller sends
`Authorization: Bearer KEY` or `X-API-Key: KEY`; health and the documentation stay open, metrics
are open to this machine.
"""

import hmac
import ipaddress
from collections.abc import Set as AbstractSet

from starlette.datastructures import Headers

from data.errors import AccessError, BindingError
from serving.auth.principal import ENVIRONMENT, LOCAL, Principal

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


def check_binding(host: str, keys: AbstractSet[str]) -> None:
    """Refuse to listen beyond this machine without keys.

    Raises:
        BindingError: the host is not loopback and no keys are set.
    """
    if not keys and not is_loopback(host):
        raise BindingError(
            f"serving on {host} lets other machines in, so it needs keys: set TSUR_API_KEYS "
            "(comma-separated), or serve on 127.0.0.1"
        )


def given_key(headers: Headers) -> str | None:
    """The key that a request carries."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return headers.get("x-api-key")


def authenticate(path: str, client: str | None, headers: Headers, keys: AbstractSet[str]) -> Principal | None:
    """Who asks; None where nobody has to say so.

    Raises:
        AccessError: a key is needed here, and none or a wrong one was sent.
    """
    guarded = f"{path}/".startswith(GUARDED) or (path == METRICS and not is_loopback(client))
    if not guarded:
        return None
    if not keys and is_loopback(client):
        return LOCAL
    if not keys:
        raise AccessError("this service has no keys, so it answers its own machine only: set TSUR_API_KEYS")
    given = given_key(headers)
    if given is None:
        raise AccessError("an API key is needed: send Authorization: Bearer KEY, or X-API-Key: KEY")
    # every key is compared, each in constant time, so that the time tells nothing
    matches = [hmac.compare_digest(given.encode(), key.encode()) for key in keys]
    if not any(matches):
        raise AccessError("this API key is not known here")
    return ENVIRONMENT
