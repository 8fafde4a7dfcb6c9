"""What `calibration.json` holds: complete, readable where older bundles say it otherwise."""

import numpy as np
import pytest
from pydantic import ValidationError

from models.classifier.calibration import UNSCALED, Calibration, PlattScaling
from models.classifier.labels import HEADS

FACTS = {"temperatures": dict.fromkeys(HEADS, 1.5), "threshold": 0.5, "promised_precision": 0.9, "coverage": 0.5}


@pytest.mark.parametrize(
    "temperatures",
    [{}, {"sector": 1.0, "topic": 1.0}, dict.fromkeys(HEADS, 0.0), dict.fromkeys((*HEADS, "mood"), 1.0)],
    ids=["none", "a head lacks", "zero", "a head too many"],
)
def test_a_calibration_has_a_temperature_for_each_head(temperatures: dict[str, float]):
    with pytest.raises(ValidationError, match="sector, topic, agency"):
        Calibration(temperatures=temperatures, threshold=0.5, promised_precision=0.9, coverage=0.5)


def test_it_comes_back_from_its_file_the_same():
    scaling = dict.fromkeys(HEADS, PlattScaling(-0.3, 0.8))
    calibration = Calibration(**FACTS, pmi_weight=0.7, scaling=scaling)
    again = Calibration.model_validate_json(calibration.model_dump_json())
    assert again == calibration
    assert isinstance(again.scaling["topic"], PlattScaling)


def test_bundles_of_formats_3_and_4_call_the_weight_of_the_pmi_by_another_name():
    calibration = Calibration.model_validate(FACTS | {"affinity_weight": 0.8, "scaling": {"agency": [-0.2, 0.9]}})
    assert calibration.weights.pmi == 0.8
    assert calibration.weights.temperatures == FACTS["temperatures"]
    assert calibration.scaling["agency"] == PlattScaling(-0.2, 0.9)


def test_scaling_keeps_the_order_and_leaves_certainty_finite():
    probabilities = np.array([0.0, 0.2, 0.9, 1.0])
    scaled = PlattScaling(-0.5, 0.4).scale(probabilities)
    assert (np.diff(scaled) > 0).all()
    assert ((scaled > 0) & (scaled < 1)).all()
    assert UNSCALED.scale(probabilities) is probabilities
