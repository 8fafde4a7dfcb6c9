"""The audit: who asked what, and who saw which complaint."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    texts = ("key_id", "key_name", "role", "region", "method", "route")
    op.create_table(
        "audit",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in texts),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit"),
    )
    op.create_index("audit_by_time", "audit", ["at"])
    op.create_table(
        "audit_complaints",
        sa.Column("audit", NUMBER, autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("region", "source", "complaint_id")),
        sa.PrimaryKeyConstraint("audit", "place", name="pk_audit_complaints"),
        sa.ForeignKeyConstraint(["audit"], ["audit.number"], name="fk_audit_complaints_audit"),
    )
    op.create_index("audit_by_complaint", "audit_complaints", ["complaint_id", "region"])
