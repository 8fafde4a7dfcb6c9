"""Who asks: the key a request came with, the role it was made for and the regions that it opens."""

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["viewer", "operator", "admin"]
"""Each may what the ones before it may: counts and forecasts; complaints and corrections; the service itself."""
_RANKS = {role: rank for rank, role in enumerate(get_args(Role))}


@dataclass(frozen=True)
class Principal:
    """The identity behind a request.

    Attributes:
        key_id: names the key without saying it: logs and rows may bear it.
        role: what it may do.
        regions: ids of the regions that it opens; None: all.
    """

    key_id: str
    role: Role
    regions: frozenset[str] | None = None

    def has(self, role: Role) -> bool:
        """Whether it may do what this role may."""
        return _RANKS[self.role] >= _RANKS[role]

    def opens(self, region: str) -> bool:
        """Whether it may see this region."""
        return self.regions is None or region in self.regions


LOCAL = Principal(key_id="local", role="admin")
"""This machine's own calls, where the service has no keys."""
ENVIRONMENT = Principal(key_id="environment", role="admin")
"""Whoever has a key of `TSUR_API_KEYS`: all of them may everything."""
