"""`python -m benchmarks.many_regions`."""

from benchmarks.many_regions.benchmark import app
from benchmarks.results import run

run(app)
