"""Compares the outputs of both models: top-1 agreement and the greatest error."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.confirm.compare.activation_errors import to_real
from tflint.confirm.compare.compared_graph import GraphTensor
from tflint.confirm.compare.error_measures import is_usable
from tflint.values import frozen

Array = NDArray[Any]

#: Maximum number of values of an output whose largest value is compared.
MAX_CLASSES = 100_000


@frozen
class OutputAgreement:
    """The agreement of a pair of outputs.

    `n_agreeing` of `n_ranked` rows have the largest value at the same position; both are 0 if the output has no rows of
    classes. `largest_error` is the greatest absolute difference, `largest_steps` the same in quantization steps of the
    model's output (None: not quantized).
    """

    position: int
    reference_position: int
    name: str
    tensor: int
    n_ranked: int
    n_agreeing: int
    largest_error: float
    largest_steps: float | None
    sqnr: float | None


class OutputSums:
    """Collects the agreement of a pair of outputs. `tensor` stores the values of the model's output."""

    def __init__(self, tensor: GraphTensor, reference: GraphTensor) -> None:
        self._tensor, self._reference = tensor, reference
        self.n_ranked = self.n_agreeing = 0
        self.largest = 0.0

    def add(self, actual: Array, wanted: Array) -> None:
        """Add the values of a sample, as stored."""
        ours, theirs = to_real(actual, self._tensor), to_real(wanted, self._reference)
        if ours is None or theirs is None or ours.size != theirs.size or not ours.size:
            return
        usable = is_usable(ours.reshape(-1)) & is_usable(theirs.reshape(-1))
        difference = np.abs(ours.reshape(-1) - theirs.reshape(-1))[usable]
        self.largest = max(self.largest, float(difference.max(initial=0.0)))
        if theirs.ndim == 2 and 1 < theirs.shape[1] <= MAX_CLASSES and usable.all():
            same = ours.reshape(theirs.shape).argmax(axis=1) == theirs.argmax(axis=1)
            self.n_ranked += len(same)
            self.n_agreeing += int(np.count_nonzero(same))

    def result(self, position: int, partner: int, name: str, sqnr: float | None) -> OutputAgreement:
        """Return the agreement."""
        step = self._tensor.step
        return OutputAgreement(
            position,
            partner,
            name,
            self._tensor.index,
            self.n_ranked,
            self.n_agreeing,
            self.largest,
            self.largest / step if step else None,
            sqnr,
        )
