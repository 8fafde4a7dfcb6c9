"""What a second worker is worth, and what a country needs."""
