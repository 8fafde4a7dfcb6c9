"""How well surges are detected, beside rivals at the same rate of false alarms."""
