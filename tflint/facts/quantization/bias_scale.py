"""Facts about biases and rescaling: the bias scale that a kernel assumes, the shift by a wrong one, output multipliers.

Integer kernels add the stored bias to an accumulator whose step is input scale × weights scale. They ignore the scale
of the bias tensor (LiteRT conv.cc, depthwise_conv.cc, fully_connected.cc, transpose_conv.cc).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import ABSENT, UNKNOWN, Lists, Scalars, State, flat_positions, lists_by_counts, state_of
from tflint.facts.facts import Facts, first_elements, list_lengths, require_budget, values_at
from tflint.facts.quantization.quantization_parameters import has_invalid_scales
from tflint.facts.weights.buffer_offsets import buffer_places

Ints = NDArray[Any]
Floats = NDArray[np.float64]

_BIAS_TYPES = {"INT32": "int", "INT64": "long", "FLOAT32": "float"}
#: Fractional fixed-point bits of ADD and SUB (add.cc, sub.cc): 20 for 8-bit inputs, 15 for 16-bit inputs.
_ADD_SHIFT = {"INT8": 20, "UINT8": 20, "INT16": 15}
#: SQUARED_DIFFERENCE (int8 only) has 7 fractional bits before it squares. Squaring doubles their number to 14.
_SQUARE_SHIFT = {"INT8": 14}
_CONVOLUTIONS = {"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED"}


def expected_scale(facts: Facts) -> Lists:
    """Return input scale × weights scale of each operator with weights, one product per scale of the weights."""
    inputs, weights = facts.rows("operator", "input"), facts.rows("operator", "weights")
    scales = facts.lists("tensor", "scale")
    n_inputs, n_weights = list_lengths(scales, inputs), list_lengths(scales, weights)
    absent = (n_inputs == 0) | (n_weights == 0)
    unknown = (n_inputs > 1) | has_invalid_scales(facts, inputs) | has_invalid_scales(facts, weights)
    rows = np.flatnonzero(~absent & ~unknown)
    products = _repeat(first_elements(scales, inputs, 0.0), n_weights, rows) * _flatten(scales, weights, rows)
    return _lists_at(products, n_weights, rows, state_of(absent, unknown))


def scale_error(facts: Facts) -> Lists:
    """Return |bias scale − expected scale| / expected scale of each operator, one value per channel."""
    expected = facts.lists("operator", "expected_bias_scale")
    biases = facts.rows("operator", "bias")
    scales = facts.lists("tensor", "scale")
    n_bias, n_expected = list_lengths(scales, biases), expected.lengths
    absent = (n_bias == 0) | (_state(expected) == ABSENT)
    unknown = (_state(expected) == UNKNOWN) | ((n_bias != n_expected) & (n_bias != 1) & (n_expected != 1))
    rows = np.flatnonzero(~absent & ~unknown)
    lengths = np.maximum(n_bias, n_expected)
    expected_scales = _broadcast(expected, np.arange(len(lengths)), rows, lengths)
    bias_scales = _broadcast(scales, biases, rows, lengths)
    with np.errstate(over="ignore"):
        errors = np.abs(bias_scales - expected_scales) / expected_scales
    return _lists_at(np.where(np.isnan(errors), np.inf, errors), lengths, rows, state_of(absent, unknown))


def worst_scales(facts: Facts) -> Lists:
    """Return the bias scale and the expected scale of the channel of each operator that has the largest error."""
    errors = facts.lists("operator", "bias_scale_error")
    flat, lengths = errors.flatten(slice(None))
    owners = np.repeat(np.arange(len(lengths)), lengths)
    channels = np.arange(len(flat)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    order = np.lexsort((-flat, owners))
    rows, firsts = np.unique(owners[order], return_index=True)
    worst = channels[order][firsts]
    biases = facts.rows("operator", "bias")
    pairs = (
        _elements_at(facts.lists("tensor", "scale"), biases[rows], worst),
        _elements_at(facts.lists("operator", "expected_bias_scale"), rows, worst),
    )
    counts = np.zeros(len(lengths), dtype=np.int64)
    counts[rows] = 2
    return lists_by_counts(np.stack(pairs, axis=1).reshape(-1), counts, errors.state)


def _elements_at(lists: Lists, owners: Ints, positions: Ints) -> Floats:
    """Return one element of each list: its only element, or that at a position."""
    inner = np.where(lists.lengths[owners] > 1, positions, 0) * lists.stride
    return lists.take(lists.starts[owners] + inner).astype(np.float64)


def shift_steps(facts: Facts) -> Lists:
    """Return, per channel, how far a wrong bias scale shifts the output of each operator, in output steps.

    The shift is |stored bias| × |bias scale − expected scale| / output scale.
    """
    expected = facts.lists("operator", "expected_bias_scale")
    biases, outputs = facts.rows("operator", "bias"), facts.rows("operator", "output")
    scales = facts.lists("tensor", "scale")
    values = _bias_values(facts)
    n_channels = list_lengths(values, biases)
    n_bias, n_output = list_lengths(scales, biases), list_lengths(scales, outputs)
    is_integer = values_at(facts.is_one_of("tensor", "dtype", {"INT32", "INT64"}), biases, False).astype(np.bool_)
    absent = (n_channels == 0) | (n_bias == 0) | (n_output == 0) | ~is_integer | (_state(expected) == ABSENT)
    fits = _can_broadcast(n_bias, n_channels) & _can_broadcast(expected.lengths, n_channels) & (n_output == 1)
    unknown = ~fits | (_state(expected) == UNKNOWN) | has_invalid_scales(facts, outputs)
    rows = np.flatnonzero(~absent & ~unknown)
    require_budget(int(n_channels[rows].sum()), "shifts of biases")
    expected_scales = _broadcast(expected, np.arange(len(biases)), rows, n_channels)
    bias_scales = _broadcast(scales, biases, rows, n_channels)
    stored = _flatten(values, biases, rows)
    output = _repeat(first_elements(scales, outputs, 1.0), n_channels, rows)
    with np.errstate(all="ignore"):
        steps = np.where(stored == 0, 0.0, np.abs(stored) * np.abs(bias_scales - expected_scales) / output)
    return _lists_at(steps, n_channels, rows, state_of(absent, unknown))


def all_zero(facts: Facts) -> Scalars:
    """Return whether all stored values of each bias are zero."""
    values = _bias_values(facts)
    stored, lengths = values.flatten(np.arange(len(values)))
    owners = np.repeat(np.arange(len(lengths)), lengths)
    nonzero = np.bincount(owners[stored != 0], minlength=len(lengths))
    return Scalars(nonzero == 0, state_of(lengths == 0))


def _bias_values(facts: Facts) -> Lists:
    """Return the stored values of constant biases, one list per tensor, empty for other tensors."""
    return facts.memoize("bias values", lambda: _BiasReader(facts).read())


class _BiasReader:
    """Reads the values of biases. A bias that several operators share is read once."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    def read(self) -> Lists:
        """Return the values of all biases, one list per tensor. The list of any other tensor is empty."""
        facts = self.facts
        biases = facts.rows("operator", "bias")
        is_bias = np.zeros(facts.n("tensor"), dtype=np.bool_)
        is_bias[biases[biases >= 0]] = True
        is_bias &= facts.numbers("tensor", "is_constant")
        buffers = facts.rows("tensor", "buffer")
        lengths = np.zeros(len(is_bias), dtype=np.int64)
        parts: list[tuple[Ints, Floats]] = []
        for dtype, scalar in _BIAS_TYPES.items():
            rows = np.flatnonzero(is_bias & facts.is_one_of("tensor", "dtype", {dtype}) & (buffers >= 0))
            parts.append(self._read(rows, buffers[rows], scalar, lengths))
        return self._join(parts, lengths)

    def _read(self, rows: Ints, buffers: Ints, scalar: str, lengths: Ints) -> tuple[Ints, Floats]:
        width = 8 if scalar == "long" else 4
        places = buffer_places(self.facts)
        lengths[rows] = places.sizes[buffers] // width
        require_budget(int(lengths[rows].sum()), "values of biases")
        offsets = flat_positions(places.starts[buffers], lengths[rows], width)
        values = self.facts.tables.window.take(offsets, scalar).astype(np.float64)
        return np.repeat(rows, lengths[rows]), values

    @staticmethod
    def _join(parts: list[tuple[Ints, Floats]], lengths: Ints) -> Lists:
        owners = np.concatenate([owners for owners, _ in parts])
        values = np.concatenate([values for _, values in parts])
        return lists_by_counts(values[np.argsort(owners, kind="stable")], lengths)


def output_multiplier(facts: Facts) -> Lists:
    """Return the factor by which each operator multiplies its accumulator to get its quantized output.

    For an operator with weights, the factor is s_in × s_w / s_out, one value per scale of the weights. For ADD, SUB and
    SQUARED_DIFFERENCE, see `_sum_multipliers`. Absent for other operators.
    """
    scales = facts.lists("tensor", "scale")
    output = facts.rows("operator", "output")
    s_out = first_elements(scales, output, 0.0)
    expected = facts.lists("operator", "expected_bias_scale")
    is_convolution = facts.is_one_of("operator", "opcode", _CONVOLUTIONS) & (_state(expected) != ABSENT)
    sums, is_sum, is_sum_unknown = _sum_multipliers(facts, scales)
    integers = values_at(facts.numbers("tensor", "is_integer"), output, False).astype(np.bool_)
    absent = ~((list_lengths(scales, output) == 1) & integers & (is_convolution | is_sum))
    unknown = has_invalid_scales(facts, output) | np.where(is_sum, is_sum_unknown, _state(expected) == UNKNOWN)
    known = ~absent & ~unknown
    lengths = np.where(known, np.where(is_sum, 1, expected.lengths), 0)
    rows = np.flatnonzero(known)
    begins = np.cumsum(lengths) - lengths
    values = np.zeros(int(lengths.sum()))
    with np.errstate(all="ignore"):
        sum_rows = rows[is_sum[rows]]
        values[begins[sum_rows]] = sums[sum_rows] / s_out[sum_rows]
        other_rows = rows[~is_sum[rows]]
        at = flat_positions(begins[other_rows], lengths[other_rows], 1)
        values[at] = _flatten(expected, np.arange(len(lengths)), other_rows) / _repeat(s_out, lengths, other_rows)
    return lists_by_counts(values, lengths, state_of(absent, unknown))


def _sum_multipliers(facts: Facts, scales: Lists) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return multiplier × s_out for ADD, SUB and SQUARED_DIFFERENCE, which operators these are, and for which of them
    it is unknown.

    s1 and s2 are the scales of the two inputs, and m = 2 × max(s1, s2). The result is m / 2^shift for ADD and SUB, and
    m² / 2^14 for SQUARED_DIFFERENCE.
    """
    from tflint.facts.graph.operand_roles import operand_at

    n = facts.n("operator")
    first, second = (operand_at(facts, "input", np.full(n, position)) for position in (0, 1))
    is_square = facts.is_one_of("operator", "opcode", {"SQUARED_DIFFERENCE"})
    is_sum = facts.is_one_of("operator", "opcode", {"ADD", "SUB"}) | is_square
    shifts = [
        values_at(facts.by_label("tensor", "dtype", table, -1), first, -1) for table in (_ADD_SHIFT, _SQUARE_SHIFT)
    ]
    shift = np.where(is_square, shifts[1], shifts[0])
    is_sum &= (shift >= 0) & (list_lengths(scales, first) == 1) & (list_lengths(scales, second) == 1)
    larger = 2 * np.maximum(first_elements(scales, first, 0.0), first_elements(scales, second, 0.0))
    is_unknown = has_invalid_scales(facts, first) | has_invalid_scales(facts, second)
    with np.errstate(all="ignore"):  # an invalid scale can be any number
        factors = np.where(is_square, larger * larger, larger) / np.exp2(np.maximum(shift, 0))
    return factors, is_sum, is_unknown


def _state(lists: Lists) -> Ints:
    return np.zeros(len(lists), dtype=np.uint8) if lists.state is None else lists.state


def _can_broadcast(lengths: Ints, target: Ints) -> NDArray[np.bool_]:
    fits: NDArray[np.bool_] = (lengths == 1) | (lengths == target)
    return fits


def _flatten(lists: Lists, owners: Ints, rows: Ints) -> Floats:
    """Return the elements of the lists of `owners[rows]`, one list after the other."""
    return lists.flatten(owners[rows])[0].astype(np.float64)


def _repeat(values: Floats, lengths: Ints, rows: Ints) -> Floats:
    """Repeat each row's value once per element of the row's list."""
    return np.repeat(values[rows], lengths[rows])


def _broadcast(lists: Lists, owners: Ints, rows: Ints, lengths: Ints) -> Floats:
    """Return the elements of the lists of `owners[rows]`. A list of one element is repeated to its `lengths[rows]`."""
    require_budget(int(lengths[rows].sum()), "scales of biases")
    own = lists.lengths[owners[rows]]
    step = np.repeat((own > 1) * lists.stride, lengths[rows])
    begins = np.cumsum(lengths[rows]) - lengths[rows]
    inner = np.arange(int(lengths[rows].sum())) - np.repeat(begins, lengths[rows])
    return lists.take(np.repeat(lists.starts[owners[rows]], lengths[rows]) + inner * step).astype(np.float64)


def _lists_at(values: Floats, lengths: Ints, rows: Ints, state: State) -> Lists:
    kept = np.zeros(len(lengths), dtype=np.int64)
    kept[rows] = lengths[rows]
    return lists_by_counts(values, kept, state)
