"""The dashboard and the alerts name metrics, labels and values that the service has; every alert has its page."""

import json
import re
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from data.settings import CHECKOUT
from data.store.corrections import Agreement
from serving.http.metrics import Metrics
from serving.regions.champions import Champion
from tests.data.store.rows import REGION, decision

FOLDER = CHECKOUT / "configs" / "monitoring"
RULES = [
    rule
    for group in yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((FOLDER / "grafana_dashboard.json").read_text(encoding="utf-8"))
EXPRESSIONS = [(rule["alert"], rule["expr"]) for rule in RULES] + [
    (panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]
]
OPERATIONS = (CHECKOUT / "docs" / "operations.md").read_text(encoding="utf-8")
SELECTOR = re.compile(r"\b((?:tsur_|up\b)\w*)(?:\{([^}]*)\})?")


@pytest.fixture(scope="module")
def shown() -> dict[str, set[str]]:
    """Names of samples that a service shows which has done everything once, each with its labels."""
    metrics = Metrics(REGION, CollectorRegistry())
    metrics.request("POST", "/v1/classify", 500, "internal", 0.1)
    metrics.classified([decision()])
    metrics.corrected([Agreement("agency", True)])
    metrics.cache(1, 2)
    model = SimpleNamespace(origin=date(2026, 11, 10))
    metrics.champions([Champion("m", "1", model, registered_at=datetime(2026, 11, 1, tzinfo=UTC))])
    metrics.surges({"observed": 1, "expected": 0})
    metrics.store(True, 0)
    lines = re.findall(r"^(\w+)\{(.*)\} ", generate_latest(metrics.registry).decode(), re.M)
    return {name: set(re.findall(r'(\w+)="', labels)) for name, labels in lines}


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS)
def test_every_metric_and_label_that_is_named_exists(where: str, expression: str, shown: dict[str, set[str]]) -> None:
    named = SELECTOR.findall(expression)
    assert named, f"{where}: no metric"
    for name, labels in named:
        if name != "up":  # Prometheus's own
            assert name in shown, f"{where}: {name}"
            assert set(re.findall(r'(\w+)\s*=~?"', labels)) <= shown[name], f"{where}: {name}"
    for labels in re.findall(r"by \(([^)]*)\)", expression):
        assert set(re.split(r",\s*", labels)) <= {label for name, _ in named for label in shown.get(name, set())}


def test_every_metric_of_ours_bears_its_region(shown: dict[str, set[str]]) -> None:
    assert {name for name, labels in shown.items() if "region" not in labels} == set()
    assert len(shown) >= 14


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_has_its_page(rule: dict[str, object]) -> None:
    assert f"### {rule['alert']}\n" in OPERATIONS


def test_a_champion_that_was_replaced_is_shown_as_such() -> None:
    metrics = Metrics(REGION, CollectorRegistry())
    for version in ("1", "2"):
        metrics.champions([Champion("m", version, SimpleNamespace())])
    text = generate_latest(metrics.registry).decode()
    assert re.findall(r'tsur_champion\{name="m",region="\w+",version="(\d)"\} ([\d.]+)', text) == [
        ("1", "0.0"),
        ("2", "1.0"),
    ]
