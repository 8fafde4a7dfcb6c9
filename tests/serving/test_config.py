"""`configs/serving.yaml` and its type say the same, and a wrong value is named."""

from pathlib import Path

import pytest
import yaml

from data.config import load_config
from data.errors import ConfigError
from data.settings import CHECKOUT
from serving.config import EmergingDefaults, ServingConfig, SurgeDefaults

YAML = CHECKOUT / "configs" / "serving.yaml"


def test_the_yaml_names_every_key_with_its_default() -> None:
    content = yaml.safe_load(YAML.read_text(encoding="utf-8"))
    assert set(content) == set(ServingConfig.model_fields)
    assert set(content["surges"]) == set(SurgeDefaults.model_fields)
    assert set(content["emerging"]) == set(EmergingDefaults.model_fields)
    assert load_config(YAML, ServingConfig) == ServingConfig()


@pytest.mark.parametrize(
    ("key", "value", "part"),
    [
        ("max_item", 5, "max_items"),
        ("max_items", 257, "max_items"),
        ("max_items", 0, "max_items"),
        ("timeout_seconds", 0, "timeout_seconds"),
        ("workers", 0, "workers"),
        ("surges", {"min_probability": 2}, "surges.min_probability"),
        ("emerging", {"days": 0}, "emerging.days"),
        ("emerging", {"false_alarm": 0.1}, "emerging.false_alarm"),
    ],
)
def test_a_wrong_value_is_a_config_error_that_names_the_key(tmp_path: Path, key: str, value: object, part: str) -> None:
    path = tmp_path / "serving.yaml"
    path.write_text(yaml.safe_dump({key: value}))
    with pytest.raises(ConfigError, match=part):
        load_config(path, ServingConfig)
