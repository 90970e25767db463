"""Collects what a run needs to know about a model: input ranges and shapes, computed tensors, integer limits."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tflint.columns.column import PRESENT, Scalars, text_of
from tflint.confirm.model_session import Subject
from tflint.contract import Contract
from tflint.facts.facts import Facts
from tflint.facts.run.main_subgraph import main_subgraph
from tflint.normalization.integer_ranges import INTEGER_RANGES
from tflint.runner.model_loader import Model

Limits = tuple[float, float] | None

#: Largest file that is run: the whole model is sent to the child.
MAX_MODEL_BYTES = 2 << 30
#: Types of tensors without numbers: reading such a tensor's memory would crash the child.
_OPAQUE = ("RESOURCE", "VARIANT", "STRING")
#: Operators and fused activations whose outputs may lie at a limit of their range: it is the limit of the function.
_BOUNDED_OPERATORS = ("LOGISTIC", "TANH", "SOFTMAX", "RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "HARD_SWISH")
_BOUNDED_ACTIVATIONS = ("RELU6", "RELU_N1_TO_1", "TANH")
_QUANTIZED = ("INT8", "UINT8", "INT16")
#: Largest number of elements of an input that a contract may ask for.
_MAX_ELEMENTS = 1 << 31
#: Largest real value that is generated: float32 can square it.
_MAX_REAL = 1e18
#: Largest index fed to an integer input that indexes the rows of a constant.
_MAX_INDEX = 1_000


def build_subject(model: Model, contract: Contract | None) -> tuple[Subject, Facts | None]:
    """Return what a run needs to know about a model, and the facts of the model (None if it is not readable)."""
    opened = model.opened
    if not model.is_readable:
        return Subject(lambda: _read(model), opened.size, 0, {}, (), "default", ()), None
    facts = Facts(model.tables, contracts={} if contract is None else {0: contract})
    limits = [_input_limits(facts, row) for row in _main_rows(facts, "input")]
    origins = [origin for _, origin in limits if origin != "default"]
    subject = Subject(
        lambda: _read(model),
        opened.size,
        _tensor_bytes(facts),
        dict(_declared_shapes(facts)),
        tuple(limit for limit, _ in limits),
        origins[0] if origins and len(origins) == len(limits) else "default",
        tuple(_computed_tensors(facts)),
        tuple(_output_scales(facts)),
        any(_takes_free_integers(facts, row) for row in _main_rows(facts, "input")),
        tuple(_saturation_limits(facts)),
    )
    return subject, facts


def _read(model: Model) -> bytes:
    source = model.opened.source
    if model.opened.content is not None:
        return bytes(model.opened.content)
    assert source is not None, "files that cannot be read are not run"
    return source.read([(0, model.opened.size)])[0]


def _main_rows(facts: Facts, table: str) -> range:
    """Return the rows of a table that belong to the main subgraph."""
    main = main_subgraph(facts, 0)
    owners = facts.rows(table, "subgraph")
    rows = [row for row in range(facts.n(table)) if owners[row] == main]
    return range(rows[0], rows[-1] + 1) if rows else range(0)


def _tensor_bytes(facts: Facts) -> int:
    column = facts.column("tensor", "n_bytes")
    assert isinstance(column, Scalars)
    known = column.values if column.state is None else column.values[column.state == PRESENT]
    return int(min(known.sum(), 1 << 50)) if len(known) else 0


def _computed_tensors(facts: Facts) -> Iterator[int]:
    """Yield the indices of the tensors that operators compute, in execution order."""
    outputs = facts.lists("operator", "outputs")
    index = facts.numbers("tensor", "index")
    dtypes = facts.column("tensor", "dtype")
    known: set[int] = set()
    for operator in _main_rows(facts, "operator"):
        for tensor in outputs.row(operator):
            if tensor >= 0 and tensor not in known and text_of(dtypes, tensor) not in _OPAQUE:
                known.add(tensor)
                yield int(index[tensor])


def _output_scales(facts: Facts) -> Iterator[float | None]:
    """Yield the quantization step of each output. If a DEQUANTIZE computes the output, it is that of its input."""
    producers = facts.rows("tensor", "producer")
    for row in _main_rows(facts, "output"):
        tensor = int(facts.rows("output", "tensor")[row])
        producer = int(producers[tensor]) if tensor >= 0 else -1
        if producer >= 0 and text_of(facts.column("operator", "opcode"), producer) == "DEQUANTIZE":
            tensor = int(facts.rows("operator", "input")[producer])
        scales = facts.lists("tensor", "scale").row(tensor) if tensor >= 0 else []
        yield float(scales[0]) if len(scales) == 1 and scales[0] > 0 else None


def _takes_free_integers(facts: Facts, row: int) -> bool:
    tensor = int(facts.rows("input", "tensor")[row])
    dtype = text_of(facts.column("tensor", "dtype"), tensor) if tensor >= 0 else None
    is_quantized = tensor >= 0 and bool(facts.lists("tensor", "scale").row(tensor))
    return dtype in ("INT32", "INT64", "UINT32") and not is_quantized


# -- inputs ------------------------------------------------------------------------------------------------------------


def _declared_shapes(facts: Facts) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield the shapes that the contract sets for inputs with dynamic dimensions, by position."""
    for row in range(facts.n("contract_input")):
        matched = int(facts.rows("contract_input", "input")[row])
        shape = tuple(int(size) for size in facts.lists("contract_input", "shape").row(row))
        if matched < 0 or not shape or min(shape) < 1 or matched not in _main_rows(facts, "input"):
            continue
        tensor = int(facts.rows("input", "tensor")[matched])
        if tensor < 0:
            continue
        stored = tuple(int(size) for size in facts.lists("tensor", "shape").row(tensor))
        signature = [int(size) for size in facts.lists("tensor", "shape_signature").row(tensor)]
        is_small = max(shape) < 1 << 31 and math.prod(shape) < _MAX_ELEMENTS
        if shape != stored and -1 in signature and len(shape) == len(stored) and is_small:
            yield int(facts.numbers("input", "position")[matched]), shape


def _input_limits(facts: Facts, row: int) -> tuple[Limits, str]:
    """Return the range of values to generate for an input, in the units of its type, and the origin of the range."""
    tensor = int(facts.rows("input", "tensor")[row])
    if tensor < 0:
        return None, "default"
    dtype = text_of(facts.column("tensor", "dtype"), tensor) or ""
    scales, zero_points = facts.lists("tensor", "scale").row(tensor), facts.lists("tensor", "zero_point").row(tensor)
    if dtype in _QUANTIZED and len(scales) == 1 and len(zero_points) == 1 and scales[0] > 0:
        real, origin = _real_limits(facts, row)
        if real is None:
            return None, "quantization"
        low, high = INTEGER_RANGES[dtype]
        steps = [min(max(value / scales[0] + zero_points[0], low), high) for value in real]
        return ((steps[0], steps[1]), origin) if steps[0] < steps[1] else (None, "quantization")
    if dtype.startswith("FLOAT"):
        return _real_limits(facts, row)
    n_rows = facts.column("input", "table_rows")
    assert isinstance(n_rows, Scalars)
    if dtype in ("INT32", "INT64") and (n_rows.state is None or n_rows.state[row] == PRESENT):
        return (0.0, float(min(max(n_rows.values[row] - 1, 0), _MAX_INDEX))), "graph"
    return None, "default"


def _real_limits(facts: Facts, row: int) -> tuple[Limits, str]:
    """Return the range of real values that the contract, the metadata or the graph states for an input."""
    for entry in range(facts.n("contract_input")):
        if int(facts.rows("contract_input", "input")[entry]) == row:
            low, high = (facts.lists("contract_input", name).row(entry) for name in ("fed_min", "fed_max"))
            if low and high and _is_range(min(low), max(high)):
                return (float(min(low)), float(max(high))), "contract"
    mean, std = facts.lists("input", "metadata.mean").row(row), facts.lists("input", "metadata.std").row(row)
    is_image = text_of(facts.column("input", "metadata.content"), row) == "ImageProperties"
    if is_image and len(mean) == len(std) and mean and min(std) > 0:
        ends = [(pixel - one) / other for one, other in zip(mean, std, strict=True) for pixel in (0.0, 255.0)]
        if _is_range(min(ends), max(ends)):
            return (float(min(ends)), float(max(ends))), "metadata"
    expects = text_of(facts.column("input", "graph_expects"), row)
    if expects is not None:
        return (0.0, 255.0 if expects == "u8" else 1.0), "graph"
    return None, "default"


def _is_range(low: float, high: float) -> bool:
    """Return whether two numbers are a range of values that a float input can take. NaN is not."""
    return -_MAX_REAL <= low < high <= _MAX_REAL


# -- saturation --------------------------------------------------------------------------------------------------------


def _saturation_limits(facts: Facts) -> Iterator[tuple[int, int | None, int | None]]:
    """Yield the quantized computed tensors with the integers that count as saturated, None if an end does not count.

    The floor of a RELU does not count: there the zero point is the smallest integer. Neither do outputs whose range is
    bounded by the operator.
    """
    outputs = facts.lists("operator", "outputs")
    index = facts.numbers("tensor", "index")
    dtypes = facts.column("tensor", "dtype")
    scales, zero_points = facts.lists("tensor", "scale"), facts.lists("tensor", "zero_point")
    for operator in _main_rows(facts, "operator"):
        if _is_bounded(facts, operator):
            continue
        for tensor in outputs.row(operator):
            dtype = text_of(dtypes, tensor) if tensor >= 0 else None
            if dtype not in _QUANTIZED or len(scales.row(tensor)) != 1 or len(zero_points.row(tensor)) != 1:
                continue
            low, high = INTEGER_RANGES[dtype]
            zero_point = zero_points.row(tensor)[0]
            yield int(index[tensor]), None if zero_point == low else low, None if zero_point == high else high


def _is_bounded(facts: Facts, operator: int) -> bool:
    if (text_of(facts.column("operator", "opcode"), operator) or "") in _BOUNDED_OPERATORS:
        return True
    activation = text_of(facts.column("operator", "options.fused_activation_function"), operator)
    return activation in _BOUNDED_ACTIVATIONS


def tensor_index(path: str) -> int | None:
    """Return the index of the tensor of the main subgraph that a location's path names, or None."""
    prefix = "subgraphs[0].tensors["
    number = path[len(prefix) :].partition("]")[0] if path.startswith(prefix) else ""
    return int(number) if number.isdecimal() else None
