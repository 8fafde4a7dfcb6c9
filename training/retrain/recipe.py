"""The champion's recipe: with which arguments it was trained, out of the run that made it.

In: the registry and a version. Out: `ClassifierTraining` or `ForecasterConfig`. What its run does not say, for it is
older than the key, has today's default. All rows of the version that are not held out for good teach, whatever a
classifier kept back; thresholds that a forecaster has learnt are learnt anew.
"""

from typing import Any

import yaml

from data.config import parse_config
from data.errors import BundleError
from models.forecasting.config import ForecasterConfig
from registry.client import Registry
from training.arguments import ClassifierTraining


def recipe_of(registry: Registry, name: str, version: int) -> ClassifierTraining:
    """The arguments that a registered classifier was trained with, but that all rows it is given teach.

    Raises:
        BundleError, ConfigError, TrackingError: as `arguments_of`.
    """
    return arguments_of(registry, name, version).model_copy(update={"holdout": 0.0})


def arguments_of(registry: Registry, name: str, version: int) -> ClassifierTraining:
    """The arguments that a registered classifier was trained with.

    Raises:
        BundleError: its run is gone, or holds no recipe.
        ConfigError: a value of its run is none that this release takes.
        TrackingError: MLflow does not answer.
    """
    said = registry.run_parameters(name, version)
    known = {key: value for key, value in said.items() if key in ClassifierTraining.model_fields}
    if "encoder" not in known:
        raise BundleError(
            f"{name} version {version}: its run does not say how it was trained: train a champion with "
            "`tsur train classifier --dataset VERSION`"
        )
    content = {key: _value(key, text) for key, text in known.items()}
    return parse_config(content, ClassifierTraining, f"the run of {name} version {version}")


def forecaster_recipe_of(registry: Registry, name: str, version: int) -> ForecasterConfig:
    """The config that a registered forecaster was trained with.

    Raises:
        BundleError, ConfigError, TrackingError: as `recipe_of`.
    """
    content: dict[str, Any] = {}
    for key, text in registry.run_parameters(name, version).items():
        *path, inner = key.split(".")
        if (path or [inner])[0] in ForecasterConfig.model_fields:
            target = content
            for part in path:
                target = target.setdefault(part, {})
            target[inner] = None if text == "None" else yaml.safe_load(text)
    if "forecasters" not in content:
        raise BundleError(
            f"{name} version {version}: its run does not say how it was trained: train a champion with "
            "`tsur train forecaster COUNTS`"
        )
    return parse_config(content, ForecasterConfig, f"the run of {name} version {version}")


def _value(key: str, text: str) -> Any:
    """MLflow keeps texts: what YAML reads as a number is one again, what a key wants as a text stays one."""
    if ClassifierTraining.model_fields[key].annotation is str:
        return text
    return yaml.safe_load(text)
