"""The catalogue's own words as training rows: what a rare label means before anyone complained of it.

In: a catalogue. Out: a frame of rows as complaints have them: a topic's name and description teach its sector and
topic, an agency's name teaches the agency; the examples of a topic teach as complaints do, as long as it has few of
these. Worth the most where complaints are few (cf. Schick & Schütze 2021 on label names as supervision,
arXiv:2001.07676).
"""

from collections.abc import Collection

import pandas as pd

from data.catalogue.model import Catalogue

WEIGHT = 4.0
"""What such a row weighs in the regressions beside a complaint's 1."""


def catalogue_rows(catalogue: Catalogue) -> pd.DataFrame:
    """Columns `text, municipality, sector, topic, agency`; a label that the text does not name is None."""
    rows: list[dict[str, str | None]] = []
    for sector in catalogue.sectors:
        rows.append({"text": sector.name, "sector": sector.name})
        for topic in sector.topics:
            text = f"{topic.name}. {topic.description}" if topic.description else topic.name
            rows.append({"text": text, "sector": sector.name, "topic": topic.name})
    rows += [{"text": agency.name, "agency": agency.name} for agency in catalogue.agencies]
    return _frame(rows)


def example_rows(catalogue: Catalogue, topics: Collection[str]) -> pd.DataFrame:
    """The examples that the catalogue gives of these topics, columns as those of `catalogue_rows`."""
    return _frame(
        [
            {"text": example, "sector": sector.name, "topic": topic.name}
            for sector in catalogue.sectors
            for topic in sector.topics
            if topic.name in topics
            for example in topic.examples
        ]
    )


def _frame(rows: list[dict[str, str | None]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["text", "municipality", "sector", "topic", "agency"], dtype=object)
    return frame.where(frame.notna(), None)
