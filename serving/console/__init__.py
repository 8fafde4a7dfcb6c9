"""The console: pages for operators, analysts, heads and engineers, in Russian, served at `/console`."""
