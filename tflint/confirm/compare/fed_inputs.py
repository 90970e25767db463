"""The inputs that both models take, and the conversion of a value to what each model takes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.confirm.golden_samples import fit_to_tensor
from tflint.confirm.wire import Message
from tflint.errors import UserError
from tflint.values import frozen

Array = NDArray[Any]


@frozen(eq=False)
class FedInput:
    """A paired input: its positions in both models, the runtime's descriptions, its names, and the range to generate.

    `limits` are real values, or integers if the input is not quantized.
    """

    position: int
    reference_position: int
    tensor: Message
    reference_tensor: Message
    names: tuple[str, ...]
    limits: tuple[float, float]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample."""
        return tuple(self.tensor["shape"])

    @property
    def takes_real(self) -> bool:
        """Whether the values are real numbers, quantized or not."""
        return any(_is_real(tensor) for tensor in (self.tensor, self.reference_tensor))

    @property
    def label(self) -> str:
        """The input in messages."""
        return f"input {self.position}" + (f" '{self.names[0]}'" if self.names else "")

    def convert(self, values: Array, what: str) -> tuple[Array, Array]:
        """Return a value as the model and as the reference take it. Integers of a quantized type are dequantized.

        Raises `UserError` if type or shape do not fit, or if a value is not finite.
        """
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise UserError(f"'{what}' contains NaN or infinity", hint="remove these samples")
        if values.dtype.kind in "iu" and self.takes_real:
            values = self._dequantize(values, what)
        if not self.takes_real and values.dtype.kind in "iu":
            return tuple(_fit_integers(values, one, what) for one in (self.tensor, self.reference_tensor))  # type: ignore[return-value]
        return fit_to_tensor(values, self.tensor, what), fit_to_tensor(values, self.reference_tensor, what)

    def _dequantize(self, values: Array, what: str) -> Array:
        for tensor in (self.tensor, self.reference_tensor):
            if np.dtype(tensor["dtype"]) == values.dtype and tensor["scale"]:
                real: Array = (values.astype(np.float64) - tensor["zero_point"]) * tensor["scale"]
                return real
        types = " and ".join(str(np.dtype(one["dtype"])) for one in (self.reference_tensor, self.tensor))
        raise UserError(
            f"'{what}' has the type {values.dtype}, but {self.label} takes {types}",
            hint="save real values as float32; tflint quantizes them",
        )


def _is_real(tensor: Message) -> bool:
    return np.dtype(tensor["dtype"]).kind == "f" or bool(tensor["scale"])


def _fit_integers(values: Array, tensor: Message, what: str) -> Array:
    dtype: np.dtype[Any] = np.dtype(tensor["dtype"])
    if dtype.kind not in "iu":
        raise UserError(f"'{what}' has the type {values.dtype}, but the model takes {dtype}")
    bounds = np.iinfo(dtype)
    if values.size and (int(values.min()) < bounds.min or int(values.max()) > bounds.max):
        raise UserError(f"'{what}' has values that do not fit {dtype}")
    return fit_to_tensor(values.astype(dtype), tensor, what)
