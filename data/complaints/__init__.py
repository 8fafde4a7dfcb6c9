"""Complaints: what one is, how an export becomes checked, cleaned and masked ones."""
