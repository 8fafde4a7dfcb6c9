"""Training of the classifier: from complaints to a registered bundle."""
