"""Regions: they are part of every key; decisions are appended, and corrections say which one they are of.

Rows that were there get the region that the installation names. A correction older than the complaint's one row
was of a decision that is gone: it keeps the complaint, and its decision and version are null.
"""

import sqlalchemy as sa
from alembic import context, op

from data.errors import ConfigError

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OLD = ("decisions", "corrections", "features")
COPY_DECISIONS = """
    INSERT INTO decisions (
        region, source, id, text, municipality, created_at, day, received_at, decision, reasons,
        sector, sector_confidence, topic, topic_confidence, agency, agency_confidence, model_version
    )
    SELECT
        :region, source, id, text, municipality, created_at, day, received_at, decision, reasons,
        sector, sector_confidence, topic, topic_confidence, agency, agency_confidence, model_version
    FROM old_decisions ORDER BY received_at, source, id
"""
COPY_FEATURES = """
    INSERT INTO features (decision, model_version, features)
    SELECT d.number, o.model_version, o.features FROM old_features o
    JOIN decisions d ON d.region = :region AND d.source = o.source AND d.id = o.complaint_id
"""
COPY_CORRECTIONS = """
    INSERT INTO corrections (
        region, source, complaint_id, decision, model_version, sector, topic, agency, operator, received_at
    )
    SELECT
        :region, o.source, o.complaint_id, d.number, d.model_version,
        o.sector, o.topic, o.agency, o.operator, o.received_at
    FROM old_corrections o
    LEFT JOIN decisions d
        ON d.region = :region AND d.source = o.source AND d.id = o.complaint_id AND d.received_at <= o.received_at
    ORDER BY o.number
"""


def upgrade() -> None:
    """Move the old tables aside, create the new ones, copy, drop the old ones."""
    op.drop_index("decisions_by_day", "decisions")
    op.drop_index("corrections_by_complaint", "corrections")
    for name in OLD:
        op.rename_table(name, f"old_{name}")
    _create_decisions()
    _create_features()
    _create_corrections()
    _copy(context.config.attributes["old_region"])
    for name in OLD:
        op.drop_table(f"old_{name}")


def _create_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
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
        sa.PrimaryKeyConstraint("number", name="pk_decisions"),
    )


def _create_features() -> None:
    op.create_table(
        "features",
        sa.Column("decision", NUMBER, autoincrement=False, nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("features", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("decision", name="pk_features"),
        sa.ForeignKeyConstraint(["decision"], ["decisions.number"], name="fk_features_decision"),
    )


def _create_corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("complaint_id", sa.String(), nullable=False),
        sa.Column("decision", NUMBER),
        sa.Column("model_version", sa.String()),
        sa.Column("sector", sa.String()),
        sa.Column("topic", sa.String()),
        sa.Column("agency", sa.String()),
        sa.Column("operator", sa.String()),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_corrections"),
        sa.ForeignKeyConstraint(["decision"], ["decisions.number"], name="fk_corrections_decision"),
    )


def _copy(region: str) -> None:
    connection, given = op.get_bind(), {"region": region}
    if not region and connection.scalar(sa.text("SELECT count(*) FROM old_decisions")):
        raise ConfigError("the store holds complaints of before there were regions: name theirs with TSUR_REGION")
    connection.execute(sa.text(COPY_DECISIONS), given)
    op.create_index("decisions_by_complaint", "decisions", ["region", "source", "id", "number"])
    op.create_index("decisions_by_day", "decisions", ["region", "day"])
    connection.execute(sa.text(COPY_FEATURES), given)
    connection.execute(sa.text(COPY_CORRECTIONS), given)
    op.create_index("corrections_by_complaint", "corrections", ["region", "source", "complaint_id"])
    op.create_index("corrections_by_time", "corrections", ["region", "received_at"])
