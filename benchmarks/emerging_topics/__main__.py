"""`python -m benchmarks.emerging_topics`."""

from benchmarks.emerging_topics.benchmark import app
from benchmarks.results import run

run(app)
