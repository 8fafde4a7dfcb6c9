"""`python -m benchmarks.desk`."""

from benchmarks.desk.benchmark import app
from benchmarks.results import run

run(app)
