"""The classifier as an MLflow pyfunc, from code: for batch scoring and Spark UDFs.

In: a frame with the column `text` and, where known, `municipality` (its name in the catalogue).
Out: a frame with `decision, sector, topic, agency, confidence, deadline_hours`, one row a text.
"""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd


class ClassifierModel(mlflow.pyfunc.PythonModel):
    """Loads the bundle among the artifacts; predicts with the serving runtime."""

    def load_context(self, context: Any) -> None:
        """Load the bundle; the encoder that it names is shared by regions, so it comes from the registry, once."""
        from data.settings import settings
        from models.classifier.classifier import Classifier
        from models.encoder.artifact import ENCODERS
        from registry.encoders import bring_encoder_of

        bundle = Path(context.artifacts["bundle"])
        bring_encoder_of(mlflow.MlflowClient(), bundle, settings().home / ENCODERS)
        self.classifier = Classifier.load(bundle)

    # MLflow reads the hint of `model_input` as a schema of its own kind; a frame's is the signature.
    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """Classify every row of a frame."""
        frame = pd.DataFrame(model_input)
        names = frame["municipality"] if "municipality" in frame else [None] * len(frame)
        ids = self.classifier.catalogue.municipality_ids(names)
        classifications = self.classifier.classify(frame["text"].tolist(), ids)
        return pd.DataFrame(
            {
                "decision": [item.decision for item in classifications],
                "sector": [item.sector.label for item in classifications],
                "topic": [item.topic.label for item in classifications],
                "agency": [item.agency.label for item in classifications],
                "confidence": [item.agency.confidence for item in classifications],
                "deadline_hours": [item.deadline_hours for item in classifications],
            }
        )


mlflow.models.set_model(ClassifierModel())
