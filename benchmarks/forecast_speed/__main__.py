"""`python -m benchmarks.forecast_speed`."""

from benchmarks.forecast_speed.benchmark import app
from benchmarks.results import run

run(app)
