"""Complaints, the catalogue, daily counts and the calendar: everything known before anything is learned."""
