"""The HTTP service: request and response types, access, the store, the champions it serves."""
