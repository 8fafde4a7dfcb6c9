"""`python -m benchmarks.classifier_speed`."""

from benchmarks.classifier_speed.benchmark import app
from benchmarks.results import run

run(app)
