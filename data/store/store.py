"""The store: every decision and every operator's correction, with masked texts.

In: decisions, corrections. Out: counts per day and source. A complaint is accepted when it is stored: where the
store cannot be written, `/v1/classify` answers 503 and the sender sends again. A complaint's id
is unique within its source; sending it again replaces the decision. SQLite (WAL) by default,
PostgreSQL by URL.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Lock
from typing import Any, NewType
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Connection, Engine, Subquery, create_engine, event, func, insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute

from data.complaints.cleaning import clean_text
from data.complaints.masking import mask
from data.errors import ConfigError, StoreError, UnknownComplaintError
from data.store.tables import CorrectionRow, DecisionRow, FeaturesRow, Table

UNLIKE = "unlike_training"
HALF = "<f2"
INSERTS: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
LOCK_SECONDS = 10
Floats = npt.NDArray[np.floating]
MaskedText = NewType("MaskedText", str)
"""A text that `masked` has made: the only kind that is classified and stored."""


def masked(text: str) -> MaskedText:
    """The text as training reads it: cleaned, without personal data. The one place that makes it so."""
    return MaskedText(mask(clean_text(text)))


@dataclass(frozen=True)
class Decision:
    """A decision to store."""

    source: str
    id: str
    text: MaskedText
    municipality: str | None
    created_at: datetime
    decision: str
    reasons: list[str]
    sector: str
    sector_confidence: float
    topic: str
    topic_confidence: float
    agency: str
    agency_confidence: float
    model_version: str
    features: Floats | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Correction:
    """A correction to store."""

    source: str
    complaint_id: str
    sector: str | None
    topic: str | None
    agency: str | None
    operator: str | None


class Store:
    """Decisions and corrections in one database. Thread-safe.

    Args:
        url: SQLAlchemy URL.
        timezone: whose midnight ends a day.

    Raises:
        ConfigError: the URL is malformed or its driver is not installed.
    """

    def __init__(self, url: str, timezone: str = "Europe/Moscow") -> None:
        self._zone = ZoneInfo(timezone)
        self._engine = _engine(url)
        insert_or_replace = INSERTS[self._engine.dialect.name]
        self._save_decision = _upsert(insert_or_replace, DecisionRow, ["source", "id"])
        self._save_features = _upsert(insert_or_replace, FeaturesRow, ["source", "complaint_id"])
        self._prepared = False
        self._lock = Lock()

    def prepare(self) -> None:
        """Create the tables where they are missing.

        Raises:
            StoreError: the database cannot be reached or written.
        """
        with self._lock:
            if self._prepared:
                return
            with _as_store_error("prepared"):
                if self._engine.dialect.name == "sqlite" and self._engine.url.database:
                    Path(self._engine.url.database).parent.mkdir(parents=True, exist_ok=True)
                Table.metadata.create_all(self._engine)
            self._prepared = True

    def save_decisions(self, decisions: Sequence[Decision]) -> None:
        """Store decisions, replacing those on the same complaints; all or none.

        Raises:
            StoreError: nothing was stored.
        """
        now = _naive(datetime.now(UTC))
        rows = [
            {name: value for name, value in vars(decision).items() if name != "features"}
            | {
                "created_at": _naive(decision.created_at),
                "day": decision.created_at.astimezone(self._zone).date(),
                "received_at": now,
            }
            for decision in decisions
        ]
        with self._transaction("written") as connection:
            connection.execute(self._save_decision, rows)
            read = [(d.source, d.id, d.model_version, d.features) for d in decisions if d.features is not None]
            self._write_features(connection, read)

    def save_features(self, read: Sequence[tuple[str, str, str, Floats]]) -> None:
        """Store what a version of the classifier read: source, id, version and features of each complaint.

        Raises:
            StoreError: nothing was stored.
        """
        with self._transaction("written") as connection:
            self._write_features(connection, read)

    def _write_features(self, connection: Connection, read: Sequence[tuple[str, str, str, Floats]]) -> None:
        columns = ("source", "complaint_id", "model_version", "features")
        rows = [dict(zip(columns, (*key, row.astype(HALF).tobytes()), strict=True)) for *key, row in read]
        if rows:
            connection.execute(self._save_features, rows)

    def decided(self, first: date, last: date, version: str, limit: int) -> pd.DataFrame:
        """The newest complaints of these local days, the oldest first, with what `version` read of them.

        Columns `source, id, text, day, municipality, topic, confidence, unlike, features`; an operator's topic
        counts as sure; features are an array of float32, None where another version read the complaint.

        Raises:
            StoreError: the database cannot be read.
        """
        corrected = _corrected(CorrectionRow.topic)
        row, key = DecisionRow, (FeaturesRow.source, FeaturesRow.complaint_id)
        same = (corrected.c.source == row.source) & (corrected.c.complaint_id == row.id)
        its = (key[0] == row.source) & (key[1] == row.id) & (FeaturesRow.model_version == version)
        query = (
            select(row.source, row.id, row.text, row.day, row.municipality, row.topic, row.topic_confidence)
            .add_columns(row.reasons, corrected.c.topic, FeaturesRow.features)
            .join(corrected, same, isouter=True)
            .join(FeaturesRow, its, isouter=True)
            .where(row.day.between(first, last))
            .order_by(row.day.desc(), row.created_at.desc(), row.source, row.id)
            .limit(limit)
        )
        with self._transaction("read") as connection:
            rows = [tuple(found) for found in connection.execute(query)][::-1]
        return _as_searched(rows)

    def save_corrections(self, corrections: Sequence[Correction]) -> None:
        """Store corrections; all or none.

        Raises:
            UnknownComplaintError: a complaint was never classified; names all such ids.
            StoreError: nothing was stored.
        """
        now = _naive(datetime.now(UTC))
        keys = [(correction.source, correction.complaint_id) for correction in corrections]
        key = tuple_(DecisionRow.source, DecisionRow.id)
        with self._transaction("written") as connection:
            found = connection.execute(select(DecisionRow.source, DecisionRow.id).where(key.in_(keys)))
            known = {(row.source, row.id) for row in found}
            missing = {f"items.{n}.id": f"{k[1]!r} of source {k[0]!r}" for n, k in enumerate(keys) if k not in known}
            if missing:
                raise UnknownComplaintError(
                    f"no complaint {next(iter(missing.values()))} was classified here; nothing was stored", **missing
                )
            rows = [
                asdict(correction) | {"operator": mask(correction.operator or "") or None, "received_at": now}
                for correction in corrections
            ]
            connection.execute(insert(CorrectionRow), rows)

    def delivered(self, after: date) -> pd.DataFrame:
        """Complaints per local day × source × municipality × sector on the days after `after`.

        An operator's sector counts, where there is one. Columns `date, source, municipality, sector,
        count`; the municipality is None where none was named; days without complaints have no row.

        Raises:
            StoreError: the database cannot be read.
        """
        corrected = _corrected(CorrectionRow.sector)
        sector = func.coalesce(corrected.c.sector, DecisionRow.sector)
        key = (DecisionRow.day, DecisionRow.source, DecisionRow.municipality, sector)
        same = (corrected.c.source == DecisionRow.source) & (corrected.c.complaint_id == DecisionRow.id)
        query = (
            select(*key, func.count())
            .join(corrected, same, isouter=True)
            .where(DecisionRow.day > after)
            .group_by(*key)
            .order_by(DecisionRow.municipality, sector, DecisionRow.day, DecisionRow.source)
        )
        with self._transaction("read") as connection:
            rows = [tuple(row) for row in connection.execute(query)]
        frame = pd.DataFrame(rows, columns=["date", "source", "municipality", "sector", "count"], dtype=object)
        return frame.assign(
            date=pd.to_datetime(frame["date"]).astype("datetime64[ns]"), count=frame["count"].astype("int64")
        )

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, verb: str) -> Iterator[Connection]:
        self.prepare()
        with _as_store_error(verb), self._engine.begin() as connection:
            yield connection


def _corrected(label: InstrumentedAttribute[str | None]) -> Subquery:
    """The last correction of each complaint that says something of `label`."""
    newest = (
        select(func.max(CorrectionRow.number).label("number"))
        .where(label.is_not(None))
        .group_by(CorrectionRow.source, CorrectionRow.complaint_id)
        .subquery()
    )
    return (
        select(CorrectionRow.source, CorrectionRow.complaint_id, label)
        .join(newest, newest.c.number == CorrectionRow.number)
        .subquery()
    )


def _as_searched(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """The columns of `Store.decided`."""
    columns = ["source", "id", "text", "day", "municipality", "topic", "confidence", "reasons", "given", "features"]
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    given = frame["given"].notna()
    unlike = [UNLIKE in reasons and not known for reasons, known in zip(frame["reasons"], given, strict=True)]
    features = [None if row is None else np.frombuffer(row, HALF).astype("f4") for row in frame["features"]]
    return pd.DataFrame(
        {
            **{name: frame[name] for name in ("source", "id", "text", "municipality")},
            "day": pd.to_datetime(frame["day"]).astype("datetime64[ns]"),
            "topic": frame["given"].where(given, frame["topic"]),
            "confidence": frame["confidence"].astype("float64").where(~given, 1.0),
            "unlike": pd.Series(unlike, dtype=bool),
            "features": pd.Series(features, dtype=object),
        }
    )


def _upsert(insert_into: Any, table: type[Table], key: Sequence[str]) -> Any:
    """The statement that stores rows, replacing those of the same key; built once, not for each request."""
    statement = insert_into(table)
    fresh = {column.name: statement.excluded[column.name] for column in table.__table__.c if column.name not in key}
    return statement.on_conflict_do_update(index_elements=list(key), set_=fresh)


def _naive(moment: datetime) -> datetime:
    """UTC without its offset: SQLite has no other."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() not in INSERTS:
            raise ConfigError(f"TSUR_STORE_URL: {parsed.get_backend_name()!r} is neither sqlite nor postgresql")
        if parsed.get_backend_name() == "sqlite":
            engine = create_engine(parsed, hide_parameters=True, connect_args={"timeout": LOCK_SECONDS})
            event.listen(engine, "connect", _write_ahead)
            return engine
        return create_engine(parsed, hide_parameters=True, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError):
        raise ConfigError("TSUR_STORE_URL is not a SQLAlchemy URL such as sqlite:////path/store.db") from None
    except ImportError as error:
        raise ConfigError(f"TSUR_STORE_URL needs a driver that is not installed: {error.name}") from None


def _write_ahead(connection: Any, _: Any) -> None:
    """Readers do not wait for the writer."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


@contextmanager
def _as_store_error(verb: str) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"the store cannot be {verb} ({type(error).__name__}); try again later") from error
