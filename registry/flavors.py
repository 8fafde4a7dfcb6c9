"""What a registered model looks like to MLflow: the file that loads it, and the columns that go in and come out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.names import CLASSIFIER


@dataclass(frozen=True)
class Flavor:
    """A pyfunc: `loader` is a module that is kept as code, `signature` an MLflow `ModelSignature`."""

    loader: Path
    signature: Any


def flavor_of(name: str) -> Flavor:
    """The flavor of a registered model, by its name."""
    return _classifier() if name.endswith(CLASSIFIER) else _forecaster()


def _classifier() -> Flavor:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    from models.classifier.labels import HEADS

    inputs = [ColSpec("string", "text"), ColSpec("string", "municipality", required=False)]
    outputs = [ColSpec("string", name) for name in ("decision", *HEADS)]
    outputs += [ColSpec("double", "confidence"), ColSpec("double", "deadline_hours", required=False)]
    loader = Path(__file__).with_name("pyfunc_classifier.py")
    return Flavor(loader, ModelSignature(Schema(inputs), Schema(outputs)))


def _forecaster() -> Flavor:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    inputs = [ColSpec("string", name, required=False) for name in ("municipality", "sector")]
    signature = ModelSignature(Schema([*inputs, ColSpec("long", "horizon")]))
    return Flavor(Path(__file__).with_name("pyfunc_forecaster.py"), signature)
