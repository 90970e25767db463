"""Quantization of model inputs: the calibrated range, directly or behind the QUANTIZE of a float input."""

from __future__ import annotations

from tflint.columns.column import text_of
from tflint.facts.facts import Facts
from tflint.facts.interface import input_arithmetic
from tflint.normalization.range_fit import activation_range
from tflint.values import frozen


@frozen
class InputQuantization:
    """Quantization parameters of an input with exactly one valid scale and zero point."""

    dtype: str
    scale: float
    zero_point: int

    @property
    def range(self) -> tuple[float, float]:
        """Calibrated range: the smallest and largest real value that the input can hold."""
        limits = activation_range(self.dtype, self.scale, self.zero_point)
        assert limits is not None
        return limits


def input_quantizations(facts: Facts) -> list[InputQuantization | None]:
    """Return the quantization of each input, or None if there is not exactly one valid scale and zero point.

    For a float input whose only consumer is a QUANTIZE, it is the quantization of the output of this QUANTIZE.
    """
    return facts.memoize(
        "input quantizations",
        lambda: [_read_quantization(facts, int(tensor)) for tensor in facts.rows("input", "tensor")],
    )


def _read_quantization(facts: Facts, tensor: int) -> InputQuantization | None:
    if tensor >= 0 and text_of(facts.column("tensor", "dtype"), tensor) == "FLOAT32":
        tensor = input_arithmetic.quantize_output(facts, tensor)
    if tensor < 0:
        return None
    scales, zeros = facts.lists("tensor", "scale").row(tensor), facts.lists("tensor", "zero_point").row(tensor)
    dtype = text_of(facts.column("tensor", "dtype"), tensor) or ""
    is_single = len(scales) == 1 and len(zeros) == 1 and facts.numbers("tensor", "has_valid_scales")[tensor]
    if not is_single or activation_range(dtype, scales[0], zeros[0]) is None:
        return None
    return InputQuantization(dtype, scales[0], zeros[0])
