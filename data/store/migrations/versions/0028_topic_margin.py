"""How near the two likeliest topics of a waiting complaint are: the nearest can be asked for first."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Add the column and its index; of what waits already nobody knows it."""
    op.add_column("reviews", sa.Column("topic_margin", sa.Double(), nullable=False, server_default="1"))
    op.create_index("reviews_by_margin", "reviews", ["region", "closed_at", "topic_margin", "number"])
