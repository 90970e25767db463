"""Options of custom operators: their bytes, and what these say where they are a FlexBuffer."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import Lists
from tflint.flexbuffer import FlexbufferError, Value, decode
from tflint.model.tables import Tables


def options_bytes(options: Lists, row: int) -> bytes:
    """The bytes of an operator's custom options, of the column `operator.custom_options`; empty where it has none."""
    values, _ = options.flatten(np.array([row]))
    return values.astype(np.uint8).tobytes()


def decoded_options(tables: Tables, row: int) -> Value:
    """The custom options of a row of the operator table as plain data: usually a dict.

    Bytes as they are where they are no FlexBuffer, as an operator may choose; None where it has none.
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
