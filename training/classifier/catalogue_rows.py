"""The catalogue's own words as training rows: what a rare label means before anyone complained of it.

In: a catalogue, and the topics that few complaints teach. Out: a frame of rows as complaints have them: a topic's name
and description teach its sector and topic, an agency's name teaches the agency. Where complaints are few, name and
description stand apart, for the long text would drown the short one, and the examples teach as complaints do (cf.
Schick & Schütze 2021 on label names as supervision, arXiv:2001.07676; docs/experiments.md, "A region that begins").
"""

from collections.abc import Collection

import pandas as pd

from data.catalogue.model import Catalogue

WEIGHT = 4.0
"""What such a row weighs in the regressions beside a complaint's 1."""


def catalogue_rows(catalogue: Catalogue, rare: Collection[str] = ()) -> pd.DataFrame:
    """Columns `text, municipality, sector, topic, agency`; a label that the text does not name is None.

    Of the topics that are `rare`, name and description are rows of their own.
    """
    rows: list[dict[str, str | None]] = []
    for sector in catalogue.sectors:
        rows.append({"text": sector.name, "sector": sector.name})
        for topic in sector.topics:
            said = [text for text in (topic.name, topic.description) if text]
            texts = said if topic.name in rare else [". ".join(said)]
            rows += [{"text": text, "sector": sector.name, "topic": topic.name} for text in texts]
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
