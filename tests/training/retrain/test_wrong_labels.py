"""Labels that are likely wrong: flipped ones are found, right ones are left alone."""

import numpy as np
import pandas as pd
import pytest

from data.complaints.files import complaints_frame
from tests.training.retrain.small_region import HOLES, SIGNS, YARDS, complaint, complaints
from training.retrain.wrong_labels import find_wrong_labels


def flipped(frame: pd.DataFrame, head: str, share: float, seed: int = 0) -> tuple[pd.DataFrame, set[int]]:
    """The frame with a share of a head's labels replaced by others of the frame; and which rows."""
    rng = np.random.default_rng(seed)
    labels = frame[head].to_numpy(dtype=object).copy()
    known = np.flatnonzero(frame[head].notna())
    names = np.unique(labels[known].astype(str))
    rows = rng.choice(known, round(share * len(known)), replace=False)
    for row in rows:
        labels[row] = rng.choice(names[names != labels[row]])
    return frame.assign(**{head: labels}), set(rows.tolist())


def test_flipped_labels_are_found_with_what_they_were():
    frame = complaints_frame(complaints(300))
    wrong, rows = flipped(frame, "sector", 0.05)
    found = find_wrong_labels(wrong)
    assert {suspect.row for suspect in found.suspects if suspect.head == "sector"} == rows
    for suspect in found.suspects:
        assert (suspect.given, suspect.likely) == (wrong["sector"][suspect.row], frame["sector"][suspect.row])
    assert found.figures["sector"].judged == 300
    assert found.figures["sector"].suspects == len(rows)


def test_right_labels_are_left_alone_and_the_least_believable_come_first():
    frame = complaints_frame(complaints(300))
    assert find_wrong_labels(frame).suspects == ()
    wrong, _ = flipped(frame, "sector", 0.1)
    confidences = [suspect.confidence for suspect in find_wrong_labels(wrong).suspects]
    assert confidences == sorted(confidences)


def test_a_finding_names_the_complaint_the_label_and_what_is_likelier():
    frame = complaints_frame([*complaints(300), complaint(900, YARDS, text="Упал знак на перекрёстке 900")])
    finding = find_wrong_labels(frame).findings(frame)[0]
    assert (finding.kind, finding.source, finding.id, finding.head) == ("likely_wrong", "pos", "900", "sector")
    assert (finding.given, finding.other) == ("Дворы", "Дороги")
    assert finding.confidence is not None
    assert finding.confidence < 0.05


def test_labels_of_few_rows_are_not_judged_nor_is_what_has_no_label():
    rare = [
        complaint(900 + number, SIGNS, topic="Светофоры", text=f"Не горит светофор {number}") for number in range(4)
    ]
    bare = [complaint(950, HOLES, topic=None)]
    found = find_wrong_labels(complaints_frame([*complaints(300), *rare, *bare]))
    assert found.figures["topic"].judged == 300
    assert found.figures["agency"] == type(found.figures["agency"])(0, 0), "all have one agency"


def test_too_few_rows_are_not_judged():
    assert find_wrong_labels(complaints_frame(complaints(49))).figures["topic"].judged == 0


@pytest.mark.real_data
def test_most_flipped_topics_of_a_real_region_are_found_and_most_suspects_are_flipped(real_data):
    rows = pd.read_csv(real_data / "text" / "petersburg.csv", dtype=str, nrows=8000)
    wrong, flips = flipped(rows, "topic", 0.05)
    suspects = [suspect.row for suspect in find_wrong_labels(wrong).suspects if suspect.head == "topic"]
    assert len(flips & set(suspects)) >= 0.7 * len(flips)
    assert len(flips & set(suspects)) >= 0.5 * len(suspects)
