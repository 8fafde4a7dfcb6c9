"""Forecasts of daily counts: rivals, their backtest, predictive distributions, surges."""
