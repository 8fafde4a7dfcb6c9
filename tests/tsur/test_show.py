"""Tables of figures: what a reader of `tsur evaluate` sees, of figures made by hand."""

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from models.classifier.labels import HEADS, LabelSpace
from training.evaluate.evaluate import Evaluation, RareLabels
from training.evaluate.metrics import HeadMetrics
from training.evaluate.routed import routed_figures
from tsur.show import comparison, coverage_by_sector, promises


@pytest.fixture
def evaluation() -> Evaluation:
    """Four rows: the last has no sector, the third no agency; all but the first are routed."""
    targets = {
        "sector": np.array([0, 1, 1, -100]),
        "topic": np.array([0, 0, 1, 1]),
        "agency": np.array([0, 1, -100, 1]),
    }
    predicted = {"sector": np.array([0, 1, 0, 0]), "topic": np.array([0, 0, 0, 1]), "agency": np.array([0, 1, 1, 0])}
    routed = np.array([False, True, True, True])
    right = {head: predicted[head] == targets[head] for head in HEADS}
    labelled = {head: targets[head] >= 0 for head in HEADS}
    return Evaluation(
        labels=LabelSpace(dict.fromkeys(HEADS, ("ЖКХ", "Дороги"))),
        heads={head: HeadMetrics(int(labelled[head].sum()), 0.5, 0.25, 0.4, 0.75) for head in HEADS}
        | {"topic": HeadMetrics(0, *[float("nan")] * 4)},
        targets=targets,
        predicted=predicted,
        calibration_error=dict.fromkeys(HEADS, 0.012),
        rare={"sector": RareLabels(2, 0.5), "topic": RareLabels(0, None), "agency": RareLabels(0, None)},
        routed=routed,
        routing=routed_figures(routed, right, labelled),
        promises={0.98: np.array([False, True, False, False]), 0.9: routed},
    )


def shown(table: Table) -> list[str]:
    console = Console(width=140, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(table)
    return [" ".join(line.replace("│", " ").replace("┃", " ").split()) for line in captured.get().splitlines()]


def test_rare_labels_have_a_column_of_their_own_and_a_head_without_rows_no_figures(evaluation: Evaluation):
    lines = shown(comparison(evaluation, None))
    assert "sector 3 0.500 0.250 0.400 0.750 0.012 0.500 of 2" in lines
    assert "topic 0" in lines
    told = "75.0%, agency right in 50.0%, topic right in 66.7%, both right in 50.0%"
    assert f"routed without an operator: {told}" in " ".join(lines)


def test_coverage_is_told_by_true_sector_and_rows_without_an_agency_count_in_it(evaluation: Evaluation):
    lines = shown(coverage_by_sector(evaluation))
    assert "Дороги 2 100.0% 100.0%" in lines  # of the two one has an agency, which is right
    assert "ЖКХ 1 0.0%" in lines
    assert "not given 1 100.0% 0.0%" in lines


def test_promises_stand_in_their_order_with_what_each_would_route(evaluation: Evaluation):
    lines = shown(promises(evaluation))
    assert lines.index("90% 75.0% 50.0% 66.7% 50.0%") < lines.index("98% 25.0% 100.0% 100.0% 100.0%")
