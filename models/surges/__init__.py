"""Surges: a baseline, evidence against it, thresholds, events and their reasons."""
