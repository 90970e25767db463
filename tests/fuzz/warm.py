"""Import every module of the package, so that atheris instruments all of them before fuzzing starts."""

from __future__ import annotations

import importlib
import pkgutil

import tflint


def import_all() -> None:
    """Import all modules except for commands."""
    for module in pkgutil.walk_packages(tflint.__path__, "tflint."):
        if not module.name.startswith(("tflint.__main__", "tflint.cli")):
            importlib.import_module(module.name)
