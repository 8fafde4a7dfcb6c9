"""An index by which the complaints of a region are paged through, the newest decision first."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the index."""
    op.create_index("decisions_by_number", "decisions", ["region", "number"])
