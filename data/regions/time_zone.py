"""Time zones by their names in the tz database, such as `Asia/Vladivostok`."""

import difflib
from zoneinfo import ZoneInfo, available_timezones

RUSSIAN = (
    *("Europe/Kaliningrad", "Europe/Moscow", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Omsk", "Asia/Krasnoyarsk"),
    *("Asia/Irkutsk", "Asia/Yakutsk", "Asia/Vladivostok", "Asia/Magadan", "Asia/Kamchatka"),
)
"""One for each of Russia's eleven hours, from west to east: what is offered where no name is close."""


def check_timezone(name: str) -> str:
    """The name, if the tz database has it.

    Raises:
        ValueError: it has not; names the closest ones.
    """
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: `Europe` is a folder of the database
        offered = ", ".join(_close(name) or RUSSIAN)
        raise ValueError(f"no such time zone in the tz database; did you mean one of {offered}?") from None
    return name


def _close(name: str) -> list[str]:
    """Names that look alike, in whole or in their last part (`Moscow`)."""
    spellings: dict[str, str] = {}
    for zone in sorted(available_timezones()):
        spellings.setdefault(zone.lower(), zone)
        if "/" in zone and not zone.startswith(("Etc/", "posix/", "right/")):
            spellings.setdefault(zone.rpartition("/")[2].lower(), zone)
    alike = difflib.get_close_matches(name.lower(), spellings, n=3, cutoff=0.75)
    return list(dict.fromkeys(spellings[spelling] for spelling in alike))
