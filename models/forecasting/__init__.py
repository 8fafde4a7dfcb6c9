"""Forecasts of daily counts: forecasters, predictive distributions, intervals, the bundle."""
