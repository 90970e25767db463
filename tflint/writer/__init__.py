"""Writes models: converts nested dicts with the names of schema.fbs to bytes and back, and edits fields of models.

Input: dicts, bytes and edits. Output: bytes. Knows only the schema. The official `flatbuffers` package (extra
`contract`) handles the bytes; it is imported on first use.
"""

from __future__ import annotations

from tflint.writer.model_edits import apply_edits, edit_model
from tflint.writer.pack import pack
from tflint.writer.tensor_bytes import pack_numbers
from tflint.writer.unpack import unpack

__all__ = ["apply_edits", "edit_model", "pack", "pack_numbers", "unpack"]
