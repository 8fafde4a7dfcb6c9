"""Readers of everything that comes as a table."""
