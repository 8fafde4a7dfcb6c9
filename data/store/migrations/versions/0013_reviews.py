"""Complaints that wait for an operator, what operators took back, and what was split off messages."""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0014"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DAYS = timedelta(days=30)
COLUMNS = ("region", "source", "id", "decision", "sector", "municipality", "urgent_at", "closed_at")
WAITING = """
SELECT region, source, id, number AS decision, sector, municipality, created_at, due_at,
    (SELECT max(c.received_at) FROM corrections c
     WHERE c.region = d.region AND c.source = d.source AND c.complaint_id = d.id) AS closed_at
FROM decisions d
WHERE decision = 'review' AND NOT EXISTS (
    SELECT 1 FROM decisions l
    WHERE l.region = d.region AND l.source = d.source AND l.id = d.id AND l.number > d.number)
"""


def upgrade() -> None:
    """Create the tables; what is for review and was never corrected waits."""
    op.add_column("corrections", sa.Column("why", sa.String()))
    op.create_table(
        "undone_corrections",
        sa.Column("correction", NUMBER, autoincrement=False, nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("operator", sa.String()),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("correction", name="pk_undone_corrections"),
        sa.ForeignKeyConstraint(["correction"], ["corrections.number"], name="fk_undone_corrections_correction"),
    )
    op.create_table(
        "splits",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("region", "source", "complaint_id", "part_id")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("start", "end")),
        sa.Column("operator", sa.String()),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("undone_at", sa.DateTime()),
        sa.PrimaryKeyConstraint("number", name="pk_splits"),
    )
    op.create_index("splits_by_complaint", "splits", ["region", "source", "complaint_id"])
    _create_reviews()
    _fill_reviews()


def _create_reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("region", "source", "id")),
        sa.Column("decision", NUMBER, nullable=False),
        sa.Column("sector", sa.String(), nullable=False),
        sa.Column("municipality", sa.String()),
        sa.Column("urgent_at", sa.DateTime(), nullable=False),
        sa.Column("closed_at", sa.DateTime()),
        sa.Column("claimed_by", sa.String()),
        *(sa.Column(name, sa.DateTime()) for name in ("claimed_until", "later_until")),
        sa.PrimaryKeyConstraint("number", name="pk_reviews"),
        sa.ForeignKeyConstraint(["decision"], ["decisions.number"], name="fk_reviews_decision"),
    )
    op.create_index("reviews_by_complaint", "reviews", ["region", "source", "id"], unique=True)
    op.create_index("reviews_by_urgency", "reviews", ["region", "closed_at", "urgent_at", "number"])
    kind = ["sector", "municipality", "source", "urgent_at"]
    op.create_index("reviews_by_kind", "reviews", ["region", "closed_at", *kind])
    op.create_index("reviews_by_claim", "reviews", ["region", "claimed_by"])
    op.create_index("reviews_by_decision", "reviews", ["decision"])


def _fill_reviews() -> None:
    """Where no due time is known, an answer is owed 30 days after the complaint, as the law has it."""
    reviews = sa.table("reviews", *map(sa.column, COLUMNS))
    moments = {name: sa.DateTime() for name in ("created_at", "due_at", "closed_at")}
    connection = op.get_bind()
    rows = connection.execute(sa.text(WAITING).columns(**moments)).all()
    values = [
        {name: getattr(row, name, None) for name in COLUMNS} | {"urgent_at": row.due_at or row.created_at + DAYS}
        for row in rows
    ]
    if values:
        connection.execute(reviews.insert(), values)
