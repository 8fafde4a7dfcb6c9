"""The store: what the service keeps, one module a thing that is kept."""
