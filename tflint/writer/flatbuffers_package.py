"""The official `flatbuffers` package, imported when first needed; a clear error where it is not installed."""

from __future__ import annotations

import importlib
from typing import Any

from tflint.errors import MissingExtraError


def official(module: str) -> Any:
    """The module `flatbuffers.<module>`; MissingExtraError where the package is not installed.

    The package has no type annotations, hence Any.
    """
    try:
        return importlib.import_module(f"flatbuffers.{module}")
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "flatbuffers":
            raise
        raise MissingExtraError("write", "flatbuffers", "editing a model") from None
