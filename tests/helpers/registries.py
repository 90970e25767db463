"""Models and types for the tests of registries."""

from __future__ import annotations

from collections.abc import Callable

from tflint.registry.model_registry import ModelVersion
from tflint.resources import named_model_path

#: Adds a version with files, given as bytes by path.
Add = Callable[..., ModelVersion]


def model(name: str = "conv_int8") -> bytes:
    """Return the bytes of a named model."""
    return named_model_path(name).read_bytes()
