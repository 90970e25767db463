"""tflint: a static linter for TensorFlow Lite models.

`check` lints models and returns a `Report`. `diff` compares two versions of a model. `load` reads a model, and `show`
summarizes it. `draft_contract`, `read_contract` and `recipe` are for contracts. Importing this package does not import
numpy: each public name is imported on first access.
"""

from __future__ import annotations

from tflint._version import __version__

TYPE_CHECKING = False  # type checkers take it as true; importing `typing` takes half the time of a cached run
if TYPE_CHECKING:
    from typing import Any

    from tflint.api import Model, check, diff, load
    from tflint.config import Config, TargetOptions, load_config
    from tflint.errors import MissingExtraError, TflintError, UserError
    from tflint.findings import FileReport, Finding, Location, Report
    from tflint.findings.suppressions import Allow
    from tflint.inspection import draft_contract, read_contract, recipe, show

__all__ = [
    "Allow",
    "Config",
    "FileReport",
    "Finding",
    "Location",
    "MissingExtraError",
    "Model",
    "Report",
    "TargetOptions",
    "TflintError",
    "UserError",
    "__version__",
    "check",
    "diff",
    "draft_contract",
    "load",
    "load_config",
    "read_contract",
    "recipe",
    "show",
    "testing",
]

_HOMES = {
    "Allow": "tflint.findings.suppressions",
    "Config": "tflint.config",
    "TargetOptions": "tflint.config",
    "load_config": "tflint.config",
    "FileReport": "tflint.findings",
    "Finding": "tflint.findings",
    "Location": "tflint.findings",
    "Report": "tflint.findings",
    "MissingExtraError": "tflint.errors",
    "TflintError": "tflint.errors",
    "UserError": "tflint.errors",
    "Model": "tflint.api",
    "check": "tflint.api",
    "diff": "tflint.api",
    "load": "tflint.api",
    "draft_contract": "tflint.inspection",
    "read_contract": "tflint.inspection",
    "recipe": "tflint.inspection",
    "show": "tflint.inspection",
}


def __getattr__(name: str) -> Any:
    import importlib

    if name == "testing":
        return importlib.import_module("tflint.testing")
    if name not in _HOMES:
        raise AttributeError(f"module 'tflint' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)
