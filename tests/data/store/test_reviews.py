"""The queue of complaints for operators: who waits, in which order, who gets which, and what undoing brings back."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from data.errors import AlreadyAnsweredError, RequestError, UndoError, UnknownComplaintError
from data.store.corrections import Correction
from data.store.operator_answers import write_answer
from data.store.review_queue import QueueFilter
from data.store.splits import Split, write_split
from data.store.store import Store
from tests.data.store.rows import NOON, OTHER, REGION, correction, decision, rows

ALL = QueueFilter()
HOUR = timedelta(hours=1)
LABELS = {"sector": "ЖКХ", "topic": "Тема", "agency": "Орган"}


def review(name: str, hours: int = 0, **changes: object) -> object:
    """A decision for an operator, on a complaint that came so many hours later."""
    return decision(**{"id": name, "decision": "review", "created_at": NOON + hours * HOUR} | changes)


def fill(store: Store, *decisions: object) -> None:
    store.decisions.save(decisions or [review("b", 2), review("a", 1), decision(id="routed")])  # type: ignore[arg-type]


def waiting(store: Store, wanted: QueueFilter = ALL) -> list[str]:
    return [each.id for each in store.queue.page(REGION, wanted, 100)]


def answer(store: Store, name: str, operator: str = "key-1", **labels: str) -> int:
    said = Correction(REGION, "pos", name, operator=operator, **LABELS | labels)  # type: ignore[arg-type]
    with store._database.writing() as connection:
        return write_answer(connection, said)[0]


def claim(store: Store, holder: str = "key-1", held: tuple[str, ...] = (), **changes: object) -> str | None:
    wanted, lasting = changes.get("wanted", ALL), changes.get("lasting", HOUR)
    found = store.claims.next(REGION, holder, [("pos", name) for name in held], wanted, lasting)  # type: ignore[arg-type]
    return None if found is None else found.id


def test_what_is_for_review_waits_until_somebody_has_said_something_of_it(store: Store) -> None:
    fill(store)
    assert waiting(store) == ["a", "b"]
    store.corrections.save([correction(complaint_id="a", sector="Дороги")])
    assert waiting(store) == ["b"]
    assert answer(store, "b") > 0
    assert waiting(store) == []


def test_the_most_urgent_comes_first_and_where_nobody_knows_thirty_days_are_owed(store: Store) -> None:
    soon, late = NOON + timedelta(days=3), NOON + timedelta(days=40)
    fill(store, review("unknown"), review("late", due_at=late), review("soon", due_at=soon))
    assert waiting(store) == ["soon", "unknown", "late"]
    assert [each.urgent_at for each in store.queue.page(REGION, ALL, 3)] == [soon, NOON + timedelta(days=30), late]


def test_pages_go_on_behind_the_last_one_also_among_equals(store: Store) -> None:
    fill(store, *(review(str(number), number // 3) for number in range(10)))
    seen: list[str] = []
    after = None
    while page := store.queue.page(REGION, ALL, 4, after):
        seen += [each.id for each in page]
        after = (page[-1].urgent_at, page[-1].number)
    assert seen == [str(number) for number in range(10)]


def test_where_the_topics_are_nearest_comes_first_if_that_is_asked_for(store: Store) -> None:
    soon = NOON + timedelta(days=3)
    margins = {"sure": 0.9, "torn": 0.02, "torn too": 0.02}
    fill(
        store, *(review(name, due_at=soon, topic_margin=margin) for name, margin in margins.items()), review("unknown")
    )
    seen: list[str] = []
    after = None
    while page := store.queue.page(REGION, ALL, 1, after, "instructive"):
        seen.append(page[0].id)
        after = (page[0].topic_margin, page[0].number)
    assert seen == ["torn", "torn too", "sure", "unknown"]
    fill(store, review("sure", due_at=soon, topic_margin=0.01, model_version="2"))
    assert store.claims.next(REGION, "key-1", [], ALL, HOUR, "instructive").id == "sure"  # type: ignore[union-attr]
    assert store.claims.next(REGION, "key-2", [], ALL, HOUR).id == "torn"  # type: ignore[union-attr]


def test_a_newer_decision_is_what_counts(store: Store) -> None:
    fill(store)
    store.decisions.save([decision(id="a", model_version="2"), review("routed", 5, model_version="2")])  # type: ignore[list-item]
    assert waiting(store) == ["b", "routed"]
    store.decisions.save([review("b", 2, sector="Дороги", model_version="2")])  # type: ignore[list-item]
    assert store.queue.page(REGION, QueueFilter(sector="Дороги"), 9)[0].model_version == "2"


def test_the_word_of_an_operator_holds_for_what_is_sent_again(store: Store) -> None:
    fill(store)
    answer(store, "a")
    store.corrections.save([correction(complaint_id="routed", topic="Т")])
    store.decisions.save([review("a", 1, model_version="2"), review("routed", 3, model_version="2")])  # type: ignore[list-item]
    assert waiting(store) == ["b"]


def test_filters_and_counts(store: Store) -> None:
    kinds = [review("a"), review("b", sector="Дороги"), review("c", sector="Дороги", municipality=None)]
    dues = [NOON + timedelta(days=30) + hours * HOUR for hours in (0, 0, 0, 99_999)]
    fill(store, *kinds, review("d", 99_999, source="hotline"))
    assert claim(store) == "a"
    counts = store.queue.counts(REGION, ALL)
    assert (counts.waiting, counts.overdue, counts.claimed) == (4, sum(due < datetime.now(UTC) for due in dues), 1)
    assert set(counts.kinds) == {
        ("Дороги", None, "pos", 1),
        ("Дороги", "Верхнереченск", "pos", 1),
        ("ЖКХ", "Верхнереченск", "hotline", 1),
        ("ЖКХ", "Верхнереченск", "pos", 1),
    }
    assert waiting(store, QueueFilter(sector="Дороги")) == ["b", "c"]
    assert waiting(store, QueueFilter(sector="Дороги", municipality="Верхнереченск")) == ["b"]
    assert waiting(store, QueueFilter(source="hotline")) == ["d"]
    assert store.queue.counts(REGION, QueueFilter(source="hotline")).waiting == 1
    assert claim(store, "key-2", wanted=QueueFilter(source="hotline")) == "d"


def test_regions_have_queues_of_their_own(store: Store) -> None:
    fill(store, review("a"), review("a", region=OTHER))
    answer(store, "a")
    assert waiting(store) == []
    assert [each.id for each in store.queue.page(OTHER, ALL, 9)] == ["a"]
    assert store.claims.next(OTHER, "key-1", [], ALL, HOUR) is not None


def test_a_complaint_is_one_operators_until_his_claim_runs_out(store: Store) -> None:
    fill(store)
    assert (claim(store), claim(store, "key-2"), claim(store, "key-3")) == ("a", "b", None)
    assert store.queue.page(REGION, ALL, 1)[0].claimed_by == "key-1"
    past = timedelta(seconds=-1)
    assert claim(store, held=(), lasting=past) == "a", "what he has lost sight of comes first"
    assert store.queue.page(REGION, ALL, 1)[0].claimed_by is None
    assert claim(store, "key-3") == "a"


def test_an_operator_keeps_what_is_on_his_screen_by_asking_for_the_next(store: Store) -> None:
    fill(store)
    assert claim(store, lasting=timedelta(seconds=-1)) == "a"
    assert claim(store, held=("a",)) == "b"
    assert claim(store, "key-2") is None
    assert claim(store, held=("a", "b")) is None


def test_one_that_was_taken_over_is_not_taken_back_by_holding_it(store: Store) -> None:
    fill(store, review("a"))
    claim(store, lasting=timedelta(seconds=-1))
    assert claim(store, "key-2") == "a"
    assert claim(store, held=("a",)) is None
    assert store.queue.page(REGION, ALL, 1)[0].claimed_by == "key-2"


def test_what_is_released_is_anybodys_and_what_is_put_aside_nobodys_for_a_while(store: Store) -> None:
    fill(store)
    claim(store)
    assert store.claims.release(REGION, "key-2", [("pos", "a")], None) == 0
    assert claim(store, "key-2") == "b"
    assert store.claims.release(REGION, "key-1", [("pos", "a")], None) == 1
    assert claim(store, "key-3") == "a"
    assert store.claims.release(REGION, "key-3", [("pos", "a")], HOUR) == 1
    assert store.queue.page(REGION, ALL, 1)[0].later
    assert claim(store, "key-3") is None
    claim(store, "key-2", held=("b",))
    assert store.claims.release(REGION, "key-2", [("pos", "b")], -HOUR) == 1
    assert claim(store, "key-3") == "b"


def test_one_complaint_is_taken_by_name_unless_another_has_it(store: Store) -> None:
    fill(store)
    claim(store)
    store.claims.release(REGION, "key-1", [("pos", "a")], HOUR)
    taken = store.claims.take(REGION, "key-1", ("pos", "a"), HOUR)
    assert taken is not None
    assert not store.queue.page(REGION, ALL, 1)[0].later
    assert store.claims.take(REGION, "key-2", ("pos", "a"), HOUR) is None
    assert store.claims.take(REGION, "key-2", ("pos", "routed"), HOUR) is None


def test_of_many_who_ask_at_once_no_two_get_the_same(store: Store, url: str) -> None:
    count, each = 6, 4
    fill(store, *(review(f"{number:02}", number) for number in range(count * each + 1)))
    stores = [Store(url, REGION) for _ in range(count)]
    got: list[list[str | None]] = [[] for _ in range(count)]
    begin = threading.Barrier(count)

    def take(operator: int) -> None:
        begin.wait()
        for _ in range(each):
            held = tuple(name for name in got[operator] if name)
            got[operator].append(claim(stores[operator], f"key-{operator}", held))

    threads = [threading.Thread(target=take, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for opened in stores:
        opened.close()
    taken = [name for names in got for name in names]
    assert None not in taken
    assert len(set(taken)) == count * each


def test_the_second_of_two_who_answer_is_told_so(store: Store, url: str) -> None:
    fill(store)
    answer(store, "a")
    with pytest.raises(AlreadyAnsweredError, match="'a'"):
        answer(store, "a", "key-2", sector="Дороги")
    with pytest.raises(UnknownComplaintError):
        answer(store, "routed")
    assert rows(url, "select operator, sector from corrections") == [("key-1", "ЖКХ")]


def test_of_many_who_answer_at_once_one_is_heard(store: Store, url: str) -> None:
    fill(store)
    said: list[str] = []

    def say(operator: str) -> None:
        own = Store(url, REGION)
        try:
            answer(own, "a", operator)
            said.append(operator)
        except AlreadyAnsweredError:
            pass
        finally:
            own.close()

    threads = [threading.Thread(target=say, args=(f"key-{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(url, "select operator from corrections") == [(operator,) for operator in said]
    assert len(said) == 1


def test_an_undone_answer_is_kept_and_counts_no_longer(store: Store, url: str) -> None:
    fill(store)
    number = answer(store, "a", sector="Дороги", why="не та тема")
    assert store.operator_answers.undo(REGION, number, "key-1", HOUR) == ("pos", "a")
    assert waiting(store) == ["a", "b"]
    (kept,) = store.operator_answers.of(REGION, "pos", "a")
    assert (kept.number, kept.operator, kept.labels.sector, kept.why, kept.undone) == (
        *(number, "key-1", "Дороги", "не та тема"),
        True,
    )
    assert store.corrections.since(REGION, NOON - timedelta(days=999)) == []
    assert store.complaints.counts(REGION, (NOON - timedelta(days=9)).date())["sector"].unique().tolist() == ["ЖКХ"]
    again = answer(store, "a", sector="Дороги")
    assert again > number, "the same once more is a new answer"
    assert [each.complaint_id for each in store.corrections.since(REGION, NOON)] == ["a"]
    assert rows(url, "select count(*) from corrections") == [(2,)]


def test_an_answer_is_undone_by_who_gave_it_in_time_and_once(store: Store) -> None:
    fill(store)
    number = answer(store, "a")
    for region, operator, within in ((REGION, "key-2", HOUR), (OTHER, "key-1", HOUR), (REGION, "key-1", -HOUR)):
        with pytest.raises(UndoError):
            store.operator_answers.undo(region, number, operator, within)
    store.operator_answers.undo(REGION, number, "key-1", HOUR)
    with pytest.raises(UndoError, match="already"):
        store.operator_answers.undo(REGION, number, "key-1", HOUR)


def test_an_answer_that_somebody_has_contradicted_since_stays(store: Store) -> None:
    fill(store)
    number = answer(store, "a")
    store.corrections.save([correction(complaint_id="a", sector="Связь", operator="routing")])
    with pytest.raises(UndoError, match="something else"):
        store.operator_answers.undo(REGION, number, "key-1", HOUR)


def test_an_undone_answer_to_what_is_routed_by_now_does_not_wait(store: Store) -> None:
    fill(store)
    number = answer(store, "a")
    store.decisions.save([decision(id="a", model_version="2")])
    store.operator_answers.undo(REGION, number, "key-1", HOUR)
    assert waiting(store) == ["b"]


def split(store: Store, span: tuple[int, int], whole: str = "a", **changes: object) -> Split:
    with store._database.writing() as connection:
        return write_split(connection, whole, span, review(whole, 1, **changes), "key-1")  # type: ignore[arg-type]


def test_what_is_split_off_is_a_complaint_of_its_own(store: Store) -> None:
    fill(store)
    part, another = split(store, (5, 9)), split(store, (9, 14), decision="route")
    assert (part.part_id, another.part_id) == ("a/2", "a/3")
    assert waiting(store) == ["a", "a/2", "b"]
    assert [(each.start, each.end) for each in store.splits.of(REGION, "pos", "a")] == [(5, 9), (9, 14)]
    with pytest.raises(RequestError, match="already"):
        split(store, (8, 12))
    with pytest.raises(RequestError, match="too long"):
        fill(store, review("x" * 199))
        split(store, (0, 1), "x" * 199)
    answer(store, "a")
    with pytest.raises(AlreadyAnsweredError):
        split(store, (0, 3))
    with pytest.raises(UnknownComplaintError):
        split(store, (0, 3), "routed")


def test_a_split_is_undone_by_who_made_it_in_time_and_before_the_part_is_answered(store: Store, url: str) -> None:
    fill(store)
    part = split(store, (5, 9))
    for operator, within in (("key-2", HOUR), ("key-1", -HOUR)):
        with pytest.raises(UndoError):
            store.operator_answers.undo_split(REGION, part.number, operator, within)
    number = answer(store, "a/2")
    with pytest.raises(UndoError, match="answered"):
        store.operator_answers.undo_split(REGION, part.number, "key-1", HOUR)
    store.operator_answers.undo(REGION, number, "key-1", HOUR)
    assert store.operator_answers.undo_split(REGION, part.number, "key-1", HOUR) == ("pos", "a")
    with pytest.raises(UndoError):
        store.operator_answers.undo_split(REGION, part.number, "key-1", HOUR)
    assert rows(url, "select id from decisions where id like 'a%'") == [("a",)]
    assert (store.splits.of(REGION, "pos", "a"), waiting(store)) == ([], ["a", "b"])
    assert split(store, (5, 9)).part_id == "a/3", "an id is given once"


def test_of_an_erased_complaint_its_parts_go_too(store: Store, url: str) -> None:
    fill(store)
    split(store, (5, 9))
    split(store, (0, 2), "a/2")
    store.operator_answers.undo(REGION, answer(store, "a"), "key-1", HOUR)
    answer(store, "a/2")
    gone = store.erasures.erase(REGION, "a", None, "tsur erase")
    assert gone.rows["decisions"] == 3
    for table, column in (
        ("decisions", "id"),
        ("reviews", "id"),
        ("splits", "part_id"),
        ("corrections", "complaint_id"),
    ):
        assert not rows(url, f"select * from {table} where {column} like 'a%'"), table
    assert rows(url, "select * from undone_corrections") == []
    with pytest.raises(UnknownComplaintError):
        store.erasures.erase(REGION, "a", None, "tsur erase")
