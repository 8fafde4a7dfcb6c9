"""By when the answer to a decided complaint is due; nobody knows it of decisions that were there before."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0015"


def upgrade() -> None:
    """Add the column, and an index of what is due when."""
    op.add_column("decisions", sa.Column("due_at", sa.DateTime()))
    op.create_index("decisions_by_due", "decisions", ["region", "due_at"])
