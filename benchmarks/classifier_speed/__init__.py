"""How fast complaints are classified, beside rivals and the machine's ceiling; load on the service."""
