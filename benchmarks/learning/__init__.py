"""How a classifier grows with its labels: from none, by chosen ones, and retrain by retrain."""
