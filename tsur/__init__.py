"""The command `tsur`: the one place that knows both training and serving."""

__version__ = "0.1.0"
