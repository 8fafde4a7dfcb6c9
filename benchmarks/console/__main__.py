"""`python -m benchmarks.console`."""

from benchmarks.console.benchmark import app
from benchmarks.results import run

run(app)
