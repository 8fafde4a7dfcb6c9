"""The encoder: where it comes from, its architecture, and the engine that runs it."""
