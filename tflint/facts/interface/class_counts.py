"""Numbers of classes that the shape of an output allows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tflint.columns.column import Lists, lists_by_counts, state_of, text_of
from tflint.facts.facts import Facts

#: Shapes with more dimensions than this are not examined. Kernels support eight dimensions at most, and a hostile file
#: may use one long shape for many outputs.
MAX_AXES = 8
#: Meanings of outputs whose shape does not depend on the number of classes: they hold the index of a class, or the
#: detections that a detection operator keeps.
_WITHOUT_CLASSES = (
    "index-of-largest",
    "index-of-smallest",
    "detection-boxes",
    "detection-classes",
    "detection-scores",
    "detection-count",
)
#: Numbers of other values in front of the class scores of each box, in the outputs of YOLO models: the box, and in old
#: versions the objectness.
_BOX_VALUES = (4, 5)


def class_counts(facts: Facts) -> Lists:
    """Return the numbers of classes that the shape of each output allows."""
    tensors = facts.rows("output", "tensor").tolist()
    shapes, signatures = facts.lists("tensor", "shape"), facts.lists("tensor", "shape_signature")
    meanings = facts.column("output", "meaning")
    counts: list[list[int]] = []
    unknown = np.zeros(len(tensors), dtype=np.bool_)
    for row, tensor in enumerate(tensors):
        n_axes = int(shapes.lengths[tensor]) if tensor >= 0 else 0
        unknown[row] = n_axes > MAX_AXES
        if not 0 < n_axes <= MAX_AXES or text_of(meanings, row) in _WITHOUT_CLASSES:
            counts.append([])
            continue
        sizes = shapes.row(tensor)
        is_signed = int(signatures.lengths[tensor]) == n_axes
        counts.append(_counts(sizes, signatures.row(tensor) if is_signed else sizes))
    lengths = np.array([len(one) for one in counts], dtype=np.int64)
    flat = np.array([count for one in counts for count in one], dtype=np.float64)
    return lists_by_counts(flat, lengths, state_of((lengths == 0) & ~unknown, unknown))


def _counts(sizes: Sequence[int], signature: Sequence[int]) -> list[int]:
    """Return the numbers of classes that a shape allows; empty if a dynamic dimension may be the number of classes."""
    counts = [size for size, signed in zip(sizes, signature, strict=True) if signed > 0 and size > 1]
    if len(sizes) == 3:
        counts += [size - values for size in counts for values in _BOX_VALUES if size - values > 1]
    if counts:
        return counts
    is_dynamic = any(signed < 0 for signed in signature[len(signature) > 1 :])
    return [] if is_dynamic else [1, 2]  # one score is enough for two classes
