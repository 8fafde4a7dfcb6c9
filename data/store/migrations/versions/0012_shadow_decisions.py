"""What challengers say of complaints that champions decided."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "shadow_decisions",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("decision", NUMBER, nullable=False),
        *(
            sa.Column(name, sa.String(), nullable=False)
            for name in ("region", "model_version", "outcome", "sector", "topic", "agency")
        ),
        sa.Column("agency_confidence", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_shadow_decisions"),
        sa.ForeignKeyConstraint(["decision"], ["decisions.number"], name="fk_shadow_decisions_decision"),
    )
    op.create_index("shadow_decisions_by_decision", "shadow_decisions", ["decision"])
    op.create_index("shadow_decisions_by_version", "shadow_decisions", ["region", "model_version"])
