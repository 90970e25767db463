"""Facts about the quantization scheme of operators and models."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from tflint.columns.column import Scalars, Strings, strings_of
from tflint.facts.facts import Facts, values_at

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
    "int2",
    "int16",
    "float16",
]
_CODE = {name: code for code, name in enumerate(_SCHEMES)}
_NARROW = {"INT8", "UINT8", "INT4", "UINT4", "INT2", "INT16"}
#: In a dynamic range model, the converter leaves weights with fewer elements than this in float
#: (`minimum_elements_for_weights` in quantization_config.h of TensorFlow 2.21). Such weights do not make the scheme
#: mixed.
_MIN_QUANTIZED_ELEMENTS = 1024
#: Types of inputs and outputs that can hold real or quantized values. Other types hold indices and flags.
_VALUE_TYPES = {"FLOAT32", "FLOAT16", "INT8", "UINT8", "INT16"}
_OWN_TYPE = {"int8": "INT8", "int4": "INT8", "int2": "INT8", "uint8": "UINT8", "int16x8": "INT16", "int16": "INT16"}
#: Schemes of models that compute in float with quantized weights; int8 weights are the usual case.
_WEIGHT_SCHEMES = {"dynamic range", "weight-only"}
#: Operators that change only the representation of values.
_CONVERSIONS = {"QUANTIZE", "DEQUANTIZE", "CAST", "FAKE_QUANT"}
_NAMES = {
    "int8": "full int8",
    "uint8": "legacy uint8",
    "int16": "int16",
    "dynamic-range": "dynamic range",
    "float16-weights": "float16 weights",
}


def operator_scheme(facts: Facts) -> Strings:
    """Return the scheme of each operator.

    It follows from the types of three tensors: the operator's input, its weights, and the constant that a DEQUANTIZE
    converts to these weights.
    """
    dtypes = {name: code for code, name in enumerate(("FLOAT32", "INT8", "UINT8", "INT16", "FLOAT16"))}
    codes = facts.by_label("tensor", "dtype", dtypes, -1)
    quantized = facts.numbers("tensor", "is_quantized")
    inputs, weights = facts.rows("operator", "input"), facts.rows("operator", "weights")
    activation = values_at(codes, inputs, -1)
    is_quantized = values_at(quantized, inputs, False).astype(np.bool_)
    result = np.zeros(len(inputs), dtype=np.int64)
    result[activation == 0] = _CODE["float32"]
    result[activation == 4] = _CODE["float16"]
    for code, name in ((1, "int8"), (2, "uint8"), (3, "int16")):
        result[(activation == code) & is_quantized] = _CODE[name]
    narrow = facts.is_one_of("tensor", "dtype", _NARROW)
    is_float = activation == 0
    result[is_float & _flags_at(narrow, weights)] = _CODE["dynamic-range"]
    origin = find_dequantized_constants(facts, weights)
    result[is_float & _flags_at(codes == 4, origin)] = _CODE["float16-weights"]
    result[is_float & _flags_at(narrow, origin)] = _CODE["weight-only"]
    result[(activation == 3) & is_quantized & _flags_at(codes == 1, weights)] = _CODE["int16x8"]
    is_int8 = result == _CODE["int8"]
    for name, types in (("int4", {"INT4", "UINT4"}), ("int2", {"INT2"})):
        result[is_int8 & _flags_at(facts.is_one_of("tensor", "dtype", types), weights)] = _CODE[name]
    return Strings(result, _SCHEMES)


def _flags_at(truth: NDArray[np.bool_], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    return values_at(truth, rows, False).astype(np.bool_)


def find_dequantized_constants(facts: Facts, tensors: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the constant that a DEQUANTIZE converts to each tensor, or -1 if there is none."""
    producers = values_at(facts.rows("tensor", "producer"), tensors, -1)
    dequantized = values_at(facts.is_one_of("operator", "opcode", {"DEQUANTIZE"}), producers, False).astype(np.bool_)
    source = values_at(facts.rows("operator", "input"), producers, -1)
    constant = values_at(facts.numbers("tensor", "is_constant"), source, False).astype(np.bool_)
    return np.where(dequantized & constant, source, -1)


def model_scheme(facts: Facts) -> Strings:
    """Return the scheme of each model. It follows from the schemes of its operators and its input and output types."""
    schemes = facts.strings("operator", "scheme")
    models = facts.table("operator").model
    weights = facts.rows("operator", "weights")
    weighted = weights >= 0
    conversions = facts.is_one_of("operator", "opcode", _CONVERSIONS)
    n_elements = values_at(facts.numbers("tensor", "n_elements"), weights, _MIN_QUANTIZED_ELEMENTS)
    small = (schemes.codes == _CODE["float32"]) & (n_elements < _MIN_QUANTIZED_ELEMENTS)
    entries = _is_entry(facts)
    names = []
    for model in range(facts.n("model")):
        own = models == model
        counted = _schemes_at(schemes, own & weighted)
        if counted == {"dynamic-range", "float32"}:
            counted = _schemes_at(schemes, own & weighted & ~small)
        others = _schemes_at(schemes, own & ~weighted & ~conversions)
        inputs, outputs = (_interface_types(facts, table, entries, model) for table in ("input", "output"))
        name = _scheme_name(counted, others, inputs, outputs)
        names.append(name + _describe_weights(facts, np.flatnonzero(own & weighted), name))
    return strings_of(names)


def _describe_weights(facts: Facts, operators: NDArray[np.int64], name: str) -> str:
    """Return what distinguishes the quantized weights of a float model from int8 weights, such as ` (int4 weights)`."""
    if name not in _WEIGHT_SCHEMES:
        return ""
    weights = facts.rows("operator", "weights")[operators]
    origin = find_dequantized_constants(facts, weights)
    rows = np.where(origin >= 0, origin, weights)
    dtypes, granularities = facts.strings("tensor", "dtype"), facts.strings("tensor", "granularity")
    kinds = set()
    for row in rows[_flags_at(facts.is_one_of("tensor", "dtype", _NARROW), rows)].tolist():
        is_blockwise = granularities.labels[int(granularities.codes[row])] == "blockwise"
        kinds.add(f"{'blockwise ' if is_blockwise else ''}{dtypes.labels[int(dtypes.codes[row])].lower()}")
    return "" if kinds <= {"int8"} else f" ({' and '.join(sorted(kinds))} weights)"


def n_large_float_weights(facts: Facts) -> Scalars:
    """Return, per model, how many convolutions and FULLY_CONNECTED have large float weights.

    Dynamic range quantization converts these weights. It leaves smaller ones, and may leave those of other operators.
    """
    weights = facts.rows("operator", "weights")
    is_large = values_at(facts.numbers("tensor", "n_elements"), weights, 0) >= _MIN_QUANTIZED_ELEMENTS
    is_float = _flags_at(facts.is_one_of("tensor", "dtype", {"FLOAT32"}), weights)
    is_constant = _flags_at(facts.numbers("tensor", "is_constant").astype(np.bool_), weights)
    is_converted = facts.is_one_of("operator", "opcode", {"CONV_2D", "FULLY_CONNECTED"})
    counted = is_large & is_float & is_constant & is_converted
    return Scalars(np.bincount(facts.table("operator").model[counted], minlength=facts.n("model")))


def base_scheme(facts: Facts) -> Strings:
    """Return the scheme of each model without details about weights, mixed schemes, inputs and outputs."""
    schemes = facts.strings("model", "scheme")
    return strings_of(base_scheme_name(schemes.labels[code]) for code in schemes.codes.tolist())


def base_scheme_name(scheme: str) -> str:
    """Return the name of a scheme without details.

    For example, "full int8, float32 input" becomes "full int8", "mixed (float32, int8)" becomes "mixed", and "dynamic
    range (int4 weights)" becomes "dynamic range".
    """
    return re.split(r", | \(", scheme)[0]


def _schemes_at(schemes: Strings, rows: NDArray[np.bool_]) -> set[str]:
    return {schemes.labels[code] for code in np.flatnonzero(np.bincount(schemes.codes[rows])).tolist()} - {"other"}


def _is_entry(facts: Facts) -> NDArray[np.bool_]:
    """Return whether client code can run each subgraph: it is the first or has a signature."""
    entries: NDArray[np.bool_] = facts.numbers("subgraph", "index") == 0
    called = facts.rows("signature", "subgraph")
    entries[called[called >= 0]] = True
    return entries


def _interface_types(facts: Facts, table: str, entries: NDArray[np.bool_], model: int) -> set[str]:
    """Return the types of a model's inputs or outputs that hold real or quantized values."""
    dtypes = facts.strings("tensor", "dtype")
    is_own = (facts.table(table).model == model) & values_at(entries, facts.rows(table, "subgraph"), False)
    rows = facts.rows(table, "tensor")[is_own]
    return {dtypes.labels[int(dtypes.codes[row])] for row in rows.tolist() if row >= 0} & _VALUE_TYPES


def _scheme_name(weighted: set[str], others: set[str], inputs: set[str], outputs: set[str]) -> str:
    """Return the name of a model's scheme.

    `weighted` and `others` are the schemes of the operators with and without weights, `inputs` and `outputs` the types
    of the model's inputs and outputs.
    """
    schemes = weighted or others
    if not schemes:
        return "no arithmetic"
    if schemes > {"int8"} and schemes <= {"int8", "int4", "int2"}:
        schemes = schemes - {"int8"}
    if len(schemes) > 1:
        return _mixed_name(schemes | ({"float32"} & others))
    (scheme,) = schemes
    name = _NAMES.get(scheme, scheme)
    if scheme not in _OWN_TYPE:
        return name
    if "float32" in others and weighted:
        return _mixed_name({scheme, "float32"})
    return name + _interface_suffix(inputs - {_OWN_TYPE[scheme]}, outputs - {_OWN_TYPE[scheme]})


def _mixed_name(schemes: set[str]) -> str:
    return f"mixed ({', '.join(sorted(schemes))})"


def _interface_suffix(inputs: set[str], outputs: set[str]) -> str:
    """Describe the types of inputs and outputs that differ from the type of the computation; empty if there is none."""
    if inputs == outputs:
        return f", {_join_types(inputs)} input and output" if inputs else ""
    sides = ((inputs, "input"), (outputs, "output"))
    return "".join(f", {_join_types(types)} {side}" for types, side in sides if types)


def _join_types(types: set[str]) -> str:
    return " and ".join(sorted(types)).lower()
