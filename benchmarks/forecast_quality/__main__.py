"""`python -m benchmarks.forecast_quality`."""

from benchmarks.forecast_quality.benchmark import app
from benchmarks.results import run

run(app)
