"""A table of outcomes becomes events of the store; bad rows are set aside with line and reason."""

from pathlib import Path

import pytest

from data.complaints.sources import load_map
from data.errors import ColumnsError, ConfigError, InputError
from data.outcomes.importing import OutcomeMap, import_outcomes
from data.settings import CHECKOUT
from data.store.store import Store
from tests.data.store.rows import REGION, decision, rows

HEADER = "Номер;Исполнитель;Первый исполнитель;Перенаправлений;Направлено;Ответ дан;Закрыто\n"
GOOD = "1;Комитет;Управа;2;10.11.2026 16:00;11.11.2026 10:00;12.11.2026\n"


@pytest.fixture()
def store(tmp_path: Path) -> Store:
    made = Store(f"sqlite:///{tmp_path}/store.db", REGION)
    made.decisions.save([decision(id=str(n), source="other") for n in range(1, 6)])
    return made


def generic() -> OutcomeMap:
    return load_map(OutcomeMap, "generic", CHECKOUT / "configs" / "outcomes", timezone="Europe/Moscow")


def imported(tmp_path: Path, store: Store, text: str):
    path = tmp_path / "outcomes.csv"
    path.write_text(text, encoding="utf-8")
    return import_outcomes(path, generic(), REGION, store.outcomes)


def test_a_row_becomes_events_in_utc_and_is_not_stored_twice(tmp_path: Path, store: Store) -> None:
    first = imported(tmp_path, store, HEADER + GOOD)
    assert (first.rows, first.stored, first.repeated, len(first.rejects)) == (1, 5, 0, 0)
    events = rows(f"sqlite:///{tmp_path}/store.db", "select event, at, nth, agency from outcomes order by number")
    assert [(event, at and at[:19], nth, agency) for event, at, nth, agency in events] == [
        ("rerouted", None, 1, None),
        ("rerouted", None, 2, "Комитет"),
        ("sent", "2026-11-10 13:00:00", 1, "Управа"),
        ("answered", "2026-11-11 07:00:00", 1, "Комитет"),
        ("closed", "2026-11-12 20:59:59", 1, "Комитет"),
    ]
    again = imported(tmp_path, store, HEADER + GOOD)
    assert (again.stored, again.repeated) == (0, 5)


def test_bad_rows_are_set_aside_with_line_and_reason_and_the_good_ones_stay(tmp_path: Path, store: Store) -> None:
    bad = [
        ";К;;0;;11.11.2026 10:00;\n",
        "2;К;;много;;11.11.2026 10:00;\n",
        "3;К;;0;;скоро;\n",
        "99;К;;0;;11.11.2026 10:00;\n",
        "4;К;;0;;09.11.2026 10:00;\n",
        "5;К;;0;;11.11.2026 10:00;10.11.2026 19:00\n",
    ]
    result = imported(tmp_path, store, HEADER + GOOD + "".join(bad))
    assert result.stored == 6, "of line 8 the one that comes first in time is stored"
    reasons = dict(zip(result.rejects["line"], result.rejects["reason"], strict=True))
    for line, why in [
        (3, "the id is empty"),
        (4, "reroutings 'много' is no count"),
        (5, "answered_at 'скоро' is no date"),
        (6, "no complaint '99' of source 'other' was classified here"),
        (7, "lies before the complaint came"),
        (8, "cannot come after closed"),
    ]:
        assert why in reasons[line]
    assert sorted(reasons) == [3, 4, 5, 6, 7, 8]


def test_a_file_of_nothing_that_fits_is_refused_with_the_first_reason(tmp_path: Path, store: Store) -> None:
    with pytest.raises(InputError, match=r"no outcome of 1 rows can be stored; line 2: no complaint '99'"):
        imported(tmp_path, store, HEADER + GOOD.replace("1;", "99;", 1))


def test_a_file_without_times_is_refused_with_what_it_has(tmp_path: Path, store: Store) -> None:
    with pytest.raises(ColumnsError, match="no column for any time; there are Номер, Тема"):
        imported(tmp_path, store, "Номер;Тема\n1;Ямы\n")


@pytest.mark.parametrize(
    ("columns", "why"),
    [("{id: A}", "no column is named for any of sent_at"), ("{answered_at: A}", "'id'"), ("{text: A}", "'text'")],
)
def test_what_is_wrong_with_a_map_is_one_sentence(tmp_path: Path, columns: str, why: str) -> None:
    (tmp_path / "own.yaml").write_text(f"name: pos\ntitle: Т\ncolumns: {columns}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=why):
        load_map(OutcomeMap, "own", tmp_path, timezone="Europe/Moscow")
