"""Daily counts: complaints per day × municipality × sector, and simulated ones."""
