"""A region: whom a ЦУР serves. Everything that is stored, served or measured belongs to one.

In: `configs/regions/NAME/region.yaml` and what lies beside it. Out: a frozen `Region`. The one decision: its time
zone alone says whose midnight ends a day, in imports, counts, forecasts, surges and the service.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from data.config import Config, load_config
from data.errors import ConfigError
from data.regions.time_zone import check_timezone
from data.settings import settings

FILE = "region.yaml"
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""What stands in names of registered models, in paths and on the command line alike."""


class RegionFile(Config):
    """The keys of `region.yaml`; the region's id is its folder's name."""

    title: str
    timezone: str
    catalogue: str | None = "catalogue.yaml"
    source: str = "generic"
    regulations: list[str] = ["59-fz", "pp-1802"]
    """The federal ones; how soon social networks are answered is the region's own act."""
    inhabitants: dict[str, Annotated[int, Field(gt=0)]] = {}

    @field_validator("timezone")
    @classmethod
    def known_timezone(cls, value: str) -> str:
        """A name of the tz database."""
        return check_timezone(value)


@dataclass(frozen=True)
class Region:
    """One region, as its folder describes it.

    Attributes:
        id: the folder's name; part of the names of its registered models and of every key of the store.
        title: what people call it.
        timezone: IANA name; its midnight ends a day.
        catalogue: the file of its catalogue; None where it has none yet.
        source: the source map that is taken where none is named.
        source_folders: where source maps are looked for, its own ones first.
        regulations: names of those by which its complaints are due.
        regulation_folders: where they are looked for, its own ones first.
        inhabitants: of each municipality, by its name in the catalogue; empty where the region gives none.
        folder: where all this is described.
    """

    id: str
    title: str
    timezone: str
    catalogue: Path | None
    source: str
    source_folders: tuple[Path, ...]
    regulations: tuple[str, ...] = ()
    regulation_folders: tuple[Path, ...] = ()
    inhabitants: dict[str, int] = field(default_factory=dict, hash=False)
    folder: Path = Path()

    @property
    def zone(self) -> ZoneInfo:
        """The time zone."""
        return ZoneInfo(self.timezone)


def known_regions() -> list[str]:
    """Ids of the regions of this installation, in alphabetical order."""
    return sorted(path.parent.name for path in _folder().glob(f"*/{FILE}"))


def load_region(name: str | None = None) -> Region:
    """The region of that name; without one that of `TSUR_REGION`, else the only one there is.

    Raises:
        ConfigError: no such region (lists the known ones), several and none is named, or a bad `region.yaml`.
    """
    named = name or settings().region
    return _read(_only_one() if named is None else named)


def _only_one() -> str:
    ids = known_regions()
    if not ids:
        raise ConfigError(f"{_folder()} holds no region: make a folder there with a {FILE}")
    if len(ids) > 1:
        raise ConfigError(f"there are several regions, {', '.join(ids)}: name one with --region or TSUR_REGION")
    return ids[0]


def _read(name: str) -> Region:
    if not ID.fullmatch(name):
        raise ConfigError(f"{name!r} is no name of a region: use small Latin letters, digits and hyphens")
    folder = _folder() / name
    if name not in known_regions():
        listed = ", ".join(known_regions()) or "none"
        raise ConfigError(
            f"region {name!r} is not known: known are {listed} (folders of {_folder()} with a {FILE}); "
            "--region or TSUR_REGION names one"
        )
    content = load_config(folder / FILE, RegionFile)
    catalogue = None if content.catalogue is None else folder / content.catalogue
    if catalogue is not None and not catalogue.is_file():
        raise ConfigError(
            f"{folder / FILE}: catalogue {content.catalogue!r} is not in that folder; "
            "`catalogue: null` says that the region has none yet"
        )
    return Region(
        id=name,
        title=content.title,
        timezone=content.timezone,
        catalogue=catalogue,
        source=content.source,
        source_folders=(folder / "sources", settings().configs / "sources"),
        regulations=tuple(content.regulations),
        regulation_folders=(folder / "regulations", settings().configs / "regulations"),
        inhabitants=content.inhabitants,
        folder=folder,
    )


def _folder() -> Path:
    return settings().configs / "regions"
