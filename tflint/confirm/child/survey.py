"""Runs a model on several generated inputs and compares its tensors across them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.confirm.child.generated_inputs import KINDS, default_limits, generate
from tflint.confirm.child.interpreters import Litert, Tensor, Tflm

Array = NDArray[Any]
Limits = Sequence[Sequence[float] | None]

#: Maximum number of bytes of inner tensors that a survey keeps for comparison.
MAX_KEPT_BYTES = 256 << 20
#: Maximum number of bytes of an output that a survey returns or keeps.
MAX_OUTPUT_BYTES = 64 << 20


def generate_inputs(tensors: Sequence[Tensor], kind: str, limits: Limits, seed: int) -> list[Array]:
    """Return generated values for all inputs. `limits` has the range of each input, or None."""
    arrays = []
    for position, tensor in enumerate(tensors):
        known = limits[position] if position < len(limits) else None
        bounds = known if known is not None else default_limits(tensor.dtype, is_quantized=tensor.is_quantized)
        arrays.append(generate(kind, tensor.shape, tensor.dtype, bounds, seed + position))
    return arrays


class Survey:
    """The results of running a model on inputs of all kinds.

    `failures` has the runtime's message for each kind that failed. `outputs` has the outputs per kind. `unchanged` has
    the inner tensors with the same values for all kinds, and `unreadable` those that could not be compared. `seconds`
    is the time of each invocation. `repeated_differs` lists the outputs that differ if the same input is run twice.
    """

    def __init__(self, interpreter: Litert | Tflm, tensors: Sequence[int], announce: Callable[[str], None]) -> None:
        self._interpreter = interpreter
        self._watched = list(tensors) if isinstance(interpreter, Litert) else []
        self._announce = announce
        self._first: dict[int, Array] = {}
        self.failures: dict[str, str] = {}
        self.outputs: dict[str, list[Array]] = {}
        self.unchanged: set[int] = set()
        self.unreadable: set[int] = set()
        self.repeated_differs: list[int] = []
        self.seconds: list[float] = []

    def run(self, limits: Limits, seed: int, *, repeats: bool) -> None:
        """Run the model on all kinds of input. With `repeats`, run the first input twice in a row."""
        inputs, outputs = self._interpreter.inputs(), self._interpreter.outputs()
        for kind in KINDS:
            arrays = generate_inputs(inputs, kind, limits, seed)
            values = self._invoke(kind, arrays, outputs)
            if values is None:
                continue
            self.outputs[kind] = values
            self._compare()
            if repeats and len(self.outputs) == 1:
                again = self._invoke(f"{kind} again", arrays, outputs)
                if again is not None:
                    self.repeated_differs = [
                        k for k, pair in enumerate(zip(values, again, strict=True)) if differ(*pair)
                    ]
            if not inputs:
                break  # every invocation would be the same

    def _invoke(self, kind: str, arrays: Sequence[Array], outputs: Sequence[Tensor]) -> list[Array] | None:
        self._announce(f"invoke ({kind})")
        begin = time.perf_counter()
        try:
            self._interpreter.invoke(arrays)
        except (RuntimeError, ValueError, TypeError) as error:
            self.failures[kind] = str(error)
            return None
        self.seconds.append(time.perf_counter() - begin)
        return [self._interpreter.read_output(tensor) for tensor in outputs]

    def _compare(self) -> None:
        """Compare the inner tensors with those of the first input."""
        assert isinstance(self._interpreter, Litert) or not self._watched
        is_first = not self._first and not self.unreadable
        n_bytes = 0
        for index in self._watched:
            if index in self.unreadable:
                continue
            try:
                values = self._interpreter.view(index)  # type: ignore[union-attr]
            except (RuntimeError, ValueError):
                self.unreadable.add(index)
                self.unchanged.discard(index)
                continue
            if is_first:
                n_bytes += values.nbytes
                if n_bytes > MAX_KEPT_BYTES or not values.size or values.dtype.kind not in "biufc":
                    self.unreadable.add(index)
                    continue
                self._first[index] = values.copy()
                self.unchanged.add(index)
            elif index in self.unchanged and differ(self._first[index], values):
                self.unchanged.discard(index)


def differ(one: Array, other: Array) -> bool:
    """Return whether two arrays have different shapes or bytes."""
    if one.shape != other.shape or one.dtype != other.dtype:
        return True
    if one.dtype.kind == "O":
        return not bool((one == other).all())
    return not np.array_equal(one.reshape(-1).view(np.uint8), other.reshape(-1).view(np.uint8))


def measure_saturation(interpreter: Litert, tensors: Sequence[Sequence[int]]) -> dict[int, float]:
    """Return the share of saturated values of tensors after an invocation.

    Each entry of `tensors` is a tensor's index, smallest and largest integer; use None for a limit that does not count.
    """
    shares = {}
    for index, low, high in tensors:
        try:
            values = interpreter.view(index)
        except (RuntimeError, ValueError):
            continue
        if values.size and values.dtype.kind in "iu":
            n_low = int(np.count_nonzero(values == low)) if low is not None else 0
            n_high = int(np.count_nonzero(values == high)) if high is not None else 0
            shares[index] = (n_low + n_high) / values.size
    return shares
