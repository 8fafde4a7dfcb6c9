"""Adding a region: its folder in `configs/regions`, there whole or not at all.

In: its id, title, time zone and, where there is one, its catalogue, which is checked first. Out: the region.
"""

import shutil
from pathlib import Path

import yaml

from data.atomic import atomic_folder
from data.catalogue.checks import load_catalogue
from data.config import parse_config
from data.errors import ConfigError
from data.regions.region import FILE, ID, Region, RegionFile, known_regions, load_region
from data.settings import settings

CATALOGUE = "catalogue.yaml"


def add_region(name: str, title: str, timezone: str, catalogue: Path | None) -> Region:
    """Make a region of this installation.

    Raises:
        ConfigError: the name is none or taken, the time zone is not known, or the catalogue is no catalogue.
        CatalogueError: the catalogue contradicts itself.
    """
    if not ID.fullmatch(name):
        raise ConfigError(f"{name!r} is no name of a region: use small Latin letters, digits and hyphens")
    folder = settings().configs / "regions" / name
    if name in known_regions() or folder.exists():
        raise ConfigError(f"region {name!r} is there already: {folder}")
    if catalogue is not None:
        load_catalogue(catalogue)
    content = {"title": title, "timezone": timezone, "catalogue": None if catalogue is None else CATALOGUE}
    parse_config(content, RegionFile, f"region {name!r}")
    with atomic_folder(folder) as partial:
        (partial / FILE).write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
        if catalogue is not None:
            shutil.copyfile(catalogue, partial / CATALOGUE)
    return load_region(name)
