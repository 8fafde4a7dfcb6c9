"""Configs: an unknown key is an error that lists the known ones, and the YAML files hold what the types say."""

import types
import typing
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, Field

from data.complaints.sources import load_source
from data.config import Config, load_config, read_yaml
from data.counts.simulator_config import SimulatorConfig
from data.errors import ConfigError
from data.settings import CHECKOUT
from data.store.retention import Retention
from models.forecasting.config import ForecasterConfig
from serving.config import ServingConfig
from training.arguments import ClassifierTraining, DatasetBuild, Distillation, EncoderAdaptation
from training.retrain.gate_limits import GateLimits

CONFIGS = CHECKOUT / "configs"


class Wheel(Config):
    """A nested config."""

    size: int = Field(default=20, ge=1)


class Cart(Config):
    """A config with every kind of nesting."""

    name: str
    speed: float = 1.0
    spare: Wheel | None = None
    wheels: list[Wheel] = []
    named: dict[str, Wheel] = {}


def loaded(folder: Path, text: str) -> Cart:
    (folder / "cart.yaml").write_text(text, encoding="utf-8")
    return load_config(folder / "cart.yaml", Cart)


def test_a_config_is_read_and_cannot_be_changed(tmp_path: Path):
    cart = loaded(tmp_path, "name: тележка\nspare: {size: 7}\n")
    assert (cart.name, cart.spare) == ("тележка", Wheel(size=7))
    with pytest.raises(ValueError, match="frozen"):
        cart.name = "другая"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("name: a\nsped: 2", ["'sped'", "did you mean 'speed'?", "name, named, spare, speed, wheels"]),
        ("name: a\nxyz: 2", ["unknown key 'xyz'. Known keys are name, named, spare, speed, wheels"]),
        ("name: a\nspare: {sise: 2}", ["'spare.sise'", "did you mean 'size'?", "Known keys are size"]),
        ("name: a\nwheels: [{size: 1}, {siz: 2}]", ["'wheels.1.siz'", "did you mean 'size'?", "are size"]),
        ("name: a\nnamed: {left: {sizes: 2}}", ["'named.left.sizes'", "did you mean 'size'?", "are size"]),
        ("speed: 2", ["name", "required"]),
        ("name: a\nspeed: fast", ["speed", "number", "'fast'"]),
        ("name: a\nspare: {size: 0}", ["spare.size", "greater than or equal to 1", "0"]),
        ("name: [a]", ["name", "string"]),
        ("name: a\nwheels: 4", ["wheels", "list"]),
        ("name: a\n1: b", ["1", "string"]),
        ("", ["name", "required"]),
        ("- name: a", ["expected a mapping of keys, got list"]),
        ("просто текст", ["expected a mapping of keys, got str"]),
        ("name: a\nspeed: [1,", ["not valid YAML", "line 2"]),
        ("name: a\n\tspeed: 1", ["not valid YAML", "line 2"]),
        ("name: a\nspeed: 2026-13-45", ["not valid YAML", "month"]),
        ("name: !!python/object/apply:os.getcwd []", ["not valid YAML", "line 1"]),
    ],
)
def test_a_wrong_config_is_refused_with_the_file_the_key_and_what_would_be_right(
    tmp_path: Path, text: str, parts: list[str]
):
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    message = str(caught.value)
    for part in ["cart.yaml", *parts]:
        assert part in message
    assert "\n" not in message
    assert caught.value.code == "bad_config"


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: no such config file"):
        load_config(tmp_path / "nowhere.yaml", Cart)


@pytest.mark.parametrize("content", ["имя: тележка".encode("cp1251"), None], ids=["cp1251", "a folder"])
def test_a_file_that_is_no_utf8_text_is_refused(tmp_path: Path, content: bytes | None):
    path = tmp_path / "cart.yaml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"cart\.yaml: cannot be read as UTF-8 text"):
        read_yaml(path)


def nested_kind(annotation: Any) -> type[BaseModel] | None:
    """The config type of a field that is one config, or an optional one; None for any other field."""
    options = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    kinds = [kind for kind in options if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return kinds[0] if kinds else None


def missing_keys(content: dict[str, Any], kind: type[BaseModel], at: str = "") -> list[str]:
    """Fields of the type that the file does not show, nested ones too."""
    absent = [at + name for name in kind.model_fields if name not in content]
    for name, field in kind.model_fields.items():
        if (nested := nested_kind(field.annotation)) and isinstance(content.get(name), dict):
            absent += missing_keys(content[name], nested, f"{at}{name}.")
    return absent


COMPLETE: dict[str, type[Config]] = {
    "classifier.yaml": ClassifierTraining,
    "adapt.yaml": EncoderAdaptation,
    "distill.yaml": Distillation,
    "forecaster.yaml": ForecasterConfig,
    "serving.yaml": ServingConfig,
    "simulator.yaml": SimulatorConfig,
    "retention.yaml": Retention,
    "dataset.yaml": DatasetBuild,
    "gate.yaml": GateLimits,
}


@pytest.mark.parametrize("name", COMPLETE)
def test_a_bundled_config_loads_and_shows_every_key_of_its_type(name: str):
    load_config(CONFIGS / name, COMPLETE[name])
    assert missing_keys(read_yaml(CONFIGS / name), COMPLETE[name]) == []


@pytest.mark.parametrize("name", ["classifier.yaml", "distill.yaml", "forecaster.yaml", "serving.yaml"])
def test_a_bundled_config_says_what_is_the_default_anyway(name: str):
    assert load_config(CONFIGS / name, COMPLETE[name]) == COMPLETE[name]()


@pytest.mark.parametrize("path", sorted((CONFIGS / "sources").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_source_map_loads_and_is_named_as_its_file(path: Path):
    source = load_source(path.stem, CONFIGS / "sources", timezone="Asia/Kamchatka")
    assert source.name == path.stem or path.stem == "generic"
    assert source.columns["text"]


def test_every_yaml_in_configs_has_a_type():
    assert {path.name for path in CONFIGS.glob("*.yaml")} == set(COMPLETE)


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_no_key_stands_twice_in_a_file(path: Path):
    """YAML would silently take the last one."""
    pending = [yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)]
    while pending:
        node: Any = pending.pop()
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            assert len(keys) == len(set(keys)), node.start_mark
            pending += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            pending += node.value
