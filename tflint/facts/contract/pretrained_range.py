"""Facts that compare the fed range with the range that a known pretrained network expects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Scalars, Strings, scalars_of, strings_of
from tflint.facts.contract.calibrated_range import FLOATS
from tflint.facts.contract.fed_range import FedRange, fed_ranges
from tflint.facts.facts import Facts, values_at
from tflint.facts.interface.first_layers import input_layers, layer_normalizations
from tflint.normalization.known_layers import KnownLayer
from tflint.normalization.known_normalizations import Normalization
from tflint.normalization.range_fit import range_shares

#: Smallest share of each range that lies in the other one if client code feeds the expected range. The source need not
#: use all 256 values: video has 16 to 235.
_SAME_RANGE = 0.8


def fits_pretraining(facts: Facts) -> Scalars:
    """Return whether each entry feeds a float input the range that its known first layer expects of client code."""
    rows = _float_inputs(facts).tolist()
    if max(rows, default=-1) < 0:
        return scalars_of((None for _ in rows), np.bool_)  # without reading the tables of first layers
    expected = layer_normalizations(facts)
    pairs = zip(fed_ranges(facts), rows, strict=True)
    return scalars_of((_fits(fed, expected[row]) if row >= 0 else None for fed, row in pairs), np.bool_)


def _float_inputs(facts: Facts) -> NDArray[np.int64]:
    """Return the row of each entry's input, or -1 if the entry has no input or the input is not a float tensor."""
    rows = facts.rows("contract_input", "input")
    tensors = values_at(facts.rows("input", "tensor"), rows, -1)
    is_float = values_at(facts.is_one_of("tensor", "dtype", FLOATS), tensors, False).astype(np.bool_)
    result: NDArray[np.int64] = np.where(is_float, rows, -1)
    return result


def _fits(fed: FedRange | None, expected: Normalization | None) -> bool | None:
    if fed is None or expected is None:
        return None
    shares = range_shares(*fed.range, (expected.low, expected.high), is_symmetric=False)
    return None if shares is None else min(shares) >= _SAME_RANGE


def known_layer_note(facts: Facts) -> Strings:
    """Return the end of messages about each entry: the known first layer of its input, or an empty string."""
    layers, rows = input_layers(facts), facts.rows("contract_input", "input").tolist()
    return strings_of(_describe(layers[row] if row >= 0 else None) for row in rows)


def _describe(layer: KnownLayer | None) -> str:
    return "" if layer is None else f"; the first layer is that of {layer.description}"
