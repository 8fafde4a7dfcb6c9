"""`python -m benchmarks.gate_quality`."""

from benchmarks.gate_quality.benchmark import app
from benchmarks.results import run

run(app)
