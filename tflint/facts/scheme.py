"""Facts of the quantization scheme: how each operator computes, and what that makes of the whole model."""

from __future__ import annotations

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
    weighted = facts.rows("operator", "weights") >= 0
    conversions = facts.is_one_of("operator", "opcode", _CONVERSIONS)
    found = []
    for model in range(facts.n("model")):
        own = models == model
        counted = _names(schemes, own & weighted)
        beside = _names(schemes, own & ~weighted & ~conversions)
        found.append(_named(counted, beside, _border_types(facts, model)))
    return strings_of(found)


def _names(schemes: Strings, rows: NDArray[np.bool_]) -> set[str]:
    return {schemes.labels[code] for code in np.flatnonzero(np.bincount(schemes.codes[rows])).tolist()} - {"other"}


def _border_types(facts: Facts, model: int) -> set[str]:
    """Types of the inputs and outputs of a model's first subgraph that are no index or flag."""
    dtypes = facts.strings("tensor", "dtype")
    names: set[str] = set()
    for table in ("input", "output"):
        rows = facts.rows(table, "tensor")[facts.table(table).model == model]
        names |= {dtypes.labels[int(dtypes.codes[row])] for row in rows.tolist() if row >= 0}
    return names


def _named(weighted: set[str], beside: set[str], border: set[str]) -> str:
    """The scheme of a model from those of its operators with weights, of the others, and the types at its border."""
    schemes = weighted or beside
    if not schemes:
        return "no arithmetic"
    if schemes == {"int8", "int4"}:
        schemes = {"int4"}
    if len(schemes) > 1:
        return "mixed (" + ", ".join(sorted(schemes)) + ")"
    (scheme,) = schemes
    if scheme in ("int8", "uint8", "int16x8", "int16", "int4"):
        if "float32" in beside and weighted:
            return f"mixed ({scheme}, float32)"
        name = _NAMES.get(scheme, scheme)
        return f"{name}, float32 at the border" if "FLOAT32" in border else name
    return _NAMES.get(scheme, scheme)
