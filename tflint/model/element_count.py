"""Counts the tables and vector elements that the models of a batch reference, once per reference.

The time to read and check a model depends on this count, not on the file size: few bytes can reference the same tables
thousands of times.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tflint.flatbuffer.byte_window import DTYPES
from tflint.flatbuffer.node import Node
from tflint.model.tables import Tables

#: An element with this many bytes or more counts as one, a smaller one as a fraction. Bytes and strings do not count.
_ELEMENT_BYTES = 4


def count_elements(tables: Tables) -> list[int]:
    """Return, per file, the number of referenced tables and elements.

    For a malformed file, it is the number of tables that were read before the error.
    """
    if not tables.is_readable:
        return [file.n_tables for file in tables.files]
    totals = np.zeros(tables.n_files)
    pending = [tables.root]
    while pending:
        node = pending.pop()
        totals += _count_in_node(node, tables.n_files)
        pending += node.children.values()
    # A zip after the model or in its metadata adds files.
    totals += np.bincount(tables.table("associated_file").model, minlength=tables.n_files)
    return [int(total) for total in totals]


def _count_in_node(node: Node, n_files: int) -> NDArray[np.float64]:
    weights = np.ones(len(node))
    for vector in node.vectors.values():
        if DTYPES[vector.scalar].itemsize > 1:
            weights += vector.lengths * min(1.0, DTYPES[vector.scalar].itemsize / _ELEMENT_BYTES)
    return np.bincount(node.roots, weights, minlength=n_files).astype(np.float64)
