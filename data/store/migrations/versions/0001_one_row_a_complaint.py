"""The tables before regions: one row a complaint. A store made before there were migrations has them already."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create what is missing."""
    _create_decisions()
    _create_corrections()
    _create_features()


def _create_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("source", sa.String(), primary_key=True),
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("municipality", sa.String()),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("sector", sa.String(), nullable=False),
        sa.Column("sector_confidence", sa.Double(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("topic_confidence", sa.Double(), nullable=False),
        sa.Column("agency", sa.String(), nullable=False),
        sa.Column("agency_confidence", sa.Double(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        if_not_exists=True,
    )
    op.create_index("decisions_by_day", "decisions", ["day"], if_not_exists=True)


def _create_corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("complaint_id", sa.String(), nullable=False),
        sa.Column("sector", sa.String()),
        sa.Column("topic", sa.String()),
        sa.Column("agency", sa.String()),
        sa.Column("operator", sa.String()),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        if_not_exists=True,
    )
    op.create_index("corrections_by_complaint", "corrections", ["source", "complaint_id"], if_not_exists=True)


def _create_features() -> None:
    op.create_table(
        "features",
        sa.Column("source", sa.String(), primary_key=True),
        sa.Column("complaint_id", sa.String(), primary_key=True),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("features", sa.LargeBinary(), nullable=False),
        if_not_exists=True,
    )
