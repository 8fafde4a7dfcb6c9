"""The gate: honest challengers pass, each kind of loss is refused with its reason."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from data.catalogue.migrations import in_order
from tests.data.catalogue.test_migrations import MERGED, RENAMED, SPLIT
from training.retrain.answers import Answers, in_todays_names
from training.retrain.gate import EarlierTest, Verdict, judge
from training.retrain.gate_limits import Check, GateLimits
from training.retrain.gate_report import Judged, gate_report
from training.retrain.label_checks import lost_and_won, mcnemar

ROWS, TOPICS = 900, 12
LIMITS = GateLimits()
NEWEST = np.arange(ROWS) >= 600
Truth = dict[str, np.ndarray]


def truth_of(seed: int = 0) -> Truth:
    """Twelve topics in four sectors, three agencies; some rows have no agency yet."""
    topics = np.random.default_rng(seed).integers(0, TOPICS, ROWS)
    agencies = [f"орган {topic % 3}" if row % 10 else None for row, topic in enumerate(topics)]
    return {
        "sector": np.array([f"сектор {topic % 4}" for topic in topics], dtype=object),
        "topic": np.array([f"тема {topic}" for topic in topics], dtype=object),
        "agency": np.array(agencies, dtype=object),
    }


def answers(truth: Truth, seed: int, accuracy: float = 0.85) -> Answers:
    """A calibrated model: half of its answers sure, of which 97 % are right; right of all as often as asked."""
    rng = np.random.default_rng(seed)
    sure = np.random.default_rng(99).random(ROWS) < 0.5  # what is easy is easy for every model
    share = np.where(sure, 0.97, 2 * accuracy - 0.97)
    predicted = {}
    for head, labels in truth.items():
        names = np.unique([label for label in labels if label is not None])
        others = rng.choice(names, ROWS)
        hard = np.random.default_rng(7).random(ROWS) * 0.9 + 0.1 * rng.random(ROWS)
        right = hard < share
        predicted[head] = np.array(
            [
                label if good and label is not None else other
                for label, good, other in zip(labels, right, others, strict=True)
            ],
            dtype=object,
        )
    confidence = dict.fromkeys(truth, np.where(sure, 0.97, 2 * accuracy - 0.97))
    return Answers(predicted, confidence, sure, seconds=0.02, agreement={"topic": 0.998})


TRUTH = truth_of()
CHAMPION = answers(TRUTH, 1)


def verdict(challenger: Answers, **options) -> Verdict:
    limits = options.pop("limits", LIMITS)
    return judge(TRUTH, CHAMPION, challenger, options.pop("newest", NEWEST), limits, **options)


def failed(found: Verdict) -> set[str]:
    return {check.name for check in found.checks if not check.passed}


def misread(head: str, was: str, now: str, share: float = 1.0, rows: np.ndarray | None = None) -> Answers:
    """The champion, but that it says `now` where the truth is `was`."""
    said = CHAMPION.predicted[head].copy()
    concerned = TRUTH[head] == was if rows is None else rows
    said[concerned & (np.random.default_rng(3).random(ROWS) < share)] = now
    return replace(CHAMPION, predicted=CHAMPION.predicted | {head: said})


def test_the_champion_itself_and_a_better_one_pass():
    assert verdict(CHAMPION).promote
    found = verdict(answers(TRUTH, 2, accuracy=0.9))
    assert found.promote, failed(found)
    assert found.first_line.startswith(f"Passed on {ROWS} test rows: +")
    assert found.overall is not None
    assert found.overall.low > 0


def test_nearly_all_honest_challengers_pass():
    passed = [verdict(answers(TRUTH, 100 + seed, accuracy=0.855)).promote for seed in range(10)]
    assert sum(passed) >= 9


NO_AGENCIES = np.array([name is not None for name in TRUTH["agency"]])
POISONED: dict[str, tuple[Callable[[], Answers], str, str]] = {
    "random labels": (lambda: answers(TRUTH, 2, accuracy=0.6), "all labels", "all labels: -"),
    "one topic renamed to another": (lambda: misread("topic", "тема 3", "тема 4"), "labels", "worse in topic тема 3 ("),
    "one topic taken for everything now and then": (
        lambda: misread("topic", "", "тема 4", 0.08, rows=np.ones(ROWS, dtype=bool)),
        "labels",
        "topic тема 4",
    ),
    "one sector lost": (lambda: misread("sector", "сектор 2", "сектор 1"), "sectors and agencies", "sector сектор 2 -"),
    "one agency lost": (lambda: misread("agency", "орган 1", "орган 0", 0.6), "agency", "agency: -"),
    "only the newest rows": (
        lambda: misread("topic", "", "тема 0", 0.15, rows=NEWEST),
        "newest rows",
        "newest rows: -",
    ),
    "sure of everything": (
        lambda: replace(CHAMPION, confidence=dict.fromkeys(TRUTH, np.ones(ROWS))),
        "topic calibration",
        "topic: calibration error 0.",
    ),
    "routes what it does not know": (
        lambda: replace(CHAMPION, routed=np.ones(ROWS, dtype=bool)),
        "promised precision",
        "95% is promised",
    ),
    "routes nothing": (lambda: replace(CHAMPION, routed=np.zeros(ROWS, dtype=bool)), "coverage", "0.0% are routed"),
    "int8 changes decisions": (
        lambda: replace(CHAMPION, agreement={"topic": 0.97}),
        "topic in int8",
        "agrees in 97.0%",
    ),
    "twice as slow": (lambda: replace(CHAMPION, seconds=0.04), "speed", "2.00 times as long"),
}


@pytest.mark.parametrize("poison", POISONED)
def test_a_loss_that_matters_is_refused_with_its_reason_in_the_first_line(poison):
    make, check, reason = POISONED[poison]
    found = verdict(make())
    assert not found.promote
    assert check in failed(found)
    assert found.first_line.startswith("Refused, ")
    assert reason in found.first_line
    assert gate_report(found, Judged("model 1", "model 2", "0001-abc")).startswith("Refused, ")


def test_a_guard_label_is_tested_by_itself():
    challenger = misread("topic", "тема 5", "тема 6", share=0.15)
    assert "guard topic" not in failed(verdict(challenger))
    guarded = LIMITS.model_copy(update={"guard_labels": {"topic": ["тема 5", "тема 7", "никогда"]}})
    found = verdict(challenger, limits=guarded)
    guards = {check.says.split(":")[0]: check.passed for check in found.checks if check.name == "guard topic"}
    assert guards == {"guard topic тема 5": False, "guard topic тема 7": True, "guard topic никогда": True}


def test_a_test_split_that_shrank_or_is_too_small_is_refused():
    all_rows = np.ones(ROWS, dtype=bool)
    assert failed(verdict(CHAMPION, before=EarlierTest(all_rows, ROWS + 1))) == {"the same test rows"}
    assert verdict(CHAMPION, before=EarlierTest(all_rows, ROWS)).promote
    few = verdict(CHAMPION, limits=LIMITS.model_copy(update={"least_rows": ROWS + 1}))
    assert few.first_line == f"Refused, 1 of 1 checks failed: {ROWS} test rows, at least {ROWS + 1} are needed"


def test_wrong_labels_on_both_sides_of_the_split_are_refused_by_the_rows_tested_before():
    joined = np.arange(ROWS) >= 600
    truth = {head: labels.copy() for head, labels in TRUTH.items()}
    truth["topic"][joined & (TRUTH["topic"] == "тема 3")] = "тема 4"
    learnt = CHAMPION.predicted["topic"].copy()
    learnt[TRUTH["topic"] == "тема 3"] = "тема 4"
    learnt[joined] = truth["topic"][joined]  # as far as the new test rows go it knows all
    challenger = replace(CHAMPION, predicted=CHAMPION.predicted | {"topic": learnt})
    before = EarlierTest(~joined, 600, {"topic": frozenset({"тема 4"})})
    found = judge(truth, CHAMPION, challenger, NEWEST, LIMITS, before)
    assert "topic" not in failed(found)
    assert {"tested before: topic", "tested before: labels"} <= failed(found)
    assert judge(truth, CHAMPION, CHAMPION, NEWEST, LIMITS, before).promote


def test_labels_in_play_are_told_from_chance_on_fewer_rows():
    said = CHAMPION.predicted["topic"].copy()
    right = np.flatnonzero((TRUTH["topic"] == "тема 5") & (said == "тема 5"))
    said[right[:6]] = "тема 0"
    challenger = replace(CHAMPION, predicted=CHAMPION.predicted | {"topic": said})
    assert "labels" not in failed(verdict(challenger))
    in_play = {"topic": frozenset({"тема 5"})}
    assert "labels" in failed(verdict(challenger, before=EarlierTest(np.ones(ROWS, dtype=bool), ROWS, in_play)))


def test_what_is_wrong_with_the_data_is_refused_however_good_the_challenger_looks():
    flood = Check("copies", False, "one text stands in 300 of the 400 rows that joined")
    found = verdict(CHAMPION, of_data=[flood])
    assert found.first_line == f"Refused, 1 of {len(found.checks)} checks failed: {flood.says}"


def test_to_route_less_of_what_was_wrong_is_no_loss():
    right = CHAMPION.predicted["agency"] == TRUTH["agency"]
    careless = replace(CHAMPION, routed=CHAMPION.routed | ~right)
    found = judge(TRUTH, careless, CHAMPION, NEWEST, LIMITS)
    assert careless.routed.mean() > CHAMPION.routed.mean() + LIMITS.coverage_tolerance
    assert "coverage" not in failed(found)


def test_an_empty_newest_week_and_a_head_without_labels_are_not_judged():
    assert "newest rows" not in {check.name for check in verdict(CHAMPION, newest=np.zeros(ROWS, dtype=bool)).checks}
    bare = TRUTH | {"agency": np.full(ROWS, None, dtype=object)}
    found = judge(bare, CHAMPION, CHAMPION, NEWEST, LIMITS)
    assert found.promote
    assert not {"agency", "agency calibration", "promised precision"} & {check.name for check in found.checks}


def test_lost_and_won_counts_the_rows_of_a_label_and_those_taken_for_it():
    truth = np.array(["а", "а", "б", "б", None], dtype=object)
    champion = np.array(["а", "а", "б", "а", "а"], dtype=object)
    challenger = np.array(["а", "б", "а", "б", "а"], dtype=object)
    assert lost_and_won(truth, champion, challenger, "а") == (2, 1)


@pytest.mark.parametrize(("lost", "won", "p"), [(0, 0, 1.0), (5, 0, 1 / 32), (0, 5, 1.0), (3, 1, 5 / 16)])
def test_mcnemar_is_the_exact_one_sided_test(lost, won, p):
    assert mcnemar(lost, won) == pytest.approx(p)


def test_an_old_champions_answers_are_read_under_todays_names():
    said = {
        "sector": np.array(["Дороги"] * 4, dtype=object),
        "topic": np.array(["Ямы", "Знаки", "Уборка", "Светофоры"], dtype=object),
        "agency": np.array(["Комитет"] * 4, dtype=object),
    }
    now = in_todays_names(said, in_order([RENAMED, MERGED, SPLIT]))
    assert now["topic"].tolist() == ["Дефекты покрытия", "Знаки и разметка", "", "Светофоры"]
    assert now["sector"].tolist() == ["Дороги"] * 4
    assert now["agency"] is said["agency"]
