"""One script a claim in the README: its rivals beside it, its figures as JSON in `results/`."""
