"""MLflow's model registry: names, versions, champions, and how a bundle is loaded as a pyfunc."""
