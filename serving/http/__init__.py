"""What every request passes: middleware, errors, logs, metrics, admission."""
