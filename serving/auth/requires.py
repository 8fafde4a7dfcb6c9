"""Whether who asks may: the check in front of every endpoint, and how an endpoint gets its principal.

The middleware finds out who asks (`access.py`) and asks here whether that is enough, before the body is read.
"""

from typing import Annotated

from fastapi import Depends, Request

from data.errors import AccessError, ForbiddenError
from serving.auth.principal import Principal
from serving.auth.roles import ALLOWED, ROLES, Endpoint


def check_allowed(principal: Principal, endpoint: Endpoint, region: str) -> None:
    """Whether this principal may ask this endpoint about this region.

    Raises:
        ForbiddenError: the key's role or its regions are not enough.
    """
    allowed = ALLOWED.get(endpoint, frozenset())
    if principal.role not in allowed:
        roles = ", ".join(role for role in ROLES if role in allowed)
        need = f"needs the role {roles.replace(', ', ' or ')}" if roles else "is open to no role"
        raise ForbiddenError(f"this key has the role {principal.role}; this address {need}")
    if not principal.opens(region):
        raise ForbiddenError(f"this key does not open the region {region!r} that is served here")


async def caller(request: Request) -> Principal:
    """Who asks, whom the middleware has let in. Async, so that it costs no change of threads.

    Raises:
        AccessError: nobody has found out who asks.
    """
    principal = getattr(request.state, "principal", None)
    if not isinstance(principal, Principal):
        raise AccessError("an API key is needed: send Authorization: Bearer KEY, or X-API-Key: KEY")
    return principal


Caller = Annotated[Principal, Depends(caller)]
"""An endpoint's parameter: who asks."""
