"""Facts that compare the fed range with the range that a known pretrained network expects."""

from __future__ import annotations

import numpy as np

from tflint.columns.column import Scalars, Strings, scalars_of, strings_of
from tflint.facts.contract.fed_range import FedRange, fed_ranges
from tflint.facts.facts import Facts
from tflint.facts.interface.first_layers import input_layers, layer_normalizations
from tflint.normalization.known_layers import KnownLayer
from tflint.normalization.known_normalizations import Normalization
from tflint.normalization.range_fit import range_shares

#: Smallest share of each range that lies in the other one if client code feeds the expected range. The source need not
#: use all 256 values: video has 16 to 235.
_SAME_RANGE = 0.8


def fits_pretraining(facts: Facts) -> Scalars:
    """Return whether each entry feeds the range that its known first layer expects of client code."""
    expected, rows = layer_normalizations(facts), facts.rows("contract_input", "input").tolist()
    pairs = zip(fed_ranges(facts), rows, strict=True)
    return scalars_of((_fits(fed, expected[row] if row >= 0 else None) for fed, row in pairs), np.bool_)


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
