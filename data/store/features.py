"""Features: what a version of a classifier read of the text of a decision, so that texts can be compared.

In: vectors by the numbers of decisions. Out: through `complaints`. Another version's reading replaces the former one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, ForeignKey
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from data.store.session import Database
from data.store.tables import NUMBER, Table

HALF = "<f2"
"""Half floats are enough to compare texts."""
UPSERTS: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
Floats = npt.NDArray[np.floating]


class FeaturesRow(Table):
    """What `model_version` read of the text of one decision: half floats."""

    __tablename__ = "features"

    decision: Mapped[int] = mapped_column(NUMBER, ForeignKey("decisions.number"), primary_key=True, autoincrement=False)
    model_version: Mapped[str]
    features: Mapped[bytes]


class Features:
    """The features of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, model_version: str, features: Sequence[tuple[int, Floats]]) -> None:
        """Store what a version of the classifier read, by the numbers of decisions.

        Raises:
            StoreError: nothing was stored.
        """
        with self._database.writing() as connection:
            write_features(connection, [(number, model_version, row) for number, row in features])


def write_features(connection: Connection, features: Sequence[tuple[int, str, Floats]]) -> None:
    """Write features in a transaction: number of the decision, version and vector of each."""
    if not features:
        return
    statement = UPSERTS[connection.dialect.name](FeaturesRow)
    replaced = {name: statement.excluded[name] for name in ("model_version", "features")}
    rows = [
        {"decision": number, "model_version": version, "features": row.astype(HALF).tobytes()}
        for number, version, row in features
    ]
    connection.execute(statement.on_conflict_do_update(index_elements=["decision"], set_=replaced), rows)


def read_features(stored: bytes | None) -> Floats | None:
    """Stored features as an array of float32."""
    return None if stored is None else np.frombuffer(stored, HALF).astype("f4")
