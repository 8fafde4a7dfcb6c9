"""How long a region's forecasts take."""
