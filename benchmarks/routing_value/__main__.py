"""`python -m benchmarks.routing_value`."""

from benchmarks.results import run
from benchmarks.routing_value.benchmark import app

run(app)
