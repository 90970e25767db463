"""Array helpers: the distinct columns of a matrix, and running sums per model."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[Any]


def unique_columns(columns: Ints) -> tuple[Ints, Ints]:
    """Group the equal columns of a matrix. Return the index of the first column of each group, and each column's group.

    The groups are in ascending order of their columns. This function does not use `np.unique`, because the first call
    of `np.unique` imports numpy.ma (12 ms).
    """
    order = np.lexsort(columns[::-1])
    ordered = columns[:, order]
    is_new = np.ones(len(order), dtype=np.bool_)
    is_new[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
    entries = np.empty(len(order), dtype=np.int64)
    entries[order] = np.cumsum(is_new) - 1
    return order[is_new], entries


def running_sums(amounts: Ints, models: Ints) -> Ints:
    """Return running sums that restart at each model. `models` must be ascending."""
    sums = np.cumsum(amounts)
    before: Ints = np.concatenate([[0], sums])[np.searchsorted(models, models)]
    return sums - before
