"""Source maps: how each system's export names its columns and writes its dates.

In: `configs/sources/NAME.yaml`. Out: a checked `SourceMap`, which finds the columns of a file's
header whatever their case, spaces and ё, and reads its dates into UTC. The one decision: a date without a
time is a day of the region; only a time is local to the zone that the source writes in.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time
from pathlib import Path
from typing import ClassVar, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from data.complaints.schema import COLUMNS, LABELS, SourceName
from data.config import Config, parse_config, read_yaml
from data.errors import ConfigError
from data.regions.time_zone import check_timezone
from data.tables.dates import written_time
from data.tables.header import matched
from data.tables.rows import Expected


class ColumnMap(Config):
    """How one kind of table names its columns and writes its dates.

    Attributes:
        timezone: the zone of times that are written without an offset; None: the region's.
        region_timezone: the region's zone, whose midnight a date without a time is; set by `load_source`.
        sheet: the only sheet of a workbook that is read; None: all that have the columns.
        records: dotted path of a JSON document's list of records; None: it is looked for.
        origin: where the map was read from, for messages; set by `load_source`.
    """

    FIELDS: ClassVar[tuple[str, ...]]
    """What can be mapped."""
    ROW: ClassVar[str]
    """What a row is, for messages."""

    name: SourceName
    title: str
    columns: dict[str, list[str]]
    date_formats: list[str] = Field(default_factory=list)
    timezone: str | None = None
    region_timezone: str
    encoding: str | None = None
    sheet: str | None = None
    records: str | None = None
    origin: str = "a source map"

    @field_validator("columns", mode="before")
    @classmethod
    def one_or_many(cls, value: object) -> object:
        """A single column name may be written without brackets."""
        if not isinstance(value, dict):
            return value
        return {field: [names] if isinstance(names, str) else names for field, names in value.items()}

    @field_validator("columns", "defaults", check_fields=False)
    @classmethod
    def known_fields(cls, value: dict[str, object]) -> dict[str, object]:
        """Only fields of a row can be mapped."""
        unknown = [field for field in value if field not in cls.FIELDS]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is not {cls.ROW}'s field: known are {', '.join(cls.FIELDS)}")
        return value

    @field_validator("timezone")
    @classmethod
    def known_zone(cls, value: str | None) -> str | None:
        """The zone must be one that the system knows."""
        return None if value is None else check_timezone(value)

    def find(self, header: Iterable[str]) -> dict[str, str]:
        """Field → the file's column; the first accepted name that the file has."""
        return matched(self.columns, header)

    def located(self, moment: datetime) -> datetime:
        """The moment with its zone: its own, the source's, or the region's where it is a mere date (midnight)."""
        if moment.tzinfo is not None:
            return moment
        written_in = None if moment.time() == time() else self.timezone
        return moment.replace(tzinfo=ZoneInfo(written_in or self.region_timezone))


class SourceMap(ColumnMap):
    """The column map of one source system's complaints."""

    FIELDS = tuple(COLUMNS)
    ROW = "a complaint"

    defaults: dict[str, str] = Field(default_factory=dict)

    @field_validator("columns")
    @classmethod
    def text_is_mapped(cls, value: dict[str, list[str]]) -> dict[str, list[str]]:
        """There is no complaint without a text."""
        if not value.get("text"):
            raise ValueError("no column is named for the field 'text'")
        return value

    def without_labels(self) -> "SourceMap":
        """The same map for complaints that are to be classified: whatever labels they bear are not read."""
        unlabelled = {field: names for field, names in self.columns.items() if field not in LABELS}
        return self.model_copy(update={"columns": unlabelled})

    def expected(self, dated: bool) -> Expected:
        """What a reader has to look for; `dated`: a table without dates is none."""
        return Expected(
            columns=self.columns,
            needed=("text", "created_at") if dated else ("text",),
            dates=("created_at",),
            encoding=self.encoding,
            sheet=self.sheet,
            records=self.records,
        )

    def moment(self, value: object, month_first: bool = False) -> datetime | None:
        """The UTC time of a cell: by `date_formats`, else by its common forms; None if it is no date."""
        written = written_time(value, self.date_formats, month_first)
        return None if written is None else self.located(written).astimezone(UTC)


MapType = TypeVar("MapType", bound=ColumnMap)


def load_source(name_or_path: str | Path, *folders: Path, timezone: str) -> SourceMap:
    """The source map of that name in the first of `folders` that has it, or in the file given (it ends with `.yaml`).

    Args:
        name_or_path: a map's name, or its file.
        folders: where maps are looked for.
        timezone: the region's, for the map.

    Raises:
        ConfigError: no such source (lists the known ones), or a bad map.
    """
    return load_map(SourceMap, name_or_path, *folders, timezone=timezone)


def load_map(kind: type[MapType], name_or_path: str | Path, *folders: Path, timezone: str) -> MapType:
    """A map of any kind, found as `load_source` finds one.

    Raises:
        ConfigError: no such source (lists the known ones), or a bad map.
    """
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        maps = {file.stem: file for folder in reversed(folders) for file in folder.glob("*.yaml")}
        if str(name_or_path) not in maps:
            raise ConfigError(
                f"source {str(name_or_path)!r} is not known: known are {', '.join(sorted(maps)) or 'none'} "
                f"(in {' and '.join(str(folder) for folder in folders if folder.is_dir())}), or give a .yaml file"
            )
        path = maps[str(name_or_path)]
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: expected a mapping of keys, got {type(content).__name__}")
    given = {"region_timezone": timezone, "origin": f"{path.parent.name}/{path.name}"}
    return parse_config(content | given, kind, str(path))
