"""Real data's folder as the benchmarks read it, of the bundled sample's texts."""

import pandas as pd
import pytest

from benchmarks.classifier_quality.corpus import Corpus, load_corpus
from models.classifier.labels import HEADS


def rows_of(sample: pd.DataFrame, part: slice) -> pd.DataFrame:
    """Some complaints of three sectors; of the topics some are rare, of the agencies some lack."""
    frequent = sample["sector"].isin(sample["sector"].value_counts().index[:3])
    chosen = sample[frequent].iloc[part].reset_index(drop=True)
    return chosen.assign(agency=chosen["agency"].where(chosen.index % 10 > 0, None))


@pytest.fixture(scope="module")
def folder(tmp_path_factory, sample):
    """A folder laid out as that of the real data, of the bundled sample's texts."""
    folder = tmp_path_factory.mktemp("real")
    (folder / "text").mkdir()
    columns = ["id", "text", *HEADS]
    for name, part in (("kursk", slice(0, 130)), ("ryazan", slice(130, 240))):
        rows_of(sample, part)[columns].to_csv(folder / "text" / f"{name}.csv", index=False)
    days = pd.date_range("2021-02-14 12:00", periods=160, freq="10min").strftime("%Y-%m-%d %H:%M:%S")
    timed = rows_of(sample, slice(240, 400)).assign(created_at=days)
    timed[["id", "created_at", "text", "municipality", *HEADS]].to_csv(folder / "text" / "petersburg.csv", index=False)
    return folder


@pytest.fixture
def corpus(folder, tmp_path, at_home) -> Corpus:
    at_home(tmp_path)
    return load_corpus(folder / "text" / "kursk.csv")
