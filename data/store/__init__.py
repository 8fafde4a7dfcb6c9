"""The store: what an installation keeps, one module a thing that is kept, region by region."""
