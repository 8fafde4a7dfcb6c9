"""What a route needs: `Depends(requires("operator"))` refuses whoever is not, and hands the endpoint its principal.

The middleware has found out who asks before the body is read (`access.py`); here it is asked whether that is enough.
"""

from typing import Annotated

from fastapi import Depends, Request

from data.errors import AccessError, ForbiddenError
from serving.auth.principal import Principal, Role


class Requires:
    """A dependency of a route. Async, so that it costs no change of threads.

    Attributes:
        role: the least that the caller must be.
    """

    def __init__(self, role: Role) -> None:
        self.role = role

    async def __call__(self, request: Request) -> Principal:
        """The caller, if it may.

        Raises:
            AccessError: nobody has found out who asks.
            ForbiddenError: the key's role or its regions are not enough.
        """
        principal = getattr(request.state, "principal", None)
        if not isinstance(principal, Principal):
            raise AccessError("an API key is needed: send Authorization: Bearer KEY, or X-API-Key: KEY")
        if not principal.has(self.role):
            raise ForbiddenError(f"this key is a {principal.role}'s; this address needs the role {self.role}")
        region = request.app.state.runtime.region.id
        if not principal.opens(region):
            raise ForbiddenError(f"this key does not open the region {region!r} that is served here")
        return principal


def requires(role: Role) -> Requires:
    """The dependency that lets only this role and those above it pass."""
    return Requires(role)


Viewer = Annotated[Principal, Depends(requires("viewer"))]
"""An endpoint's parameter: whoever may see counts and forecasts."""
Operator = Annotated[Principal, Depends(requires("operator"))]
"""An endpoint's parameter: whoever may see and decide complaints."""
