"""Figures of a classifier on rows that it was not taught, and its lexical rival."""
