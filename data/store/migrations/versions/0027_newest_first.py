"""Complaints are paged through by their handling, the newest decision first: the index is there now."""

from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Create the index, drop the one that nothing reads any more."""
    op.create_index("handling_by_number", "handling", ["region", "number"])
    op.drop_index("decisions_by_number", "decisions")
