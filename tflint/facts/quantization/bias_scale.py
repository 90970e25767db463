"""Facts of biases and rescaling: the bias scale a kernel assumes, what a wrong one does, and output multipliers.

Integer kernels add the stored bias into an accumulator whose step is input scale × weights scale; whatever scale the
bias tensor names is not looked at (LiteRT conv.cc, depthwise_conv.cc, fully_connected.cc, transpose_conv.cc).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Lists, Scalars, State, flat_positions, lists_by_counts, state_of
from tflint.facts.facts import Facts, counts, first_elements, require_budget, taken
from tflint.facts.weights.buffer_offsets import buffer_places

Ints = NDArray[Any]
Floats = NDArray[np.float64]

_BIAS_TYPES = {"INT32": "int", "INT64": "long", "FLOAT32": "float"}
#: Fixed-point bits that ADD and SUB keep below the point (add.cc, sub.cc): 20 for 8-bit inputs, 15 for 16-bit ones.
_ADD_SHIFT = {"INT8": 20, "UINT8": 20, "INT16": 15}
#: SQUARED_DIFFERENCE (int8 only) keeps 7 bits, and squares both the bits and the scale.
_SQUARE_SHIFT = {"INT8": 14}
_CONVOLUTIONS = {"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "FULLY_CONNECTED"}


def expected_scale(facts: Facts) -> Lists:
    """Input scale × weights scale of each operator with weights."""
    inputs, weights = facts.rows("operator", "input"), facts.rows("operator", "weights")
    scales = facts.lists("tensor", "scale")
    n_inputs, n_weights = counts(scales, inputs), counts(scales, weights)
    absent = (n_inputs == 0) | (n_weights == 0)
    unknown = n_inputs > 1
    rows = np.flatnonzero(~absent & ~unknown)
    products = _spread(first_elements(scales, inputs, 0.0), n_weights, rows) * _all(scales, weights, rows)
    return _lists(products, n_weights, rows, state_of(absent, unknown))


def scale_error(facts: Facts) -> Lists:
    """How far the bias scale is from the expected one, as a share of it."""
    expected = facts.lists("operator", "expected_bias_scale")
    biases = facts.rows("operator", "bias")
    scales = facts.lists("tensor", "scale")
    n_bias, n_expected = counts(scales, biases), expected.lengths
    absent = (n_bias == 0) | (_state(expected) == 1)
    unknown = (_state(expected) == 2) | ((n_bias != n_expected) & (n_bias != 1) & (n_expected != 1))
    rows = np.flatnonzero(~absent & ~unknown)
    lengths = np.maximum(n_bias, n_expected)
    wanted = _stretched(expected, np.arange(len(lengths)), rows, lengths)
    found = _stretched(scales, biases, rows, lengths)
    with np.errstate(all="ignore"):
        return _lists(np.abs(found - wanted) / np.abs(wanted), lengths, rows, state_of(absent, unknown))


def shift_steps(facts: Facts) -> Lists:
    """Steps of the output by which each channel is shifted: |stored bias| × |bias scale − expected| / output scale."""
    expected = facts.lists("operator", "expected_bias_scale")
    biases, outputs = facts.rows("operator", "bias"), facts.rows("operator", "output")
    scales = facts.lists("tensor", "scale")
    values = _bias_values(facts)
    n_channels = counts(values, biases)
    n_bias, n_output = counts(scales, biases), counts(scales, outputs)
    is_integer = taken(facts.is_one_of("tensor", "dtype", {"INT32", "INT64"}), biases, False).astype(np.bool_)
    absent = (n_channels == 0) | (n_bias == 0) | (n_output == 0) | ~is_integer | (_state(expected) == 1)
    fits = _fits(n_bias, n_channels) & _fits(expected.lengths, n_channels) & (n_output == 1)
    unknown = ~fits | (_state(expected) == 2)
    rows = np.flatnonzero(~absent & ~unknown)
    require_budget(int(n_channels[rows].sum()), "shifts of biases")
    wanted = _stretched(expected, np.arange(len(biases)), rows, n_channels)
    found = _stretched(scales, biases, rows, n_channels)
    stored = _all(values, biases, rows)
    output = _spread(first_elements(scales, outputs, 1.0), n_channels, rows)
    with np.errstate(all="ignore"):
        steps = np.where(stored == 0, 0.0, np.abs(stored) * np.abs(found - wanted) / output)
    return _lists(steps, n_channels, rows, state_of(absent, unknown))


def all_zero(facts: Facts) -> Scalars:
    """Whether every stored value of a bias is zero."""
    values = _bias_values(facts)
    stored, lengths = values.flatten(np.arange(len(values)))
    owners = np.repeat(np.arange(len(lengths)), lengths)
    nonzero = np.bincount(owners[stored != 0], minlength=len(lengths))
    return Scalars(nonzero == 0, state_of(lengths == 0))


def _bias_values(facts: Facts) -> Lists:
    """The stored values of constant biases: one list a tensor, empty for what is no such bias."""
    return facts.once("bias values", lambda: _BiasReader(facts).read())


class _BiasReader:
    """Reads the values of biases; each is read once however many operators share it."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    def read(self) -> Lists:
        """The lists, by tensor."""
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
        return self._joined(parts, lengths)

    def _read(self, rows: Ints, buffers: Ints, scalar: str, lengths: Ints) -> tuple[Ints, Floats]:
        width = 8 if scalar == "long" else 4
        places = buffer_places(self.facts)
        lengths[rows] = places.sizes[buffers] // width
        require_budget(int(lengths[rows].sum()), "values of biases")
        offsets = flat_positions(places.starts[buffers], lengths[rows], width)
        values = self.facts.tables.window.take(offsets, scalar).astype(np.float64)
        return np.repeat(rows, lengths[rows]), values

    @staticmethod
    def _joined(parts: list[tuple[Ints, Floats]], lengths: Ints) -> Lists:
        owners = np.concatenate([owners for owners, _ in parts])
        values = np.concatenate([values for _, values in parts])
        return lists_by_counts(values[np.argsort(owners, kind="stable")], lengths)


def output_multiplier(facts: Facts) -> Lists:
    """The factor from accumulator to output: s_in × s_w / s_out of what has weights; of sums see `_sums`."""
    scales = facts.lists("tensor", "scale")
    output = facts.rows("operator", "output")
    s_out = first_elements(scales, output, 0.0)
    expected = facts.lists("operator", "expected_bias_scale")
    is_convolution = facts.is_one_of("operator", "opcode", _CONVOLUTIONS) & (_state(expected) == 0)
    sums, is_sum = _sums(facts, scales)
    integers = taken(facts.numbers("tensor", "is_integer"), output, False).astype(np.bool_)
    known = (counts(scales, output) == 1) & integers & (is_convolution | is_sum)
    lengths = np.where(known, np.where(is_sum, 1, expected.lengths), 0)
    rows = np.flatnonzero(known)
    begins = np.cumsum(lengths) - lengths
    values = np.zeros(int(lengths.sum()))
    with np.errstate(all="ignore"):
        picked = rows[is_sum[rows]]
        values[begins[picked]] = sums[picked] / s_out[picked]
        picked = rows[~is_sum[rows]]
        at = flat_positions(begins[picked], lengths[picked], 1)
        values[at] = _all(expected, np.arange(len(lengths)), picked) / _spread(s_out, lengths, picked)
    return lists_by_counts(values, lengths, state_of(~known))


def _sums(facts: Facts, scales: Lists) -> tuple[Floats, NDArray[np.bool_]]:
    """The multiplier × s_out of ADD, SUB and SQUARED_DIFFERENCE, and which operators these are.

    With m = 2 × max(s1, s2): m / 2^shift, and m² / 2^14 for SQUARED_DIFFERENCE.
    """
    from tflint.facts.graph.operand_roles import operand_at

    n = facts.n("operator")
    first, second = (operand_at(facts, "input", np.full(n, position)) for position in (0, 1))
    is_square = facts.is_one_of("operator", "opcode", {"SQUARED_DIFFERENCE"})
    is_sum = facts.is_one_of("operator", "opcode", {"ADD", "SUB"}) | is_square
    shifts = [taken(facts.by_label("tensor", "dtype", table, -1), first, -1) for table in (_ADD_SHIFT, _SQUARE_SHIFT)]
    shift = np.where(is_square, shifts[1], shifts[0])
    is_sum &= (shift >= 0) & (counts(scales, first) == 1) & (counts(scales, second) == 1)
    larger = 2 * np.maximum(first_elements(scales, first, 0.0), first_elements(scales, second, 0.0))
    return np.where(is_square, larger * larger, larger) / np.exp2(np.maximum(shift, 0)), is_sum


def _state(lists: Lists) -> Ints:
    return np.zeros(len(lists), dtype=np.uint8) if lists.state is None else lists.state


def _fits(lengths: Ints, wanted: Ints) -> NDArray[np.bool_]:
    fits: NDArray[np.bool_] = (lengths == 1) | (lengths == wanted)
    return fits


def _all(lists: Lists, owners: Ints, rows: Ints) -> Floats:
    """All elements of the lists that some rows' owners have, in order."""
    return lists.flatten(owners[rows])[0].astype(np.float64)


def _spread(values: Floats, lengths: Ints, rows: Ints) -> Floats:
    """One value a row, as often as the row's list is long."""
    return np.repeat(values[rows], lengths[rows])


def _stretched(lists: Lists, owners: Ints, rows: Ints, lengths: Ints) -> Floats:
    """Elements of the owners' lists, one a wanted element: lists of length one are repeated."""
    require_budget(int(lengths[rows].sum()), "scales of biases")
    own = lists.lengths[owners[rows]]
    step = np.repeat((own > 1) * lists.stride, lengths[rows])
    begins = np.cumsum(lengths[rows]) - lengths[rows]
    inner = np.arange(int(lengths[rows].sum())) - np.repeat(begins, lengths[rows])
    return lists.take(np.repeat(lists.starts[owners[rows]], lengths[rows]) + inner * step).astype(np.float64)


def _lists(values: Floats, lengths: Ints, rows: Ints, state: State) -> Lists:
    kept = np.zeros(len(lengths), dtype=np.int64)
    kept[rows] = lengths[rows]
    return lists_by_counts(values, kept, state)
