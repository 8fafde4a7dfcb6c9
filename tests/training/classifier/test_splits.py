"""Folds: every complaint tested once, near-duplicates together, the same folds every time."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from data.complaints.cleaning import clean_text
from data.errors import InputError
from training.classifier import splits
from training.classifier.splits import cross_validation_folds, near_duplicate_groups, stable_split

COMPLAINT = "На улице Лесной третий день не вывозят мусор, контейнеры переполнены, пакеты лежат на дороге."


@pytest.mark.parametrize(
    ("other", "together"),
    [
        (COMPLAINT, True),
        (COMPLAINT.upper(), True),
        (COMPLAINT + " Примите меры!", True),
        (COMPLAINT.replace("третий", "пятый"), True),
        ("На улице Лесной нет горячей воды, трубу прорвало ещё в среду.", False),
        ("Автобус не пришёл.", False),
    ],
)
def test_near_duplicates_share_a_group(other, together):
    groups = near_duplicate_groups([COMPLAINT, "Врач не принимает по записи, талонов нет.", other])
    assert (groups[0] == groups[2]) == together
    assert groups[0] != groups[1]


def test_a_chain_of_near_duplicates_is_one_group():
    words = COMPLAINT.split()
    chain = [" ".join(words[: 6 + i]) for i in range(len(words) - 5)]
    groups = near_duplicate_groups([chain[0], chain[-1], *chain[1:-1]])
    assert near_duplicate_groups([chain[0], chain[-1]]).tolist() == [0, 1], "the ends alone are no near-duplicates"
    assert len(set(groups)) == 1


def test_groups_do_not_depend_on_how_many_similarities_fit_into_memory(sample, monkeypatch):
    texts = sample["text"].head(120).tolist() + sample["text"].head(20).str.upper().tolist()
    at_once = near_duplicate_groups(texts)
    monkeypatch.setattr(splits, "_SIMILARITIES", 7 * len(texts))
    assert_array_equal(near_duplicate_groups(texts), at_once)
    assert (at_once[:20] == at_once[120:]).all()


@pytest.fixture(scope="module")
def frame(sample):
    rows = sample.groupby("sector").head(25)
    copies = rows.head(30).assign(text=rows["text"].head(30) + " Ждём ответа.")
    return pd.concat([rows, copies], ignore_index=True)


def test_every_row_is_tested_once_and_never_taught_in_its_fold(frame):
    folds = cross_validation_folds(frame)
    assert len(folds) == 5
    assert_array_equal(np.sort(np.concatenate([test for _, test in folds])), np.arange(len(frame)))
    for train, test in folds:
        assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(len(frame)))


def test_near_duplicates_never_stand_on_both_sides(frame):
    groups = near_duplicate_groups(frame["text"].tolist())
    assert len(set(groups)) < len(frame)
    for train, test in cross_validation_folds(frame):
        assert not set(groups[train]) & set(groups[test])


def test_sectors_keep_their_shares(frame):
    shares = frame["sector"].value_counts(normalize=True)
    for _, test in cross_validation_folds(frame):
        here = frame["sector"].iloc[test].value_counts(normalize=True).reindex(shares.index, fill_value=0)
        assert (here - shares).abs().max() < 0.04


def test_folds_are_the_same_every_time_and_others_with_another_seed(frame):
    first, again, other = (cross_validation_folds(frame, 3, seed) for seed in (0, 0, 1))
    for (train, test), (train_again, test_again) in zip(first, again, strict=True):
        assert_array_equal(train, train_again)
        assert_array_equal(test, test_again)
    assert any(not np.array_equal(a[1], b[1]) for a, b in zip(first, other, strict=True))


def test_rows_without_labels_have_a_fold_too(frame):
    bare = frame.assign(
        topic=frame["topic"].where(frame.index % 3 > 0), sector=frame["sector"].where(frame.index % 4 > 0)
    )
    tested = np.concatenate([test for _, test in cross_validation_folds(bare)])
    assert len(tested) == len(frame)


@pytest.mark.parametrize(
    ("rows", "folds", "sentence"),
    [(49, 5, "at least 50 complaints, there are 49"), (60, 50, "60 complaints cannot be split into 50 folds")],
)
def test_too_few_rows_are_refused(sample, rows, folds, sentence):
    with pytest.raises(InputError, match=sentence):
        cross_validation_folds(sample.head(rows), folds)


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "groups"), [("kursk", 1944), ("ryazan", 1280)])
def test_real_corpora_have_the_near_duplicates_that_docs_speak_of(real_data, name, groups):
    texts = pd.read_csv(real_data / "text" / f"{name}.csv")["text"]
    assert len(set(near_duplicate_groups([clean_text(text) for text in texts]))) == groups


def kept_back(frame: pd.DataFrame, holdout: float = 0.2, key: str = "verkhnerechye") -> set[str]:
    """Ids of the rows that a stable split keeps back."""
    split = stable_split(frame, holdout, key)
    assert_array_equal(np.sort(np.concatenate([split.train, split.test])), np.arange(len(frame)))
    return set(frame["id"].iloc[split.test])


@pytest.mark.parametrize("seed", range(5))
def test_rows_that_join_or_leave_move_no_other_row_to_the_other_side(sample, seed):
    order = np.random.default_rng(seed).permutation(len(sample))
    for rows in (5, 400, 1500):
        some = sample.iloc[order[:rows]]
        assert kept_back(some) == kept_back(sample) & set(some["id"])


def test_equal_texts_stand_on_one_side_however_they_are_typed(sample):
    shouted = sample.assign(text=sample["text"].str.upper() + "!!", id="again-" + sample["id"])
    assert kept_back(shouted) == {f"again-{id_}" for id_ in kept_back(sample)}


def test_the_share_kept_back_is_the_one_asked_for_and_grows_without_a_swap(sample):
    none, fifth, third = (kept_back(sample, share) for share in (0.0, 0.2, 0.33))
    assert not none
    assert len(fifth) / len(sample) == pytest.approx(0.2, abs=0.03)
    assert fifth < third
    assert kept_back(sample, 1.0) == set(sample["id"])


def test_another_key_keeps_back_other_rows_and_this_one_the_same_for_ever(sample):
    assert len(kept_back(sample) & kept_back(sample, key="zarechye")) < 0.5 * len(kept_back(sample))
    text = pd.DataFrame({"id": list("abcdef"), "text": ["яма", "снег", "лёд", "мусор", "вода", "газ"]})
    assert kept_back(text, 0.5, "key") == {"d", "e", "f"}
