"""What people write about surges, and what they decide about proposed topics."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0019"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "surge_notes",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("region", "kind", "municipality", "sector")),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("noted_at", sa.DateTime(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("key_id", "author", "note")),
        sa.PrimaryKeyConstraint("number", name="pk_surge_notes"),
    )
    op.create_index("surge_notes_by_region", "surge_notes", ["region", "number"])
    op.create_table(
        "topic_verdicts",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("region", "verdict", "title", "sector")),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("complaints", sa.JSON(), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("key_id", "author", "note")),
        sa.PrimaryKeyConstraint("number", name="pk_topic_verdicts"),
    )
    op.create_index("topic_verdicts_by_region", "topic_verdicts", ["region", "number"])
