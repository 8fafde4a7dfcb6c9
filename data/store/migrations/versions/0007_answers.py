"""Answers: what a request under an Idempotency-Key was answered."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0012"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "answers",
        *(sa.Column(name, sa.String(), nullable=False) for name in ("region", "key_id", "name", "content", "answer")),
        sa.Column("complaints", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("region", "key_id", "name", name="pk_answers"),
    )
    op.create_index("answers_by_time", "answers", ["at"])
