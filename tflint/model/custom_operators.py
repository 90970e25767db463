"""Options of custom operators: raw bytes, and their values if they are a FlexBuffer."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import Lists
from tflint.flexbuffer import FlexbufferError, Value, decode
from tflint.model.tables import Tables


def options_bytes(options: Lists, row: int) -> bytes:
    """Return an operator's bytes in the column `operator.custom_options`, empty if it has none."""
    values, _ = options.flatten(np.array([row]))
    return values.astype(np.uint8).tobytes()


def decode_options(tables: Tables, row: int) -> Value:
    """Decode the custom options of an operator, usually to a dict.

    Returns the bytes if they are not a FlexBuffer (operators choose their format), and None if there are no options.
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
