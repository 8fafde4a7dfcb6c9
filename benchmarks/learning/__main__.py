"""`python -m benchmarks.learning`."""

from benchmarks.learning.benchmark import app
from benchmarks.results import run

run(app)
