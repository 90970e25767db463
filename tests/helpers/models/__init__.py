"""Models of the tests: a fluent builder, small models by name, and generators of large and hostile ones."""

from __future__ import annotations

from tests.helpers.models.builder import ModelBuilder

__all__ = ["ModelBuilder"]
