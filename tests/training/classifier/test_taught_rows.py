"""Taught rows: which of them are held out together, and that every label and every row teaches."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from data.catalogue.checks import load_catalogue
from data.settings import CHECKOUT
from models.classifier.labels import HEADS, learn_label_space

pytest.importorskip("torch")

from training.arguments import ClassifierTraining
from training.classifier.catalogue_rows import WEIGHT, catalogue_rows, example_rows
from training.classifier.fit_ngrams import FOLDS, MOST_TEXTS
from training.classifier.taught_rows import (
    ALWAYS_TAUGHT,
    ENOUGH_HELD_OUT,
    FOLD_ROWS,
    folds_among,
    folds_of,
    taught_rows,
)

CATALOGUE = load_catalogue(CHECKOUT / "configs" / "regions" / "verkhnerechye" / "catalogue.yaml")


def complaints(rows: int, dated: bool = True, words: int = 40) -> pd.DataFrame:
    """Complaints in a drawn order of time; with twenty rows of a catalogue, which has no time, behind them."""
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(rng.permutation(rows), unit="h")
    texts = [f"жалоба {n}" for n in rng.integers(words, size=rows)] if words else [f"жалоба {n}" for n in range(rows)]
    frame = pd.DataFrame({"text": texts, "created_at": days if dated else pd.NaT})
    frame["created_at"] = pd.to_datetime(frame["created_at"], utc=True)
    return pd.concat([frame, pd.DataFrame({"text": [f"тема {n}" for n in range(20)]})], ignore_index=True)


def test_of_few_rows_each_of_five_folds_is_held_out_and_equal_texts_share_one():
    frame = complaints(300)
    frame.loc[:149, "text"] = frame["text"][:150].str.upper() + "!"
    folds, held_out = folds_of(frame, 300, seed=0)
    assert held_out == list(range(FOLDS))
    assert sorted(set(folds)) == held_out
    assert pd.Series(folds).groupby(frame["text"].str.lower().str.strip("!")).nunique().max() == 1


def test_of_many_rows_where_only_some_may_be_held_out_a_fifth_is_one_fold_and_more_are_several():
    frame = complaints(300, words=0)
    few, many = np.arange(40), np.arange(0, 300, 2)
    folds, held_out = folds_among(frame, few, seed=0)
    assert held_out == [0]
    assert np.flatnonzero(folds == 0).tolist() == few.tolist()
    folds, held_out = folds_among(frame, many, seed=0)
    assert held_out == list(range(FOLDS))
    assert np.flatnonzero(folds != ALWAYS_TAUGHT).tolist() == many.tolist()


def test_many_dated_rows_are_held_out_newest_first_and_the_catalogues_words_never():
    count = MOST_TEXTS + 1000
    frame = complaints(count, words=0)
    folds, held_out = folds_of(frame, count, seed=0)
    assert held_out == [0, 1]
    assert (folds[count:] == ALWAYS_TAUGHT).all()
    spans = [frame["created_at"][:count][folds[:count] == fold] for fold in range(FOLDS)]
    for newer, older in pairwise(spans):
        assert newer.min() > older.max()
    assert {len(span) for span in spans} == {count // FOLDS}
    assert np.isin(folds, held_out).sum() >= ENOUGH_HELD_OUT


def test_of_very_many_rows_one_span_is_enough():
    count = 10 * FOLD_ROWS
    folds, held_out = folds_of(complaints(count, words=0), count, seed=0)
    assert held_out == [0]
    assert (folds == 0).sum() == FOLD_ROWS


def test_many_rows_of_which_one_has_no_time_are_drawn_and_equal_texts_share_a_fold():
    count = MOST_TEXTS + 1000
    frame = complaints(count, words=1000)
    frame.loc[7, "created_at"] = pd.NaT
    folds, held_out = folds_of(frame, count, seed=0)
    assert held_out == [0, 1]
    assert (folds[count:] == ALWAYS_TAUGHT).all()
    assert pd.Series(folds[:count]).groupby(frame["text"][:count]).nunique().max() == 1
    assert set(folds[:count]) == set(range(FOLDS))
    newest = frame["created_at"][:count].nlargest(count // FOLDS).index
    assert (folds[newest] == 0).mean() < 0.5, "no span of time"


def test_a_column_half_empty_and_a_label_of_one_row_teach_what_they_have(sample: pd.DataFrame):
    rows = sample.head(120).reset_index(drop=True)
    rows.loc[::2, "agency"] = None
    rows.loc[0, ["sector", "topic"]] = ["Дороги", "Следы на снегу"]
    labels = learn_label_space({head: rows[head].tolist() for head in HEADS})
    taught = taught_rows(rows, labels, CATALOGUE, ClassifierTraining())
    assert taught.complaints == 120
    words, examples = (
        len(catalogue_rows(CATALOGUE, labels.rare["topic"])),
        len(example_rows(CATALOGUE, labels.rare["topic"])),
    )
    assert len(taught.texts) == 120 + words + examples
    assert (taught.targets["agency"][:120:2] == -100).all()
    assert (taught.targets["agency"][1:120:2] >= 0).all()
    assert (taught.targets["topic"][:120] >= 0).all()
    lonely = labels.names["topic"].index("Следы на снегу")
    assert np.flatnonzero(taught.targets["topic"] == lonely).tolist() == [0]
    assert taught.row_weights("topic")[0] == taught.row_weights("topic")[:120].max()
    assert set(taught.weight[:120]) == {1.0}
    assert set(taught.weight[120 : 120 + words]) == {WEIGHT}
    assert set(taught.weight[120 + words :]) == {1.0}
    assert taught.held_out_rows.tolist() == list(range(120))


def test_of_few_rows_all_are_held_out_and_only_some_judged(sample: pd.DataFrame):
    rows, only = sample.head(120).reset_index(drop=True), np.arange(0, 120, 3)
    labels = learn_label_space({head: rows[head].tolist() for head in HEADS})
    taught = taught_rows(rows, labels, CATALOGUE, ClassifierTraining(), only)
    assert taught.held_out_rows.tolist() == only.tolist()
    assert taught.held_out == list(range(FOLDS))
    assert ALWAYS_TAUGHT not in taught.folds
    assert sum(len(taught.rows_of([fold])) for fold in taught.held_out) == len(only)


def test_of_a_handful_of_complaints_none_is_held_out(sample: pd.DataFrame):
    rows = sample.head(49).reset_index(drop=True)
    labels = learn_label_space({head: rows[head].tolist() for head in HEADS}, catalogue=CATALOGUE.label_names)
    taught = taught_rows(rows, labels, CATALOGUE, ClassifierTraining())
    assert len(taught.held_out_rows) == 0
    assert not taught.held_out
