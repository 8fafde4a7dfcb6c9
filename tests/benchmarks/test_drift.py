"""The benchmark of drift: alarms are counted by what is held against what, and estimates are held against the truth."""

import pytest

from benchmarks.drift.benchmark import alarms, alarms_table, gaps, targets, weeks_table


def week(name: str, head: str, estimated: float, true: float) -> dict[str, object]:
    return {"week": name, "head": head, "rows": 100, "estimated": estimated, "true": true}


WEEKS = [
    week(name, head, 0.8, true)
    for head in ("sector", "topic", "agency")
    for name, true in (("2020-12-01", 0.79), ("2020-12-08", 0.72 if head == "topic" else 0.81))
]


def test_an_estimate_is_as_far_from_the_truth_as_the_mean_of_its_weeks():
    assert gaps(WEEKS) == pytest.approx({"sector": 0.01, "topic": 0.045, "agency": 0.01})
    assert "| 2020-12-08 | 0.800 / 0.810 | 0.800 / 0.720 | 0.800 / 0.810 |" in weeks_table(WEEKS)


def test_targets_ask_for_silence_alarms_and_near_estimates():
    goals = targets({"halves": 6, "held out": 5, "taught": 100, "perm": 100}, 100, WEEKS)
    assert [goal.met for goal in goals] == [False, True, True, False, True]


def test_alarms_are_counted_for_all_four_comparisons(sample, small_encoder, tmp_path, at_home):
    at_home(tmp_path)
    rows = sample.sample(360, random_state=0).reset_index(drop=True).assign(municipality=None)
    others = ["Котики, пирожки и хорошая погода, всем добра! " * (1 + n % 3) for n in range(40)]
    counted = alarms(rows, others, 2, str(small_encoder))
    assert counted["perm"] == 2
    assert set(counted) == {"halves", "held out", "taught", "perm"}
    assert all(0 <= count <= 2 for count in counted.values())
    assert len(alarms_table(counted).splitlines()) == 6
