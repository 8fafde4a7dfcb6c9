"""The classifier and the forecasters: pure computation; no I/O but loading and saving a bundle."""
