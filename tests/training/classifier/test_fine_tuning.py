"""Fine-tuning: what each label's rows weigh in the loss."""

import numpy as np
import pandas as pd
import pytest

from models.classifier.labels import HEADS, LabelSpace
from training.classifier.fine_tuning import class_weights

LABELS = LabelSpace(dict.fromkeys(HEADS, ("a", "b")))
COUNTS = {"a": 8, "b": 2}
ROWS = pd.DataFrame({head: [name for name, count in COUNTS.items() for _ in range(count)] for head in HEADS})


@pytest.mark.parametrize(("weighting", "ratio"), [("balanced", 4.0), ("sqrt", 2.0)])
def test_a_row_of_a_rarer_label_weighs_more_and_the_mean_over_rows_is_one(weighting: str, ratio: float):
    weights = class_weights(LABELS, ROWS, weighting)
    assert weights is not None
    assert set(weights) == set(HEADS)
    for of_head in weights.values():
        of_a, of_b = of_head.tolist()
        assert of_b / of_a == pytest.approx(ratio, rel=1e-5)
        assert np.average([of_a, of_b], weights=list(COUNTS.values())) == pytest.approx(1.0, rel=1e-5)


def test_without_weighting_there_are_no_weights():
    assert class_weights(LABELS, ROWS, "none") is None
