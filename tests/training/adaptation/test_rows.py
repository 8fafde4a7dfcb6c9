"""What an encoder is adapted on: which rows of a region, which of them held out, how often each is read."""

import numpy as np
import pandas as pd
import pytest

from data.errors import InputError
from training.adaptation.rows import MISSING, UNSEEN, newest, region_rows, repetitions
from training.arguments import EncoderAdaptation
from training.classifier.splits import text_keys

ROWS = 120
ARGUMENTS = EncoderAdaptation(held_out_share=0.2)


def complaints(rows: int = ROWS, **columns: list[str | None]) -> pd.DataFrame:
    """Complaints of two sectors in turn, a day each, every text given twice."""
    frame = pd.DataFrame(
        {
            "id": [str(row) for row in range(rows)],
            "text": [f"жалоба номер {row // 2}" for row in range(rows)],
            "source": "other",
            "created_at": pd.date_range("2026-01-01", periods=rows, tz="UTC"),
            "municipality": None,
            "sector": [("ЖКХ", "Дороги")[row % 2] for row in range(rows)],
            "topic": None,
            "agency": None,
        }
    )
    return frame.assign(**{name: pd.Series(cells, dtype=object) for name, cells in columns.items()})


def test_no_text_is_both_taught_and_held_out():
    rows = region_rows("kursk", complaints(), ARGUMENTS)
    assert len(rows.held_out) == 24
    assert len(rows.taught) == ROWS - 24
    assert not set(text_keys(rows.taught["text"])) & set(text_keys(rows.held_out["text"]))


def test_a_column_that_is_half_empty_is_masked_where_it_is_empty():
    topics = ["Ямы" if row % 3 else "Мусор" for row in range(ROWS)]
    half = [topic if row % 2 else None for row, topic in enumerate(topics)]
    rows = region_rows("kursk", complaints(topic=half), ARGUMENTS)
    assert rows.label_counts == {"sector": 2, "topic": 2}
    targets = rows.targets(rows.taught)
    assert (targets["sector"] >= 0).all()
    assert ((targets["topic"] == MISSING) == rows.taught["topic"].isna()).all()
    assert (targets["agency"] == MISSING).all()


def test_a_label_of_held_out_rows_alone_counts_as_missed():
    rows = region_rows("kursk", complaints(), ARGUMENTS)
    targets = rows.targets(rows.held_out.assign(sector="Новое"))
    assert (targets["sector"] == UNSEEN).all()


def test_rows_without_any_label_are_left_out_and_too_few_with_one_are_refused():
    some = [("ЖКХ", "Дороги")[row % 2] if row < 60 else None for row in range(ROWS)]
    rows = region_rows("kursk", complaints(sector=some), ARGUMENTS)
    assert len(rows.taught) + len(rows.held_out) == 60
    few = [("ЖКХ", "Дороги")[row % 2] if row < 49 else None for row in range(ROWS)]
    with pytest.raises(InputError, match=r"kursk: 49 of 120 complaints have a sector, topic or agency; .* at least 50"):
        region_rows("kursk", complaints(sector=few), ARGUMENTS)


def test_rows_that_all_have_one_label_are_refused():
    with pytest.raises(InputError, match="kursk: all rows have the same labels"):
        region_rows("kursk", complaints(sector=["ЖКХ"] * ROWS), ARGUMENTS)


def test_of_more_than_max_rows_the_newest_are_used_and_of_undated_ones_random_ones():
    rng = np.random.default_rng(0)
    shuffled = complaints().sample(frac=1.0, random_state=0).reset_index(drop=True)
    assert sorted(newest(shuffled, 10, rng)["id"].astype(int)) == list(range(110, 120))
    undated = complaints().assign(created_at=pd.Timestamp("2026-01-01", tz="UTC"))
    drawn = newest(undated, 10, rng)["id"].astype(int)
    assert len(set(drawn)) == 10
    assert drawn.is_monotonic_increasing
    assert drawn.min() < 60 < drawn.max()


@pytest.mark.parametrize(
    ("exponent", "read"), [(1.0, [1000, 100, 10]), (0.0, [1000, 1000, 1000]), (0.7, [1000, 200, 40])]
)
def test_small_regions_are_repeated_by_the_exponent_and_every_row_is_read(exponent: float, read: list[int]):
    times = repetitions([1000, 100, 10], exponent, np.random.default_rng(0))
    assert [int(each.sum()) for each in times] == read
    assert all(each.min() >= 1 for each in times)
    assert all(each.max() - each.min() <= 1 for each in times)
