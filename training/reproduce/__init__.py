"""Training a registered model once more, to see whether its figures come out the same."""
