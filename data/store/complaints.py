"""Complaints as they stand: the newest decision on each, and where an operator said otherwise, the operator's label.

In: a region and local days. Out: counts per day, and the complaints themselves. Only reads.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Row, case, func, select

from data.store.decisions import DecisionRow
from data.store.features import FeaturesRow, read_features
from data.store.handling import HandlingRow
from data.store.session import Database

UNLIKE = "unlike_training"
"""The reason of a decision on a text whose words the classifier does not know."""


class Complaints:
    """The complaints of the store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_days(self, region: str, first: date, last: date, version: str, limit: int) -> pd.DataFrame:
        """The complaints of these local days by their newest decisions, the oldest first, at most `limit` of the last.

        Columns `number, source, id, text, day, municipality, topic, confidence, unlike, features`; an operator's
        topic counts as sure; features are an array of float32, None where `version` has not read the text.

        Raises:
            StoreError: the database cannot be read.
        """
        row, handled = DecisionRow, HandlingRow
        query = (
            select(row.number, row.source, row.id, row.text, row.day, row.municipality, row.topic, row.reasons)
            .add_columns(row.topic_confidence, case((handled.agrees_topic.is_not(None), handled.topic)).label("label"))
            .add_columns(FeaturesRow.features)
            .join(handled, handled.number == row.number)
            .join(
                FeaturesRow,
                (FeaturesRow.decision == row.number) & (FeaturesRow.model_version == version),
                isouter=True,
            )
            .where(handled.region == region, handled.day.between(first, last))
            .order_by(row.day.desc(), row.created_at.desc(), row.source, row.id)
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return _complaints_frame(rows[::-1])

    def counts(self, region: str, after: date) -> pd.DataFrame:
        """Complaints per local day × source × municipality × sector on the days after `after`, by newest decisions.

        An operator's sector counts, where there is one. Columns `date, source, municipality, sector,
        count`; the municipality is None where none was named; days without complaints have no row.

        Raises:
            StoreError: the database cannot be read.
        """
        row = HandlingRow
        key = (row.day, row.municipality, row.sector, row.source)  # as the index has them: one pass, no sorting
        query = (
            select(row.day, row.source, row.municipality, row.sector, func.count())
            .where(row.region == region, row.day > after)
            .group_by(*key)
            .order_by(*key)
        )
        with self._database.reading() as connection:
            rows = [tuple(row) for row in connection.execute(query)]
        frame = pd.DataFrame(rows, columns=["date", "source", "municipality", "sector", "count"], dtype=object)
        return frame.assign(
            date=pd.to_datetime(frame["date"]).astype("datetime64[ns]"), count=frame["count"].astype("int64")
        )


def _complaints_frame(rows: Sequence[Row[Any]]) -> pd.DataFrame:
    """The columns of `Complaints.of_days`."""
    columns = ["number", "source", "id", "text", "day", "municipality", "topic", "reasons", "confidence"]
    frame = pd.DataFrame([tuple(row) for row in rows], columns=[*columns, "operators", "features"], dtype=object)
    given = frame["operators"].notna()
    unlike = [UNLIKE in reasons and not known for reasons, known in zip(frame["reasons"], given, strict=True)]
    features = [read_features(stored) for stored in frame["features"]]
    return pd.DataFrame(
        {
            "number": frame["number"].astype("int64"),
            **{name: frame[name] for name in ("source", "id", "text", "municipality")},
            "day": pd.to_datetime(frame["day"]).astype("datetime64[ns]"),
            "topic": frame["operators"].where(given, frame["topic"]),
            "confidence": frame["confidence"].astype("float64").where(~given, 1.0),
            "unlike": pd.Series(unlike, dtype=bool),
            "features": pd.Series(features, dtype=object),
        }
    )
