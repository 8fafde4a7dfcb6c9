"""The champion's recipe: with which arguments it was trained, out of the run that made it.

In: the registry and a version. Out: `ClassifierTraining`. What its run does not say, for it is older than the key,
has today's default. All rows of the version that are not held out for good teach, whatever the champion kept back.
"""

from typing import Any

import yaml

from data.config import parse_config
from data.errors import BundleError
from registry.client import Registry
from training.arguments import ClassifierTraining


def recipe_of(registry: Registry, name: str, version: int) -> ClassifierTraining:
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
    content = {key: _value(key, text) for key, text in known.items()} | {"holdout": 0}
    return parse_config(content, ClassifierTraining, f"the run of {name} version {version}")


def _value(key: str, text: str) -> Any:
    """MLflow keeps texts: what YAML reads as a number is one again, what a key wants as a text stays one."""
    if ClassifierTraining.model_fields[key].annotation is str:
        return text
    return yaml.safe_load(text)
