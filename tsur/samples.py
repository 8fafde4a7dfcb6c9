"""The bundled sample: hand-written complaints and simulated daily counts of a fictional region."""

import pandas as pd

from data.settings import CHECKOUT

FOLDER = CHECKOUT / "data" / "samples"
SAMPLE_REGION = "verkhnerechye"
"""The fictional region that the samples come from."""
SAMPLE_TIMEZONE = "Europe/Moscow"


def sample_complaints() -> pd.DataFrame:
    """The sample's complaints, imported as any export is (schema COMPLAINTS)."""
    from data.catalogue.checks import load_catalogue
    from data.complaints.importing import import_complaints
    from data.complaints.sources import load_source

    configs = CHECKOUT / "configs"
    source = load_source("generic", configs / "sources", timezone=SAMPLE_TIMEZONE)
    catalogue = load_catalogue(configs / "regions" / SAMPLE_REGION / "catalogue.yaml")
    return import_complaints(FOLDER / "complaints.csv", source, catalogue).complaints


def sample_counts() -> pd.DataFrame:
    """The simulated daily counts (schema DAILY_COUNTS)."""
    from data.counts.reading import CountColumns, read_counts

    path = next(FOLDER.glob("daily_counts.*"))
    return read_counts(path, CountColumns(sector="sector", municipality="municipality"))
