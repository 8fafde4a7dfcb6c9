"""`python -m benchmarks.surge_quality`."""

from benchmarks.results import run
from benchmarks.surge_quality.benchmark import app

run(app)
