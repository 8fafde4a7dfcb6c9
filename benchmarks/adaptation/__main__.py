"""`python -m benchmarks.adaptation`."""

from benchmarks.adaptation.benchmark import app
from benchmarks.results import run

run(app)
