"""Options of custom operators: the raw bytes, and the decoded values if the bytes are a FlexBuffer."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import Lists
from tflint.flexbuffer import FlexbufferError, Value, decode
from tflint.model.tables import Tables


def options_bytes(options: Lists, row: int) -> bytes:
    """Return the bytes of one row of the column `operator.custom_options`, empty if the operator has no options."""
    values, _ = options.flatten(np.array([row]))
    return values.astype(np.uint8).tobytes()


def decode_options(tables: Tables, row: int) -> Value:
    """Return the decoded custom options of an operator, usually a dict, or None if it has no options.

    If the options are not a FlexBuffer, their bytes are returned: each custom operator chooses its own format.
    """
    options = tables.column("operator", "custom_options")
    assert isinstance(options, Lists)
    data = options_bytes(options, row)
    if not data:
        return None
    try:
        return decode(data)
    except FlexbufferError:
        return data
