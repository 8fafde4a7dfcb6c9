"""The models that serve, reloaded when their alias moves."""
