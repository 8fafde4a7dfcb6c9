"""`python -m benchmarks.scaling`."""

from benchmarks.results import run
from benchmarks.scaling.benchmark import app

run(app)
