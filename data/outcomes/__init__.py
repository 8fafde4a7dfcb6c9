"""Outcomes from files: what agencies' systems say became of complaints."""
