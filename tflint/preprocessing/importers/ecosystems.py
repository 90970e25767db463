"""The importers, by the name of their ecosystem. The module of an importer is imported when it is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from tflint.contract.contract_limits import MAX_SIDE
from tflint.errors import Place, UserError
from tflint.preprocessing.importers.imported import Imported
from tflint.userfiles.nearest_word import nearest

_MODULES = {
    "tflite-metadata": "tflite_metadata",
    "huggingface": "huggingface",
    "timm": "timm",
    "torchvision": "torchvision",
    "keras": "keras",
    "ultralytics": "ultralytics",
    "coreml": "coreml",
    "onnx": "onnx",
    "mlflow": "mlflow",
}

#: The names of all supported ecosystems.
ECOSYSTEMS = tuple(_MODULES)


def import_preprocessing(ecosystem: str, source: str) -> Imported:
    """Import the preprocessing settings of a model. `source` is a path, or a model name known to an ecosystem.

    Raises `UserError` if the ecosystem is unknown, or if the file cannot be read, is of a different kind or has an
    invalid value. Raises `MissingExtraError` if the file is YAML and PyYAML is not installed.
    """
    if ecosystem not in _MODULES:
        raise UserError(
            f"unknown ecosystem '{ecosystem}'",
            hint=nearest(ecosystem, ECOSYSTEMS) or f"supported: {', '.join(ECOSYSTEMS)}",
        )
    _require_possible(source)
    read = import_module(f"tflint.preprocessing.importers.{_MODULES[ecosystem]}").read
    imported: Imported = read(source)
    for entry in imported.inputs:
        _require_image(entry, source)
    return imported


def _require_image(entry: Mapping[str, Any], source: str) -> None:
    """Raise `UserError` for an image size beyond the limit of contracts. Some importers compute the size."""
    for key in ("resize", "crop"):
        size = entry.get(key, {}).get("size", 0)
        side = max(size) if isinstance(size, Sequence) else size
        if side > MAX_SIDE:
            message = f"has an image side of {side:,} pixels; a contract allows at most {MAX_SIDE:,}"
            raise UserError(message, place=Place(source))


def _require_possible(source: str) -> None:
    """Raise `UserError` for an empty path, and for a path that the file system cannot look up."""
    if not source:
        raise UserError("the path is empty")
    try:
        Path(source).exists()
    except OSError as error:  # longer than the file system allows
        raise UserError(f"cannot be read: {error.strerror}", place=Place(f"{source[:80]}…")) from error
