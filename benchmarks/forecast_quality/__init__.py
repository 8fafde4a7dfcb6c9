"""How well daily counts are forecast, beside rivals on the same windows."""
