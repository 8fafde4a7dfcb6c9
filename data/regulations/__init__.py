"""Regulations: how long an answer may take, and the due time that follows for one complaint."""
