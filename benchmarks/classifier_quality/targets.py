"""What the product should reach on each corpus, and whether it does; unmeasured targets are unmet."""

from typing import Any

from benchmarks.classifier_quality.contenders import FOLDED, PRODUCT, RIVAL, STUDENT
from benchmarks.results import Target
from models.classifier.labels import HEADS

GAINS = {"sector": (0.02, 0.04), "topic": (0.04, 0.05), "agency": (0.06, 0.06)}
"""Petersburg: gain in accuracy and in macro-F1 on TF-IDF + SVM."""
SURELY = 9
"""Of the twelve gains in accuracy and macro-F1 on Kursk and Ryazan, so many with an interval above zero."""
PROMISE, SLACK, COVERAGE = "0.95", 0.02, 0.35
"""Share of all of Petersburg's complaints that goes out at that promise, kept within so much."""
ECE = 0.04
NEAR = 0.015
"""How far below the product the student may be in accuracy."""
KEYS = ("accuracy", "macro_f1")


def targets(measured: dict[str, Any]) -> list[Target]:
    """Of the corpora measured: gains on the rivals, what is routed, honest confidences."""
    goals: list[Target] = []
    if "petersburg" in measured:
        goals += _by_time(measured["petersburg"])
    folded = {name: measured[name] for name in FOLDED if name in measured}
    for name, figures in folded.items():
        goals += [
            Target.above(f"{name} {head} {key}: gain on {RIVAL[name][head]}", _gain(figures, head, key), 0.0)
            for head in HEADS
            for key in KEYS
        ]
    if len(folded) == len(FOLDED):
        lows = [_gain(figures, head, key, "low") for figures in folded.values() for head in HEADS for key in KEYS]
        sure = sum(low > 0 for low in lows if low is not None)
        measured_all = None if None in lows else float(sure)
        goals.append(Target.at_least("kursk and ryazan: gains whose interval excludes zero", measured_all, SURELY))
    for name, figures in measured.items():
        goals += _promises(name, figures) + _student(name, figures)
    return goals


def _by_time(figures: dict[str, Any]) -> list[Target]:
    rival = RIVAL["petersburg"]
    goals = [
        Target.at_least(f"petersburg {head} {key}: gain on {rival[head]}", _gain(figures, head, key), aim)
        for head in HEADS
        for key, aim in zip(KEYS, GAINS[head], strict=True)
    ]
    return [*goals, Target.at_least("petersburg coverage at 0.95 promised", _routed(figures, "coverage"), COVERAGE)]


def _promises(name: str, figures: dict[str, Any]) -> list[Target]:
    """Precision of what is routed, and confidences as high as the share of right answers."""
    floor = float(PROMISE) - SLACK
    goals = [Target.at_least(f"{name} precision at {PROMISE} promised", _routed(figures, "agency"), floor)]
    ours = figures["contenders"].get(PRODUCT, {}).get("heads", {})
    return goals + [Target.at_most(f"{name} {head} ECE", ours.get(head, {}).get("ece"), ECE) for head in HEADS]


def _student(name: str, figures: dict[str, Any]) -> list[Target]:
    """The student close to the product, where it is measured."""
    both = [figures["contenders"].get(contender) for contender in (STUDENT, PRODUCT)]
    if both[0] is None or both[1] is None:
        return []
    student, product = (block["heads"] for block in both if block is not None)
    return [
        Target.at_least(
            f"{name} {head} accuracy: student on {PRODUCT}",
            student[head]["accuracy"]["value"] - product[head]["accuracy"]["value"],
            -NEAR,
        )
        for head in HEADS
    ]


def _gain(figures: dict[str, Any], head: str, key: str, part: str = "value") -> float | None:
    ours: dict[str, Any] = figures["contenders"].get(PRODUCT, {}).get("heads", {}).get(head, {})
    gained: float | None = ours.get("difference", {}).get(key, {}).get(part)
    return gained


def _routed(figures: dict[str, Any], key: str) -> float | None:
    routing = figures["contenders"].get(PRODUCT, {}).get("routing", {}).get(PROMISE, {})
    estimate: dict[str, float] | None = routing.get(key)
    return None if estimate is None else estimate["value"]
