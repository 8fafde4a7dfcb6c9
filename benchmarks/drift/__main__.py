"""`python -m benchmarks.drift`."""

from benchmarks.drift.benchmark import app
from benchmarks.results import run

run(app)
