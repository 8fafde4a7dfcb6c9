"""`python -m benchmarks.expected_surges`."""

from benchmarks.expected_surges.benchmark import app
from benchmarks.results import run

run(app)
