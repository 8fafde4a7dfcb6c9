"""Who asks, and what the asker may do."""
