"""Counts what the models of a batch name, tables and vector elements, shared ones as often as they are named.

Reading and checking a model takes time by this number and not by its bytes: a few bytes can name the same tables
thousands of times.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tflint.flatbuffer.byte_window import DTYPES
from tflint.flatbuffer.node import Node
from tflint.model.tables import Tables

#: An element of this many bytes counts as one; a string or other bytes do not count.
_ELEMENT_BYTES = 4


def n_elements(tables: Tables) -> list[int]:
    """How many tables and vector elements each file of a batch names; of a malformed one, the tables that were read."""
    if not tables.is_readable:
        return [file.n_tables for file in tables.files]
    totals = np.zeros(tables.n_files)
    waiting = [tables.root]
    while waiting:
        node = waiting.pop()
        totals += _in_node(node, tables.n_files)
        waiting += node.children.values()
    # A zip behind a model, or in its metadata, names files.
    totals += np.bincount(tables.table("associated_file").model, minlength=tables.n_files)
    return [int(total) for total in totals]


def _in_node(node: Node, n_files: int) -> NDArray[np.float64]:
    weights = np.ones(len(node))
    for vector in node.vectors.values():
        if DTYPES[vector.scalar].itemsize > 1:
            weights += vector.lengths * min(1.0, DTYPES[vector.scalar].itemsize / _ELEMENT_BYTES)
    return np.bincount(node.roots, weights, minlength=n_files).astype(np.float64)
