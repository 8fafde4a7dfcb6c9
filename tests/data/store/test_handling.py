"""The row that says how a complaint was handled is what decisions, corrections and outcomes say of it."""

import pytest

from data.store.store import Store
from tests.data.store.handled import write_a_story
from tests.data.store.rows import REGION, decision, rows


def test_a_row_is_what_all_other_tables_say(store: Store, url: str) -> None:
    write_a_story(store)
    columns = "id, number, sector, topic, agency, agrees_sector, agrees_topic, agrees_agency, told, reroutings"
    assert rows(url, f"select {columns} from handling order by id") == [
        ("1", 4, "Дороги", "Тема", "Ведомство", False, None, True, True, 1),
        ("2", 2, "ЖКХ", "Тема", "Орган", None, None, None, False, 0),
        ("3", 3, "ЖКХ", "Тема", "Орган", None, None, None, False, 0),
    ]
    moments = "select sent_at, answered_at, week_before, spoken_at is null from handling where id = '1'"
    (sent, answered, week_before, silent) = rows(url, moments)[0]
    assert [str(each)[:16] for each in (sent, answered)] == ["2026-11-10 12:30", "2026-11-10 13:00"]
    assert (str(week_before)[:19], bool(silent)) == ("2026-11-03 12:00:00", False)


@pytest.mark.parametrize("erased", ["1", "3"])
def test_what_is_erased_has_none(store: Store, url: str, erased: str) -> None:
    write_a_story(store)
    store.erasures.erase(REGION, erased, None, "tsur erase")
    assert rows(url, f"select count(*) from handling where id = '{erased}'") == [(0,)]
    store.decisions.save([decision(id=erased)])
    assert rows(url, "select count(*) from handling") == [(3,)]
