"""The ecosystems by name, each with the module that reads its files; a module is imported when it is asked for."""

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

#: The names of all ecosystems that can be imported from.
ECOSYSTEMS = tuple(_MODULES)


def import_preprocessing(ecosystem: str, source: str) -> Imported:
    """What a file says of a model's preparation; `source` is its path, or a name that timm, torchvision or Keras knows.

    Raises `UserError` where the ecosystem is not known, the file cannot be read or is not of that kind, or a value in
    it makes no sense. An optional dependency that is missing for YAML is `MissingExtraError`.
    """
    if ecosystem not in _MODULES:
        raise UserError(
            f"there is no import from '{ecosystem}'",
            hint=nearest(ecosystem, ECOSYSTEMS) or f"known: {', '.join(ECOSYSTEMS)}",
        )
    _require_possible(source)
    read = import_module(f"tflint.preprocessing.importers.{_MODULES[ecosystem]}").read
    imported: Imported = read(source)
    for entry in imported.inputs:
        _require_image(entry, source)
    return imported


def _require_image(entry: Mapping[str, Any], source: str) -> None:
    """`UserError` for an image that is larger than a contract can hold; some ecosystems compute the size."""
    for key in ("resize", "crop"):
        size = entry.get(key, {}).get("size", 0)
        side = max(size) if isinstance(size, Sequence) else size
        if side > MAX_SIDE:
            message = f"asks for an image of {side:,} pixels per side; a contract can hold {MAX_SIDE:,}"
            raise UserError(message, place=Place(source))


def _require_possible(source: str) -> None:
    """`UserError` for what neither a file nor a name can be."""
    if not source:
        raise UserError("an empty path")
    try:
        Path(source).exists()
    except OSError as error:  # longer than the file system's names
        raise UserError(f"cannot be read: {error.strerror}", place=Place(f"{source[:80]}…")) from error
