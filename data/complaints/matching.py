"""Matching: labels and places of a row, in the catalogue's spelling.

In: names as a source writes them. Out: the catalogue's own, or a `RejectedError` that names close ones; a place that
is not known is no reason to set a row aside. Without a catalogue they are masked, as the text is.
"""

import difflib
from collections.abc import Iterable
from functools import lru_cache

from data.catalogue.model import Catalogue
from data.complaints.cleaning import folded
from data.complaints.masking import masked

masked_label = lru_cache(maxsize=4096)(masked)
"""For labels, which are few and come again on every row."""


class RejectedError(Exception):
    """One row is set aside; the message is the reason, `kind` the part of the row that it is about."""

    def __init__(self, reason: str, kind: str = "row") -> None:
        super().__init__(reason)
        self.kind = kind


class Names:
    """Names of one kind; case, ё and spaces do not matter, and an unknown one gets close matches.

    A name that was masked when the catalogue was drafted is found too.
    """

    def __init__(self, kind: str, names: Iterable[str], where: str = "") -> None:
        self.kind, self.where = kind, where
        self.known = {folded(name): name for name in names}

    def match(self, given: str | None) -> str | None:
        """The name in its own spelling; None stays None.

        Raises:
            RejectedError: there is no such name.
        """
        if given is None:
            return None
        known = self.known.get(folded(given)) or self.known.get(folded(masked_label(given)))
        if known is not None:
            return known
        close = difflib.get_close_matches(folded(given), self.known, n=3, cutoff=0.4)
        hint = f"; close to {', '.join(repr(self.known[name]) for name in close)}" if close else ""
        raise RejectedError(f"{self.kind} {masked_label(given)[:120]!r} is not known{self.where}{hint}", "label")


class CatalogueLabels:
    """The catalogue's names, ready to be matched."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.municipality_names = {place.id: place.name for place in catalogue.municipalities}
        self.municipality_ids = catalogue.municipality_ids
        self.masked_municipalities = {folded(place.name): place.name for place in catalogue.municipalities}
        self.sectors = Names("sector", [sector.name for sector in catalogue.sectors])
        self.agencies = Names("agency", catalogue.agency_names.values())
        every = [topic.name for sector in catalogue.sectors for topic in sector.topics]
        self.topics: dict[str | None, Names] = {None: Names("topic", every)}
        for sector in catalogue.sectors:
            own = [topic.name for topic in sector.topics]
            self.topics[sector.name] = Names("topic", own, f" in sector {sector.name!r}")

    def municipality(self, given: str | None) -> str | None:
        """The place in the catalogue's spelling; None where it is unknown. Without places there, as given, masked."""
        if given is None:
            return None
        if not self.municipality_names:
            return masked_label(given)
        (municipality_id,) = self.municipality_ids([given])
        if municipality_id is not None:
            return self.municipality_names[municipality_id]
        return self.masked_municipalities.get(folded(masked_label(given)))

    def matched(self, given: dict[str, str | None]) -> dict[str, str | None]:
        """Labels in the catalogue's spelling.

        Raises:
            RejectedError: one is unknown, or the topic belongs to another sector.
        """
        sector = self.sectors.match(given["sector"])
        return {
            "sector": sector,
            "topic": self.topics[sector].match(given["topic"]),
            "agency": self.agencies.match(given["agency"]),
        }
