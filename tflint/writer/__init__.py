"""Writes models: nested dicts in the names of schema.fbs to bytes and back, and edits of a model's fields.

Takes dicts, bytes and edits, gives bytes; knows only the schema. The work on bytes is done by the official
`flatbuffers` package (extra `write`), which is imported when it is first needed.
"""

from __future__ import annotations

from tflint.writer.model_edits import apply_edits, edited
from tflint.writer.pack import pack
from tflint.writer.tensor_bytes import packed_numbers
from tflint.writer.unpack import unpack

__all__ = ["apply_edits", "edited", "pack", "packed_numbers", "unpack"]
