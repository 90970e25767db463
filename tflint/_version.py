"""The version of tflint, in one place."""

__version__ = "0.1.0"
