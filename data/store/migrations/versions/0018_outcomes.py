"""Outcomes: what became of complaints."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0013"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "outcomes",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("region", "source", "complaint_id", "event")),
        sa.Column("at", sa.DateTime()),
        sa.Column("nth", sa.Integer(), nullable=False),
        sa.Column("agency", sa.String()),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_outcomes"),
    )
    op.create_index("outcomes_by_complaint", "outcomes", ["region", "source", "complaint_id"])
    op.create_index("outcomes_by_time", "outcomes", ["region", "event", "at"])
