"""Whether topics that were left out are found as new ones."""
