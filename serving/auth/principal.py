"""Who asks: the key a request came with, the role it was made for and the regions that it opens."""

from dataclasses import dataclass

from serving.auth.roles import Role


@dataclass(frozen=True)
class Principal:
    """The identity behind a request.

    Attributes:
        key_id: names the key without saying it: logs and rows may bear it.
        name: whose key it is, for people.
        role: what it may do.
        regions: ids of the regions that it opens; None: all.
    """

    key_id: str
    name: str
    role: Role
    regions: frozenset[str] | None = None

    def opens(self, region: str) -> bool:
        """Whether it may see this region."""
        return self.regions is None or region in self.regions


LOCAL = Principal(key_id="local", name="this machine", role="admin")
"""This machine's own calls, where the service has no keys."""
