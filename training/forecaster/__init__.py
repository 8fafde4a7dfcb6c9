"""Training of the forecaster: backtest, model selection, fits, plots."""
