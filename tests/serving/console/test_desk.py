"""An operator's desk in a real browser: the whole task by mouse and by keyboard alone, two operators, mishaps."""

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psutil
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from data.catalogue.checks import load_catalogue
from data.complaints.masking import MaskedText
from data.store.corrections import CorrectedComplaint, Labels
from serving.store_thread import EVERY_SECONDS
from tests.data.store.rows import decision
from tests.serving.bundles import CATALOGUE, REGION
from tests.serving.console.browser import SECONDS, visit
from tests.serving.console.conftest import ConsoleService, Visiting
from tests.serving.console.filled_store import HOSTILE

HEADING = "Разбор"
OWN = load_catalogue(CATALOGUE)
PLACES = [place.name for place in OWN.municipalities][2:]
TWO = "Третью неделю не вывозят мусор на Садовой. Ещё в подъезде второй месяц нет света."
UNDO = re.compile("Отменить прошлое")
Put = Callable[..., Labels]


@pytest.fixture(autouse=True)
def patience() -> None:
    """What a busy machine may take to show something."""
    expect.set_options(timeout=1000 * SECONDS)


@pytest.fixture()
def put(console: ConsoleService) -> Put:
    """Let complaints of a place wait, the first one the most urgent, the last one the least sure; their labels."""

    def save(place: str, *names: str, text: str = TWO) -> Labels:
        triple = OWN.triples(OWN.municipality_id(place))[0]
        labels = {"sector": triple.sector, "topic": triple.topic, "agency": triple.agency}
        now = datetime.now(UTC)
        rows = [
            decision(
                **labels | {"id": name, "municipality": place, "text": MaskedText(text), "decision": "review"},
                reasons=["low_confidence"],
                created_at=now - timedelta(hours=3) + timedelta(minutes=number),
                topic_margin=1 / (1 + number),
            )
            for number, name in enumerate(names)
        ]
        store = console.store
        store.decisions.save(rows)
        store.close()
        return Labels(**labels)

    return save


def said(console: ConsoleService, name: str) -> CorrectedComplaint | None:
    """The last standing correction of a complaint."""
    store = console.store
    found = [
        each for each in store.corrections.since(REGION, datetime(2026, 1, 1, tzinfo=UTC)) if each.complaint_id == name
    ]
    store.close()
    return found[-1] if found else None


def shows(page: Page, name: str) -> None:
    """Wait until this complaint is on the screen, whole."""
    expect(page.locator(".facts dd").nth(1)).to_have_text(name)
    expect(page.get_by_text("Ищем слова")).to_have_count(0)


def address(place: str) -> str:
    return f"desk?municipality={place}"


def test_by_keyboard_alone_a_confirmation_is_one_key_and_a_correction_at_most_three(
    visiting: Visiting, console: ConsoleService, put: Put
) -> None:
    labels = put(PLACES[0], "k1", "k2", "k3", "k4")
    with visiting("operator") as seen:
        page, press = seen.open(address(PLACES[0]), heading=HEADING), seen.page.keyboard.press
        shows(page, "k1")
        seen.check_access()
        press("Enter")
        shows(page, "k2")
        confirmed = said(console, "k1")
        assert confirmed is not None
        assert (confirmed.corrected, confirmed.operator) == (labels, "key-2")
        second, third = page.get_by_role("radio").nth(1), page.locator("fieldset").nth(1).get_by_role("radio").nth(2)
        for key in ("2", "8"):
            press(key)
        expect(second).to_be_checked()
        expect(third).to_be_checked()
        press("Enter")
        shows(page, "k3")
        corrected = said(console, "k2")
        assert corrected is not None
        assert corrected.corrected.topic != labels.topic
        OWN.topic(corrected.corrected.sector or "", corrected.corrected.topic or "")
        press("KeyJ")
        shows(page, "k2")
        expect(page.get_by_role("radio").first).to_be_checked()
        assert said(console, "k2") is None
        press("Slash")
        page.keyboard.type("парковка")
        seen.check_access()
        press("Enter")
        press("KeyR")
        page.keyboard.type("машины на газоне")
        press("Enter")
        shows(page, "k3")
        found = said(console, "k2")
        assert found is not None
        assert (found.corrected.sector, found.corrected.topic) == ("Дороги", "Парковка")
        assert found.corrected.agency in OWN.agencies_for("Дороги", "Парковка", OWN.municipality_id(PLACES[0]))
        press("KeyG")
        shows(page, "k4")
        press("Enter")
        expect(page.get_by_text("Свободных обращений нет")).to_be_visible()
        seen.check_access()
        seen.check_alone()


def test_by_mouse_alone(visiting: Visiting, console: ConsoleService, put: Put) -> None:
    labels = put(PLACES[1], "m1", "m2", text=HOSTILE)
    with visiting("operator", width=390, height=844) as seen:
        page = seen.open(address(PLACES[1]), heading=HEADING)
        shows(page, "m1")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        expect(page.locator(".message")).to_contain_text('<img src=x onerror="document.title=1"> <b>жирный</b>')
        assert page.locator(".message b, .message img").count() == 0
        assert "\u202e" not in page.locator(".message").inner_text()
        assert "Разбор" in page.title()
        page.locator("fieldset").first.locator("label").nth(2).click()
        page.get_by_role("button", name="Исправить").click()
        shows(page, "m2")
        corrected = said(console, "m1")
        assert corrected is not None
        assert corrected.corrected.topic != labels.topic
        page.get_by_role("button", name="Отменить", exact=True).click()
        shows(page, "m1")
        page.get_by_label("Другая тема").click()
        page.get_by_label("Другая тема").fill("светоф")
        page.get_by_role("listbox").get_by_role("option").first.click()
        page.get_by_role("button", name="Исправить").click()
        shows(page, "m2")
        assert (said(console, "m1") or corrected).corrected.topic == "Светофор"
        page.get_by_role("button", name="Позже").click()
        expect(page.get_by_text("Свободных обращений нет")).to_be_visible()
        page.get_by_text("Очередь", exact=True).click()
        page.get_by_role("button", name="взять").click()
        shows(page, "m2")
        seen.settle()
        seen.check_access()
        page.get_by_role("button", name="Верно").click()
        expect(page.get_by_text("Все обращения разобраны")).to_be_visible()
        assert said(console, "m2") is not None
        seen.check_alone()


def test_two_operators_never_get_the_same_complaint(browser: Browser, console: ConsoleService, put: Put) -> None:
    names = [f"t{number}" for number in range(8)]
    put(PLACES[2], *names)
    store = console.store
    other = store.keys.make("Второй", "operator", frozenset({REGION}), None)[1]
    store.close()
    time.sleep(2 * EVERY_SECONDS)  # until the service knows the key
    seen: dict[str, list[str]] = {"one": [], "two": []}
    with visit(browser, console.base, console.keys["operator"]) as one, visit(browser, console.base, other) as two:
        pages = {"one": one.open(address(PLACES[2])), "two": two.open(address(PLACES[2]))}
        for _ in range(len(names)):
            for who, page in pages.items():
                if page.locator(".state.empty").count():
                    continue
                shown = page.locator(".facts dd").nth(1)
                shown.wait_for()
                seen[who].append(shown.inner_text())
                page.keyboard.press("Enter")
                expect(page.locator(".state.empty").or_(shown).first).not_to_have_text(seen[who][-1])
    assert not set(seen["one"]) & set(seen["two"])
    assert sorted(seen["one"] + seen["two"]) == names


def test_the_second_of_two_who_correct_one_complaint_is_told_who_was_first(
    visiting: Visiting, console: ConsoleService, put: Put
) -> None:
    labels = put(PLACES[3], "s1")
    with visiting("operator") as seen:
        page = seen.open(address(PLACES[3]))
        shows(page, "s1")
        body = {"source": "pos", "id": "s1", **vars(labels)}
        answer = page.request.post(
            f"{seen.base}/v1/queue/answer", data=body, headers={"X-API-Key": console.keys["admin"]}
        )
        assert answer.ok, answer.text()
        page.keyboard.press("3")
        page.keyboard.press("Enter")
        told = page.get_by_role("alert")
        expect(told).to_contain_text("Обращение s1 уже решил другой оператор")
        expect(told).to_contain_text(labels.topic or "")
        seen.check_access()
    first = said(console, "s1")
    assert first is not None
    assert first.corrected == labels


def test_a_session_that_ends_in_the_middle_of_a_correction_loses_nothing(
    visiting: Visiting, console: ConsoleService, put: Put
) -> None:
    labels = put(PLACES[4], "e1", "e2")
    with visiting("operator") as seen:
        page = seen.open(address(PLACES[4]))
        shows(page, "e1")
        page.keyboard.press("2")
        page.keyboard.press("KeyR")
        page.keyboard.type("пишет о другом доме")
        page.context.clear_cookies()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Сеанс закончился")).to_be_visible()
        expect(page.get_by_label("Почему")).to_have_value("пишет о другом доме")
        page.get_by_label("Ключ").fill(console.keys["operator"])
        page.keyboard.press("Enter")
        shows(page, "e2")
        page.keyboard.press("3")
        page.get_by_label("Почему").fill("не дописано")
        page.wait_for_function("sessionStorage.getItem('desk-draft').includes('не дописано')")  # kept once it is drawn
        page.reload()
        shows(page, "e2")
        expect(page.get_by_label("Почему")).to_have_value("не дописано")
        expect(page.get_by_role("radio").nth(2)).to_be_checked()
    corrected = said(console, "e1")
    assert corrected is not None
    assert corrected.corrected.topic != labels.topic
    store = console.store
    (kept,) = store.operator_answers.of(REGION, "pos", "e1")
    store.close()
    assert kept.why == "пишет о другом доме"


def test_a_problem_of_a_message_is_split_off_and_put_back(visiting: Visiting, put: Put) -> None:
    put(PLACES[5], "p1")

    def with_two_problems(route: Route) -> None:
        """The answer as it is, of a classifier that sees the two problems."""
        answer = route.fetch()
        shown = answer.json()
        problem, cut = shown["complaint"]["problems"][0], TWO.index("Ещё")
        spans = [(0, cut - 1), (cut, len(TWO))]
        shown["complaint"]["problems"] = [problem | {"start": start, "end": end} for start, end in spans]
        route.fulfill(response=answer, body=json.dumps(shown))

    with visiting("operator") as seen:
        seen.page.route("**/v1/queue/claim", with_two_problems, times=1)
        page = seen.open(address(PLACES[5]))
        shows(page, "p1")
        expect(page.get_by_text("Проблем в сообщении: 2")).to_be_visible()
        seen.check_access()
        page.keyboard.press("KeyH")
        expect(page.get_by_text("отделено: p1/2")).to_be_visible()
        seen.check_access()
        page.get_by_role("button", name="Вернуть").click()
        expect(page.get_by_text("отделено: p1/2")).to_have_count(0)
        page.get_by_role("button", name="Отделить").click()
        expect(page.get_by_text("отделено: p1/3")).to_be_visible()


def test_what_the_service_cannot_do_now_is_done_when_it_is_back(
    visiting: Visiting, console: ConsoleService, put: Put
) -> None:
    put(PLACES[6], "r1", "r2")
    with visiting("operator") as seen:
        page = seen.open(address(PLACES[6]))
        shows(page, "r1")
        page.keyboard.press("2")
        page.route("**/v1/queue/answer", lambda route: route.abort(), times=1)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Пока не записано")
        seen.check_access()
        for worker in psutil.Process(console.server.process.pid).children(recursive=True):
            if "_bentoml_impl.worker.service" in " ".join(worker.cmdline()):
                worker.kill()
        expect(page.locator(".facts dd").nth(1)).to_have_text("r2", timeout=120_000)
    assert said(console, "r1") is not None


def test_shortcuts_can_be_turned_off(visiting: Visiting, console: ConsoleService, put: Put) -> None:
    put(PLACES[7], "o1")
    with visiting("operator") as seen:
        page = seen.open(address(PLACES[7]))
        shows(page, "o1")
        page.get_by_label("Горячие клавиши").uncheck()
        page.locator("h1").click()
        page.keyboard.press("2")
        expect(page.get_by_role("radio").first).to_be_checked()


def test_what_teaches_most_comes_first_where_the_operator_asks_for_it(visiting: Visiting, put: Put) -> None:
    put(PLACES[8], "z1", "z2", "z3")
    with visiting("operator") as seen:
        page = seen.open(address(PLACES[8]))
        shows(page, "z1")
        page.get_by_label("Сначала").select_option("instructive")
        shows(page, "z3")
        page.keyboard.press("Enter")
        shows(page, "z2")
        assert "order=instructive" in page.url


def test_what_the_desk_cannot_show_it_says(visiting: Visiting) -> None:
    with visiting("operator") as seen:
        seen.page.route("**/v1/queue/claim", lambda route: route.fulfill(status=503, body=json.dumps(NO_CHAMPION)))
        page = seen.page
        page.goto(f"{seen.base}/console/desk")
        expect(page.get_by_text("Модель ещё не обучена")).to_be_visible()
        seen.check_access()
    with visiting("analyst") as seen:
        seen.page.goto(f"{seen.base}/console/desk")
        expect(seen.page.get_by_text("не открывается вашим ключом")).to_be_visible()


NO_CHAMPION = {"error": {"code": "no_champion", "message": "no champion", "details": []}}
