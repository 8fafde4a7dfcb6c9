"""The bundled sample: wide, human, free of real people's data, neither a toy nor noise."""

import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from data.catalogue.checks import load_catalogue
from data.catalogue.model import Catalogue
from data.complaints.schema import COLUMNS, check_complaints
from data.settings import CHECKOUT

SAMPLE = CHECKOUT / "data" / "samples" / "complaints.csv"
NOT_A_COMPLAINT = "Не жалоба"
SHORT = 6
"""Messages of fewer words have too few trigrams to compare; no two of them may be the same."""


@pytest.fixture(scope="module")
def sample() -> pd.DataFrame:
    """The messages as they lie in the file."""
    return pd.read_csv(SAMPLE, dtype=str, encoding="utf-8")


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The sample region's catalogue."""
    return load_catalogue(CHECKOUT / "configs" / "regions" / "verkhnerechye" / "catalogue.yaml")


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold().replace("ё", "е"))


def trigrams(text: str) -> set[tuple[str, ...]]:
    found = words(text)
    return set(zip(found, found[1:], found[2:], strict=False))


def nearest_pairs(texts: list[str]) -> list[tuple[float, int, int]]:
    """Overlap, first and second row of pairs that share a trigram: shared ÷ trigrams of the shorter."""
    grams = [trigrams(text) if len(words(text)) >= SHORT else set() for text in texts]
    holders: dict[tuple[str, ...], list[int]] = {}
    shared: Counter[tuple[int, int]] = Counter()
    for row, own in enumerate(grams):
        for gram in own:
            earlier = holders.setdefault(gram, [])
            shared.update((other, row) for other in earlier)
            earlier.append(row)
    return [(count / min(len(grams[a]), len(grams[b])), a, b) for (a, b), count in shared.items()]


def test_the_sample_is_a_valid_frame_of_complaints(sample: pd.DataFrame):
    assert list(sample) == COLUMNS
    check_complaints(sample.astype(object).where(sample.notna(), None))


@pytest.mark.parametrize(
    ("column", "least"), [("text", 1500), ("sector", 18), ("topic", 100), ("agency", 25), ("municipality", 12)]
)
def test_the_sample_is_as_wide_as_promised(sample: pd.DataFrame, column: str, least: int):
    assert sample[column].nunique() >= least


def test_many_messages_are_no_complaints(sample: pd.DataFrame):
    assert (sample["sector"] == NOT_A_COMPLAINT).sum() >= 120


@pytest.mark.parametrize("sector", ["СМИ", "Нацпроекты"])
def test_the_blocks_that_only_regional_centres_have_are_there(sample: pd.DataFrame, sector: str):
    assert (sample["sector"] == sector).sum() >= 60
    assert sample.loc[sample["sector"] == sector, "topic"].nunique() >= 5


def test_messages_come_from_every_source(sample: pd.DataFrame):
    assert set(sample["source"]) >= {"incident", "pos", "dobrodel", "hotline", "municipality"}


def test_every_message_is_labelled_as_the_catalogue_allows_in_its_place(sample: pd.DataFrame, catalogue: Catalogue):
    for row in sample.itertuples():
        catalogue.check_labels(row.sector, row.topic, row.agency)
        place = None if pd.isna(row.municipality) else catalogue.municipality_id(row.municipality)
        assert row.agency in catalogue.agencies_for(row.sector, row.topic, place), row.id


def test_a_municipality_is_written_by_its_name_or_not_at_all(sample: pd.DataFrame, catalogue: Catalogue):
    assert set(sample["municipality"].dropna()) == {place.name for place in catalogue.municipalities}
    assert sample["municipality"].isna().any()


def test_no_two_messages_share_more_than_half_of_their_word_trigrams(sample: pd.DataFrame):
    too_near = [pair for pair in nearest_pairs(list(sample["text"])) if pair[0] > 0.5]
    assert not too_near, [(round(share, 2), sample["id"][a], sample["id"][b]) for share, a, b in too_near]


def test_no_two_messages_are_the_same(sample: pd.DataFrame):
    seen = Counter(" ".join(words(text)) for text in sample["text"])
    assert [text for text, times in seen.items() if times > 1] == []


@pytest.mark.parametrize(
    ("texts", "overlaps"),
    [
        (["один два три четыре пять шесть", "один два три семь восемь девять"], [0.25]),
        (["один два три четыре пять шесть", "Один, два — ТРИ четыре пять шесть и ещё"], [1.0]),
        (["один два три", "один два три"], []),
        (["один два три четыре пять шесть", "шесть пять четыре три два один"], []),
    ],
    ids=["part", "inside a longer one", "too short", "another order"],
)
def test_overlap_is_measured_on_the_shorter_message(texts: list[str], overlaps: list[float]):
    assert [share for share, _, _ in nearest_pairs(texts)] == overlaps


def test_messages_are_of_every_length(sample: pd.DataFrame):
    lengths = sample["text"].map(lambda text: len(words(text)))
    assert (lengths <= SHORT).sum() >= 30
    assert (lengths >= 100).sum() >= 30


def test_the_task_is_neither_a_toy_nor_noise(sample: pd.DataFrame):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    model = make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    accuracy = cross_val_score(model, sample["text"], sample["sector"], cv=folds).mean()
    assert 0.60 <= accuracy <= 0.92


def test_every_topic_has_enough_messages_to_learn_from(sample: pd.DataFrame):
    assert sample.groupby(["sector", "topic"]).size().min() >= 5


PHONE = re.compile(r"(?<![\d.])(?:\+?7|8)[\s(-]*9\d{2}[\s)-]*\d{3}[\s-]*\d{2}[\s-]*\d{2}(?!\d)")
INVENTED_PHONE = re.compile(r"[78]900000\d{4}")
EMAIL = re.compile(r"@([\w-]+(?:\.[\w-]+)+)")


def in_any_encoding(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return path.read_text(encoding="cp1251")


@pytest.mark.parametrize(
    "path",
    [SAMPLE, *sorted(p for p in (SAMPLE.parent / "exports").iterdir() if p.suffix != ".xlsx")],
    ids=lambda path: path.name,
)
def test_phones_and_addresses_in_the_samples_are_invented(path: Path):
    text = in_any_encoding(path)
    phones = [re.sub(r"\D", "", phone) for phone in PHONE.findall(text)]
    assert [phone for phone in phones if not INVENTED_PHONE.fullmatch(phone)] == []
    assert set(EMAIL.findall(text)) <= {"example.com", "example.ru", "example.org"}


def test_the_sample_has_phones_and_addresses_to_mask(sample: pd.DataFrame):
    assert sample["text"].str.contains(PHONE).sum() >= 20
    assert sample["text"].str.contains("@example", regex=False).sum() >= 10
