"""Imports the official `flatbuffers` package on first use, with a clear error if it is not installed."""

from __future__ import annotations

import importlib
from typing import Any

from tflint.errors import MissingExtraError


def import_flatbuffers(module: str) -> Any:
    """Return the module `flatbuffers.<module>`. Raises `MissingExtraError` if the package is not installed.

    The package has no type annotations, hence Any.
    """
    try:
        return importlib.import_module(f"flatbuffers.{module}")
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "flatbuffers":
            raise
        raise MissingExtraError("contract", "flatbuffers", "editing a model") from None
