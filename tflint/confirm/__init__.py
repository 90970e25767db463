"""Runs models in a child process to confirm findings, and to find what the bytes alone do not show.

A run is requested on the command line only. `confirmation` takes checked files and returns them with verdicts and with
the findings of probes. The package `compare` compares a model with its reference. Only the package `child` imports a
runtime, and only in the child process.
"""

from tflint.confirm.confirm_options import ConfirmOptions

__all__ = ["ConfirmOptions"]
