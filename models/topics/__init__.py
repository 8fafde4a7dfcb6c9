"""Search for topics that the catalogue does not have yet."""
