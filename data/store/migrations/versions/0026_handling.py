"""How complaints were handled, one row each: what figures of a span are summed from."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
HEADS = ("sector", "topic", "agency")
WEEK_BEFORE = {
    "sqlite": "datetime(substr(created_at, 1, 19), '-7 days') || substr(created_at, 20)",
    "postgresql": "created_at - interval '7 days'",
}
SAID = """(SELECT c.{head} FROM corrections c
    WHERE c.region = d.region AND c.source = d.source AND c.complaint_id = d.id AND c.{head} IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM undone_corrections u WHERE u.correction = c.number)
    ORDER BY c.number DESC LIMIT 1) AS said_{head}"""
TOLD = "FROM outcomes o WHERE o.region = d.region AND o.source = d.source AND o.complaint_id = d.id"
STANDING = """SELECT d.*, {said},
    (SELECT c.received_at FROM corrections c
     WHERE c.region = d.region AND c.source = d.source AND c.complaint_id = d.id
     AND NOT EXISTS (SELECT 1 FROM undone_corrections u WHERE u.correction = c.number)
     ORDER BY c.number LIMIT 1) AS spoken_at,
    EXISTS (SELECT 1 {told}) AS told,
    (SELECT min(o.at) {told} AND o.event = 'sent') AS sent_at,
    (SELECT min(o.at) {told} AND o.event IN ('answered', 'closed')) AS answered_at,
    (SELECT count(*) {told} AND o.event = 'rerouted') AS reroutings,
    (SELECT o.agency {told} AND o.agency IS NOT NULL ORDER BY o.number DESC LIMIT 1) AS now_at
FROM decisions d WHERE NOT EXISTS (
    SELECT 1 FROM decisions l
    WHERE l.region = d.region AND l.source = d.source AND l.id = d.id AND l.number > d.number)"""
FILL = """INSERT INTO handling (number, region, source, id, municipality, day, decision, created_at, week_before,
    received_at, due_at, sector, topic, agency, agrees_sector, agrees_topic, agrees_agency, spoken_at, told, sent_at,
    answered_at, reroutings)
SELECT number, region, source, id, municipality, day, decision, created_at, {week_before}, received_at, due_at,
    coalesce(said_sector, sector), coalesce(said_topic, topic), coalesce(now_at, said_agency, agency),
    said_sector = sector, said_topic = topic, said_agency = agency, spoken_at, told, sent_at, answered_at, reroutings
FROM ({standing}) AS standing"""


def upgrade() -> None:
    """Drop the indexes that figures needed before (SQLite would fill by the wrong one), create the table, fill it."""
    op.drop_index("decisions_by_due", "decisions")
    op.drop_index("outcomes_by_time", "outcomes")
    op.create_table(
        "handling",
        sa.Column("number", NUMBER, autoincrement=False, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("region", "source", "id")),
        sa.Column("municipality", sa.String()),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        *(sa.Column(name, sa.DateTime(), nullable=False) for name in ("created_at", "week_before", "received_at")),
        sa.Column("due_at", sa.DateTime()),
        *(sa.Column(head, sa.String(), nullable=False) for head in HEADS),
        *(sa.Column(f"agrees_{head}", sa.Boolean()) for head in HEADS),
        sa.Column("spoken_at", sa.DateTime()),
        sa.Column("told", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.DateTime()) for name in ("sent_at", "answered_at")),
        sa.Column("reroutings", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_handling"),
        sa.ForeignKeyConstraint(["number"], ["decisions.number"], name="fk_handling_number"),
    )
    connection = op.get_bind()
    standing = STANDING.format(said=", ".join(SAID.format(head=head) for head in HEADS), told=TOLD)
    connection.exec_driver_sql(FILL.format(week_before=WEEK_BEFORE[connection.dialect.name], standing=standing))
    op.create_index("handling_by_complaint", "handling", ["region", "source", "id"], unique=True)
    op.create_index("handling_by_day", "handling", ["region", "day", "municipality", "sector", "source"])
    op.create_index("handling_by_due", "handling", ["region", "due_at"])
    op.create_index("handling_by_answer", "handling", ["region", "answered_at"])
    op.create_index("handling_by_place", "handling", ["region", "municipality", "topic", "created_at"])
