"""What the probabilities of expected surges are worth."""
