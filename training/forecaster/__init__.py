"""Training of the forecaster: backtest, choice of champions, fits, plots."""
