"""«Модели»: an engineer sees drift, what the gate said of each version, and who made which champion."""

import json
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Route, expect

from registry.client import Registry
from registry.drift_reports import KeptReport, keep_report
from registry.history import GATE
from tests.serving.bundles import CLASSIFIER, REGION
from tests.serving.console.conftest import ConsoleService, Visiting

SAYS = "refused: the topic is right in 3 of 100 fewer"


@pytest.fixture()
def retrained(console: ConsoleService) -> ConsoleService:
    """The service after a retrain that the gate refused, and a report on drift."""
    home, store = console.server.home, console.store
    registry = Registry(f"sqlite:///{home}/mlflow/mlflow.db", home, store.promotions)
    said = {"champion": 1, "passed": False, "says": SAYS, "test_rows": 100}
    registry.models.set_tag(CLASSIFIER, 1, GATE, json.dumps(said))
    keep_report(home, REGION, KeptReport(datetime.now(UTC), True, "drift: texts are other ones", "# Drift\n\nAUC 0.81"))
    store.close()
    return console


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844)])
def test_an_engineer_sees_how_the_models_came_to_serve(
    retrained: ConsoleService, visiting: Visiting, width: int, height: int
) -> None:
    with visiting("engineer", width=width, height=height) as seen:
        page = seen.open("models", heading="Модели")
        headings = page.locator("main h1, main h2").all_inner_texts()
        assert headings[0] == "Модели"
        assert headings.index("Изменились ли обращения") == headings.index(CLASSIFIER) + 2, "what serves stands first"
        expect(page.get_by_text("тревога. drift: texts are other ones")).to_be_visible()
        page.get_by_text("Весь отчёт").click()
        expect(page.get_by_text("AUC 0.81")).to_be_visible()
        table = page.get_by_role("table", name="Последние версии").first
        row = table.get_by_role("row").nth(1)
        expect(row).to_contain_text("не пройдена")
        expect(row).to_contain_text(f"против версии 1: {SAYS}")
        expect(page.get_by_role("table", name="Кто и когда становился чемпионом").first).to_contain_text("1")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        seen.check_access()
        seen.check_alone()


def test_versions_lead_into_mlflow_where_its_address_is_known(visiting: Visiting) -> None:
    with visiting("engineer") as seen:

        def with_address(route: Route) -> None:
            answer = route.fetch()
            said = answer.json() | {"mlflow_url": "http://mlflow.local:5000/"}
            route.fulfill(response=answer, json=said)

        seen.page.route("**/v1/models/history", with_address)
        page = seen.open("models", heading="Модели")
        links = page.locator("a[href^='http://mlflow.local:5000/#/models/']")
        assert links.first.get_attribute("href") == f"http://mlflow.local:5000/#/models/{CLASSIFIER}/versions/1"
        assert "noopener" in str(links.first.get_attribute("rel"))


def test_an_analyst_sees_what_serves_and_no_history(visiting: Visiting) -> None:
    with visiting("analyst") as seen:
        page = seen.open("models", heading="Модели")
        expect(page.get_by_text("Чемпион с").first).to_be_visible()
        expect(page.get_by_text("Изменились ли обращения")).to_have_count(0)
        seen.check_alone()
