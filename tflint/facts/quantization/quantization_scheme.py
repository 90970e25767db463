"""Facts of the quantization scheme: how each operator computes, and what that makes of the whole model."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Strings, strings_of
from tflint.facts.facts import Facts, taken

_SCHEMES = [
    "other",
    "float32",
    "float16-weights",
    "dynamic-range",
    "weight-only",
    "int8",
    "uint8",
    "int16x8",
    "int4",
    "int16",
    "float16",
]
_CODE = {name: code for code, name in enumerate(_SCHEMES)}
_NARROW = {"INT8", "UINT8", "INT4", "UINT4", "INT2", "INT16"}
#: Weights with fewer elements stay in float when the converter makes a dynamic range model: its name depends on the
#: larger ones (`minimum_elements_for_weights` of quantization_config.h in TensorFlow 2.21).
_MIN_QUANTIZED_ELEMENTS = 1024
#: Types of inputs and outputs that can hold quantized values, or what these stand for; others are indices and flags.
_VALUE_TYPES = {"FLOAT32", "FLOAT16", "INT8", "UINT8", "INT16"}
_OWN_TYPE = {"int8": "INT8", "int4": "INT8", "uint8": "UINT8", "int16x8": "INT16", "int16": "INT16"}
#: Operators that only change the representation of values.
_CONVERSIONS = {"QUANTIZE", "DEQUANTIZE", "CAST", "FAKE_QUANT"}
_NAMES = {
    "int8": "full int8",
    "uint8": "legacy uint8",
    "int16": "int16",
    "dynamic-range": "dynamic range",
    "float16-weights": "float16 weights",
}


def operator_scheme(facts: Facts) -> Strings:
    """How each operator computes, by the types of its input and weights and by what its weights come from."""
    dtypes = {name: code for code, name in enumerate(("FLOAT32", "INT8", "UINT8", "INT16", "FLOAT16"))}
    codes = facts.by_label("tensor", "dtype", dtypes, -1)
    quantized = facts.numbers("tensor", "is_quantized")
    inputs, weights = facts.rows("operator", "input"), facts.rows("operator", "weights")
    activation = taken(codes, inputs, -1)
    is_quantized = taken(quantized, inputs, False).astype(np.bool_)
    result = np.zeros(len(inputs), dtype=np.int64)
    result[activation == 0] = _CODE["float32"]
    result[activation == 4] = _CODE["float16"]
    for code, name in ((1, "int8"), (2, "uint8"), (3, "int16")):
        result[(activation == code) & is_quantized] = _CODE[name]
    narrow = facts.is_one_of("tensor", "dtype", _NARROW)
    small = facts.is_one_of("tensor", "dtype", {"INT4", "UINT4", "INT2"})
    is_float = activation == 0
    result[is_float & _of(narrow, weights)] = _CODE["dynamic-range"]
    origin = _dequantized_from(facts, weights)
    result[is_float & _of(codes == 4, origin)] = _CODE["float16-weights"]
    result[is_float & _of(narrow, origin)] = _CODE["weight-only"]
    result[(activation == 3) & is_quantized & _of(codes == 1, weights)] = _CODE["int16x8"]
    result[(result == _CODE["int8"]) & _of(small, weights)] = _CODE["int4"]
    return Strings(result, _SCHEMES)


def _of(truth: NDArray[np.bool_], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    return taken(truth, rows, False).astype(np.bool_)


def _dequantized_from(facts: Facts, tensors: NDArray[np.int64]) -> NDArray[np.int64]:
    """The constant that a DEQUANTIZE turns into each tensor, -1 for none."""
    producers = taken(facts.rows("tensor", "producer"), tensors, -1)
    dequantized = taken(facts.is_one_of("operator", "opcode", {"DEQUANTIZE"}), producers, False).astype(np.bool_)
    source = taken(facts.rows("operator", "input"), producers, -1)
    constant = taken(facts.numbers("tensor", "is_constant"), source, False).astype(np.bool_)
    return np.where(dequantized & constant, source, -1)


def model_scheme(facts: Facts) -> Strings:
    """What the schemes of its operators make of each model."""
    schemes = facts.strings("operator", "scheme")
    models = facts.table("operator").model
    weights = facts.rows("operator", "weights")
    weighted = weights >= 0
    conversions = facts.is_one_of("operator", "opcode", _CONVERSIONS)
    n_elements = taken(facts.numbers("tensor", "n_elements"), weights, _MIN_QUANTIZED_ELEMENTS)
    small = (schemes.codes == _CODE["float32"]) & (n_elements < _MIN_QUANTIZED_ELEMENTS)
    entries = _entries(facts)
    found = []
    for model in range(facts.n("model")):
        own = models == model
        counted = _names(schemes, own & weighted)
        if counted == {"dynamic-range", "float32"}:
            counted = _names(schemes, own & weighted & ~small)
        beside = _names(schemes, own & ~weighted & ~conversions)
        inputs, outputs = (_border_types(facts, table, entries, model) for table in ("input", "output"))
        found.append(_named(counted, beside, inputs, outputs))
    return strings_of(found)


def base_scheme(facts: Facts) -> Strings:
    """The scheme of each model without the types at its border, and without those that are mixed."""
    schemes = facts.strings("model", "scheme")
    return strings_of(base_of(schemes.labels[code]) for code in schemes.codes.tolist())


def base_of(scheme: str) -> str:
    """A model's scheme without the types at its border, and without those that are mixed."""
    return re.split(r", | \(", scheme)[0]


def _names(schemes: Strings, rows: NDArray[np.bool_]) -> set[str]:
    return {schemes.labels[code] for code in np.flatnonzero(np.bincount(schemes.codes[rows])).tolist()} - {"other"}


def _entries(facts: Facts) -> NDArray[np.bool_]:
    """Which subgraphs a caller can run: the first of each model, and those with a signature."""
    entries: NDArray[np.bool_] = facts.numbers("subgraph", "index") == 0
    called = facts.rows("signature", "subgraph")
    entries[called[called >= 0]] = True
    return entries


def _border_types(facts: Facts, table: str, entries: NDArray[np.bool_], model: int) -> set[str]:
    """Types of the inputs or outputs of a model that hold values."""
    dtypes = facts.strings("tensor", "dtype")
    at_border = (facts.table(table).model == model) & taken(entries, facts.rows(table, "subgraph"), False)
    rows = facts.rows(table, "tensor")[at_border]
    return {dtypes.labels[int(dtypes.codes[row])] for row in rows.tolist() if row >= 0} & _VALUE_TYPES


def _named(weighted: set[str], beside: set[str], inputs: set[str], outputs: set[str]) -> str:
    """The scheme of a model from those of its operators with weights, of the others, and the types at its border."""
    schemes = weighted or beside
    if not schemes:
        return "no arithmetic"
    if schemes == {"int8", "int4"}:
        schemes = {"int4"}
    if len(schemes) > 1:
        return _mixed(schemes)
    (scheme,) = schemes
    name = _NAMES.get(scheme, scheme)
    if scheme not in _OWN_TYPE:
        return name
    if "float32" in beside and weighted:
        return _mixed({scheme, "float32"})
    return name + _border(inputs - {_OWN_TYPE[scheme]}, outputs - {_OWN_TYPE[scheme]})


def _mixed(schemes: set[str]) -> str:
    return f"mixed ({', '.join(sorted(schemes))})"


def _border(inputs: set[str], outputs: set[str]) -> str:
    """What to say of inputs and outputs that have another type than what is computed with."""
    if inputs == outputs:
        return f", {_listed(inputs)} at the border" if inputs else ""
    sides = ((inputs, "inputs"), (outputs, "outputs"))
    return "".join(f", {_listed(types)} {side}" for types, side in sides if types)


def _listed(types: set[str]) -> str:
    return " and ".join(sorted(types)).lower()
