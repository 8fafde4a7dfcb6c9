"""The arithmetic of the benchmark of many regions: what is compared with what, and that a missed target is told."""

from benchmarks.many_regions.benchmark import table, targets_of
from benchmarks.many_regions.services import region_names

FIGURES = {
    "one": {"p50_ms": 10.0, "p99_ms": 20.0, "memory_mb": 400.0},
    "many": {"p50_ms": 13.0, "p99_ms": 30.0, "memory_mb": 1190.0},
    "shadowed": {"p50_ms": 10.5, "p99_ms": 21.0, "memory_mb": 450.0},
    "guarded": {"p50_ms": 11.0, "p99_ms": 22.0, "memory_mb": 400.0},
}


def test_targets_are_of_many_beside_one_and_of_the_shadow_beside_none() -> None:
    memory, latency, shadow = targets_of(FIGURES, regions=20)
    assert (memory.target, memory.met) == (1200.0, True), "half as much again as one region, and 30 MB a region"
    assert (round(latency.value or 0, 9), latency.met) == (1.3, False)
    assert (round(shadow.value or 0, 9), shadow.met) == (0.05, True)


def test_the_table_has_a_row_a_service() -> None:
    assert table(FIGURES).count("\n") == 2 + len(FIGURES)
    assert "| many regions on one worker | 13.0 | 30.0 | 1190 |" in table(FIGURES)


def test_regions_are_named_apart() -> None:
    assert len(set(region_names(120))) == 120
