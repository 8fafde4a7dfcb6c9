"""Management decisions, with the evidence that they rest on."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "management_decisions",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("region", "what", "responsible")),
        sa.Column("due_on", sa.Date()),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("result", sa.String()),
        sa.Column("evidence_kind", sa.String()),
        sa.Column("evidence", sa.JSON()),
        sa.Column("author", sa.String(), nullable=False),
        *(sa.Column(name, sa.DateTime(), nullable=False) for name in ("created_at", "changed_at")),
        sa.Column("closed_at", sa.DateTime()),
        sa.PrimaryKeyConstraint("number", name="pk_management_decisions"),
    )
    op.create_index("management_decisions_by_time", "management_decisions", ["region", "created_at"])
