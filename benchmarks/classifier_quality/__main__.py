"""`python -m benchmarks.classifier_quality`."""

from benchmarks.classifier_quality.benchmark import app
from benchmarks.results import run

run(app)
