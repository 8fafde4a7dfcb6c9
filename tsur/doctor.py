"""`tsur doctor`: what is wrong with this installation, and what to do.

In: the installation that the settings name; nothing of it is changed. Out: findings, each with what to do where
something has to be done. A check that fails itself is a finding too, and keeps no other from being made.
"""

import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from data.errors import NoChampionError, TsurError
from data.regions.region import Region, known_regions, load_region
from data.settings import CHECKOUT, settings
from data.store.store import Store

GIB = 1024**3
LITTLE, TOO_LITTLE = 5 * GIB, GIB
"""Free bytes of the home: a training needs gigabytes, a store that cannot grow refuses complaints."""
WAITING = timedelta(minutes=1)
"""A job that waits longer has no worker."""
AHEAD = timedelta(minutes=5)
UNSYNCHRONISED = 5
"""What Linux's adjtimex returns while nobody keeps the clock (TIME_ERROR)."""
Level = Literal["ok", "note", "bad"]


@dataclass(frozen=True)
class Finding:
    """What a check found; `do` says what to do, empty where nothing has to be done."""

    level: Level
    what: str
    do: str = ""


Check = Callable[[], Iterator[Finding]]


def examine() -> Iterator[Finding]:
    """Everything that was found, check by check."""
    checks: list[Check] = [_configs, _home, _disk, _clock, _store, _jobs, _encoder, _registry]
    for check in checks:
        try:
            yield from check()
        except TsurError as error:
            yield Finding("bad", error.message, "mend what the sentence says, then ask again")
        except Exception as error:  # the doctor must finish its round
            yield Finding("bad", f"{check.__name__[1:]}: {type(error).__name__}: {error}", "tell the developers")


def _configs() -> Iterator[Finding]:
    from data.catalogue.checks import load_catalogue
    from data.regions.region_map import load_map
    from data.regulations.deadlines import load_deadlines
    from serving.config import load_serving_config

    load_serving_config()
    regions = known_regions()
    if not regions:
        yield Finding("bad", f"{settings().configs}/regions holds no region", "add one with `tsur regions add`")
    for name in regions:
        region = load_region(name)
        if region.catalogue is not None:
            load_catalogue(region.catalogue)
        load_deadlines(region)
        load_map(region)
    yield Finding("ok", f"configs of {len(regions)} regions: {', '.join(regions)}")


def _home() -> Iterator[Finding]:
    home = settings().home.resolve()
    if not home.is_dir():
        yield Finding("note", f"{home} is not there", "the first training or start makes it")
        return
    try:
        (home / ".doctor").touch()
        (home / ".doctor").unlink()
    except OSError as error:
        yield Finding("bad", f"{home} cannot be written: {error.strerror}", "give it to the user that runs tsur")
    for path in (home / "jobs", home / "store.db"):
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO:
            yield Finding("bad", f"{path} is open to every user of this machine", f"chmod o-rwx {path}")
    yield Finding("ok", f"home {home}")


def _disk() -> Iterator[Finding]:
    place = settings().home if settings().home.is_dir() else settings().home.parent
    free = shutil.disk_usage(place).free
    told = f"{free / GIB:.1f} GiB free where {settings().home} lies"
    if free < TOO_LITTLE:
        yield Finding("bad", told, "make room: without it complaints are refused (503)")
    elif free < LITTLE:
        yield Finding("note", told, "a training or a migration may need more")
    else:
        yield Finding("ok", told)


def _clock() -> Iterator[Finding]:
    now = datetime.now(UTC)
    written = datetime.fromtimestamp((CHECKOUT / "CHANGELOG.md").stat().st_mtime, UTC)
    if now < written - timedelta(days=1):
        yield Finding("bad", f"the clock says {now:%Y-%m-%d %H:%M} UTC, before this version was installed", "set it")
        return
    if _unsynchronised():
        yield Finding("note", "nobody keeps this machine's clock", "run chrony or systemd-timesyncd")
    yield Finding("ok", f"clock {now:%Y-%m-%d %H:%M:%S} UTC")


def _unsynchronised() -> bool:
    """Whether the kernel says that its clock follows no other."""
    if sys.platform != "linux":
        return False
    import ctypes

    libc, zeros = ctypes.CDLL(None, use_errno=True), ctypes.create_string_buffer(512)  # modes 0: only asked
    return bool(libc.adjtimex(zeros) == UNSYNCHRONISED)


def _store() -> Iterator[Finding]:
    has, wants = _opened().version()
    if has is None:
        yield Finding("note", "the store has no tables yet", "the first start makes them")
    elif has != wants:
        told = f"the store has version {has} of its tables, not {wants}"
        yield Finding("note", told, "back it up; the next start migrates it")
    else:
        newest = _opened().decisions.newest_moment()
        if newest is not None and newest > datetime.now(UTC) + AHEAD:
            told = f"the newest decision is of {newest:%Y-%m-%d %H:%M} UTC"
            yield Finding("bad", told, "the clock was turned back since, or ahead then: set it")
        yield Finding("ok", f"store: reachable, version {has}")


def _jobs() -> Iterator[Finding]:
    has, wants = _opened().version()
    since = _opened().jobs.waiting_since() if has == wants else None
    if since is not None and datetime.now(UTC) - since > WAITING:
        told = f"jobs wait since {since:%Y-%m-%d %H:%M} UTC and nobody works on them"
        yield Finding("bad", told, "start `tsur worker`")
    else:
        yield Finding("ok", "no job waits without a worker")


def _encoder() -> Iterator[Finding]:
    from models.encoder.packaged import packaged_file

    path = packaged_file()
    yield Finding("ok", f"packaged encoder: {path.stat().st_size / 1024**2:.0f} MiB")


def _registry() -> Iterator[Finding]:
    from registry.connection import is_absent

    if is_absent(settings().mlflow_uri):
        yield Finding("bad", f"there is no registry at {settings().mlflow_uri}", "train a model, or `tsur demo`")
        return
    for name in known_regions():
        yield from champions_of(load_region(name))


def champions_of(region: Region) -> Iterator[Finding]:
    """Whether the champions of a region load and decide here as where they were made."""
    from registry.client import open_registry
    from registry.names import classifier_name
    from serving.regions.champions import Champions

    registry = open_registry(region.id)
    registry.models.versions(classifier_name(region.id))  # tells of a registry that does not answer
    champions = Champions(registry, region.id)
    champions.refresh()
    for state in champions.states:
        if state.champion is not None:
            yield Finding("ok", f"{state.name}: version {state.champion.version} loads and agrees")
        elif isinstance(state.absence, NoChampionError):
            yield Finding("note", state.absence.message, "the other model serves without it")
        else:
            yield Finding("bad", state.absence.message, "promote an earlier version, or train again")


def _opened() -> Store:
    from tsur.operations import oldest_region

    return Store(settings().database_url, oldest_region())


def show(findings: Iterator[Finding], tell: Callable[[str], None]) -> int:
    """Tell findings as they come; the number of bad ones."""
    bad = 0
    for finding in findings:
        tell(f"{finding.level:4}  {finding.what}" + (f" → {finding.do}" if finding.do else ""))
        bad += finding.level == "bad"
    return bad
