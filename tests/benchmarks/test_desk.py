"""The benchmark of the operator's desk: what it counts, and both desks worked through in a real browser."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.desk.benchmark import figures, table, targets
from benchmarks.desk.desks import Case, work_through
from benchmarks.desk.operator import Effort
from benchmarks.desk.queue_speed import measure
from data.catalogue.checks import load_catalogue
from tests.serving.bundles import CATALOGUE, CLASSIFIER, register, write_classifier

NEVER = 2.0
"""A threshold that no confidence reaches: every complaint waits for an operator."""


def test_figures_count_keys_and_choices_and_what_had_to_be_searched_for():
    efforts = [Effort(1, 1, True), Effort(3, 3, True), Effort(9, 2, False)]
    assert figures(efforts, right=3) == {
        "complaints": 3,
        "keys": 13,
        "choices": 6,
        "confirmed": 1,
        "searched": 1,
        "most_keys_among_proposals": 3,
        "right": 3,
    }


def test_targets_compare_both_desks_and_take_the_slowest_question(tmp_path: Path):
    efforts = {"desk": figures([Effort(2, 2, True)], 1), "without proposals": figures([Effort(8, 2, False)], 1)}
    speed = measure(tmp_path, complaints=60)
    goals = targets(efforts, speed)
    assert [goal.value for goal in goals[:2]] == [0.4, 2]
    assert all(goal.met for goal in goals[:2])
    assert goals[2].value == max(each["p95_ms"] for each in speed.values())
    assert "| without proposals | 1 | 8 | 2 | 0 | 1 | 0 | 1 |" in table(efforts, speed)


def test_both_desks_end_with_the_right_labels_and_a_correction_takes_at_most_three_keys(
    tmp_path: Path, at_home: Callable[[Path], None]
):
    if shutil.which("chromium") is None:
        pytest.skip("Chromium is not installed: apt-get install chromium (make test does so as root)")
    home = tmp_path / "home"
    (home / "mlflow" / "artifacts").mkdir(parents=True)
    register(home, CLASSIFIER, write_classifier(tmp_path / "bundle", threshold=NEVER))
    catalogue = load_catalogue(CATALOGUE)
    place = catalogue.municipalities[0]
    triples = [each for each in catalogue.triples(place.id) if each.topic in ("Парковка", "Светофор")]
    cases = [Case(f"Обращение о том, что {each.topic}", place.name, each) for each in triples]
    at_home(home)
    for proposals in (True, False):
        (tmp_path / str(proposals)).mkdir()
        efforts, right = work_through(cases, tmp_path / str(proposals), proposals)
        assert (len(efforts), right) == (len(cases), len(cases))
        assert all(effort.keys <= 3 for effort in efforts if effort.proposed)
