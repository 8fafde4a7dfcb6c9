"""Jobs: files that are classified beside the service, and who works on which."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0006"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXTS = ("id", "region", "key_id", "name", "file", "source", "status")
MAYBE_TEXTS = ("date", "error_code", "error")
MAYBE_MOMENTS = ("started_at", "running_since", "finished_at", "leased_until")
NUMBERS = ("bytes", "read_before", "read", "rows", "routed", "rejected", "unplaced")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "jobs",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in TEXTS),
        *(sa.Column(name, sa.String()) for name in MAYBE_TEXTS),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        *(sa.Column(name, sa.DateTime()) for name in MAYBE_MOMENTS),
        *(sa.Column(name, NUMBER, nullable=False) for name in NUMBERS),
        sa.Column("expected", NUMBER),
        sa.Column("model_version", sa.Integer()),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("fruitless", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_jobs"),
    )
    op.create_index("jobs_by_id", "jobs", ["id"], unique=True)
    op.create_index("jobs_by_region", "jobs", ["region", "number"])
    op.create_index("jobs_by_status", "jobs", ["status", "number"])
