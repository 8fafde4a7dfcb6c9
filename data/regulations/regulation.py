"""A regulation: how long an answer may take to complaints of some sources, by priority, and by what law.

In: `configs/regulations/NAME.yaml`, or a file of that name in the region's own folder `regulations`. Out: a checked
`Regulation`.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from data.catalogue.model import Priority
from data.complaints.schema import SourceName
from data.config import Config, load_config
from data.errors import ConfigError
from data.regulations.working_time import Moved, WorkingTime, after_calendar_days, after_hours, after_working_days

LONGEST_DAYS = 366
LONGEST_HOURS = 24 * LONGEST_DAYS


class Term(Config):
    """A span of time in one unit; `hours` run day and night."""

    hours: int | None = Field(default=None, ge=1, le=LONGEST_HOURS)
    working_hours: int | None = Field(default=None, ge=1, le=LONGEST_HOURS)
    working_days: int | None = Field(default=None, ge=1, le=LONGEST_DAYS)
    calendar_days: int | None = Field(default=None, ge=1, le=LONGEST_DAYS)

    @model_validator(mode="after")
    def one_unit(self) -> "Term":
        """Exactly one."""
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("name exactly one of hours, working_hours, working_days, calendar_days")
        return self


class Terms(Config):
    """What is owed: an answer and, where one is asked for, an interim answer before it."""

    answer: Term
    interim: Term | None = None


class Regulation(Config):
    """One regulation.

    Attributes:
        title: what people call it.
        basis: the law or act, as an official quotes it.
        sources: whose complaints it rules.
        terms: by priority of the topic; what has no terms of its own is answered as `ordinary`.
        day_off: where a term of calendar days ends that ends on a day off.
        working_time: in which working hours pass.
    """

    title: str
    basis: str
    sources: list[SourceName] = Field(min_length=1)
    terms: dict[Priority, Terms]
    day_off: Moved = "before"
    working_time: WorkingTime = WorkingTime()

    @model_validator(mode="after")
    def ordinary_is_ruled(self) -> "Regulation":
        """Every complaint of these sources has a term."""
        if "ordinary" not in self.terms:
            raise ValueError("terms: the priority 'ordinary' is missing")
        return self

    def of(self, priority: Priority) -> Terms:
        """What is owed to a complaint of this priority."""
        return self.terms.get(priority, self.terms["ordinary"])

    def after(self, moment: datetime, term: Term, zone: ZoneInfo) -> datetime:
        """When a term that began at `moment` is over (UTC)."""
        if term.hours is not None:
            return moment.astimezone(UTC) + timedelta(hours=term.hours)
        if term.working_hours is not None:
            return after_hours(moment, term.working_hours, zone, self.working_time)
        if term.working_days is not None:
            return after_working_days(moment, term.working_days, zone)
        return after_calendar_days(moment, term.calendar_days or 0, zone, self.day_off)


def load_regulation(name: str, *folders: Path) -> Regulation:
    """The regulation of that name in the first of `folders` that has it.

    Raises:
        ConfigError: no such regulation (lists the known ones), or a malformed one.
    """
    files = {file.stem: file for folder in reversed(folders) for file in folder.glob("*.yaml")}
    if name not in files:
        where = " and ".join(str(folder) for folder in folders if folder.is_dir())
        raise ConfigError(f"regulation {name!r} is not known: known are {', '.join(sorted(files))} (in {where})")
    return load_config(files[name], Regulation)
