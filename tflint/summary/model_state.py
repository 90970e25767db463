"""Finds the state that a model keeps between invocations: variable tensors and resources."""

from __future__ import annotations

from tflint.facts.facts import Facts
from tflint.summary.cell_values import MAX_LISTED, read_list, read_number, read_string
from tflint.summary.summary_values import Variable

#: Operators that create a resource handle, with the kind of the resource.
_RESOURCES = {"VAR_HANDLE": "resource", "HASHTABLE": "hashtable"}


def find_variables(facts: Facts) -> tuple[Variable, ...]:
    """Return the variable tensors in stored order, then the resources. Handles with the same name are one resource."""
    tensors = facts.numbers("tensor", "is_variable").nonzero()[0][:MAX_LISTED].tolist()
    return (*(_read_variable(facts, row) for row in tensors), *_find_resources(facts))


def _read_variable(facts: Facts, row: int) -> Variable:
    return Variable(
        "tensor",
        read_string(facts, "tensor", "name", row) or "",
        read_number(facts, "subgraph", "index", int(facts.rows("tensor", "subgraph")[row])),
        read_string(facts, "tensor", "dtype", row),
        tuple(map(int, read_list(facts, "tensor", "shape", row) or ())),
    )


def _find_resources(facts: Facts) -> list[Variable]:
    resources: dict[tuple[str, str], Variable] = {}
    operators = facts.is_one_of("operator", "opcode", set(_RESOURCES)).nonzero()[0][:MAX_LISTED].tolist()
    for row in operators:
        kind = _RESOURCES[read_string(facts, "operator", "opcode", row) or ""]
        name = _resource_name(facts, row, kind)
        subgraph = read_number(facts, "subgraph", "index", int(facts.rows("operator", "subgraph")[row]))
        dtype, shape = _find_value_type(facts, row) if kind == "resource" else (None, None)
        known = resources.get((kind, name))
        if known is None or (known.shape is None and shape is not None):
            resources[kind, name] = Variable(kind, name, known.subgraph if known else subgraph, dtype, shape)
    return list(resources.values())


def _resource_name(facts: Facts, row: int, kind: str) -> str:
    if kind == "hashtable":
        return f"table {read_number(facts, 'operator', 'options.table_id', row)}"
    container = read_string(facts, "operator", "options.container", row) or ""
    name = read_string(facts, "operator", "options.shared_name", row) or ""
    return f"{container}/{name}" if container else name


def _find_value_type(facts: Facts, row: int) -> tuple[str | None, tuple[int, ...] | None]:
    """Return the type and shape of a resource's values, or (None, None) if no operator uses it.

    They are those of the values that operators read or assign through the handle that operator `row` creates.
    """
    handle = int(facts.rows("operator", "output")[row])
    if handle < 0:
        return None, None
    for consumer in facts.lists("tensor", "consumers").row(handle):
        opcode = read_string(facts, "operator", "opcode", consumer)
        inputs = facts.lists("operator", "inputs").row(consumer)
        outputs = facts.lists("operator", "outputs").row(consumer)
        values = outputs[:1] if opcode == "READ_VARIABLE" else inputs[1:2] if opcode == "ASSIGN_VARIABLE" else []
        if values:
            shape = read_list(facts, "tensor", "shape", values[0]) or ()
            return read_string(facts, "tensor", "dtype", values[0]), tuple(map(int, shape))
    return None, None
