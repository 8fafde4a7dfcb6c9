"""Serving stays light: no torch, no Prophet, no training code, whatever it loads and answers."""

import os
import subprocess
import sys

from data.settings import CHECKOUT
from tests.serving.conftest import RegistryHome

SERVED = """
import sys
import serving.service
assert "serving.app" not in sys.modules, "who only starts the workers needs no application"
import serving.app
assert not {"mlflow", "onnxruntime"} & set(sys.modules), "the service module itself must stay light"
from serving.regions.champions import Champions
from registry.client import open_registry
champions = Champions(open_registry("verkhnerechye"), "verkhnerechye")
champions.refresh()
champions.check_ready()
champions.classifier.model.classify(["Не вывозят мусор"])
champions.forecaster.model.forecast()
unwanted = {"torch", "prophet", "cmdstanpy", "transformers", "sklearn", "training", "tsur"}
print(sorted(unwanted & {name.split(".")[0] for name in sys.modules}))
"""


def test_loading_and_asking_both_champions_imports_no_training_library(registry: RegistryHome) -> None:
    at_home = {**os.environ, "TSUR_HOME": str(registry.home)}
    done = subprocess.run([sys.executable, "-c", SERVED], cwd=CHECKOUT, env=at_home, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == "[]"
