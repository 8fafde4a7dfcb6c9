"""The smallest pyfunc, from code: the service reads the bundle beside it and never runs this."""

import mlflow


class Nothing(mlflow.pyfunc.PythonModel):
    """Predicts nothing."""

    def predict(self, context, model_input, params=None):
        """Nothing."""
        return []


mlflow.models.set_model(Nothing())
