"""What a model keeps from one invocation to the next: variable tensors and resource variables."""

from __future__ import annotations

from tflint.facts.facts import Facts
from tflint.summary.cell_values import MAX_LISTED, read_list, read_number, read_string
from tflint.summary.summary_values import Variable

#: Operators that make a handle of a resource, with what the resource is.
_RESOURCES = {"VAR_HANDLE": "resource", "HASHTABLE": "hashtable"}


def find_variables(facts: Facts) -> tuple[Variable, ...]:
    """Variable tensors in stored order, then resources, each by its container and shared name once."""
    tensors = facts.numbers("tensor", "is_variable").nonzero()[0][:MAX_LISTED].tolist()
    return (*(_variable(facts, row) for row in tensors), *_resources(facts))


def _variable(facts: Facts, row: int) -> Variable:
    return Variable(
        "tensor",
        read_string(facts, "tensor", "name", row) or "",
        read_number(facts, "subgraph", "index", int(facts.rows("tensor", "subgraph")[row])),
        read_string(facts, "tensor", "dtype", row),
        tuple(map(int, read_list(facts, "tensor", "shape", row) or ())),
    )


def _resources(facts: Facts) -> list[Variable]:
    found: dict[tuple[str, str], Variable] = {}
    wanted = facts.is_one_of("operator", "opcode", set(_RESOURCES)).nonzero()[0][:MAX_LISTED].tolist()
    for row in wanted:
        kind = _RESOURCES[read_string(facts, "operator", "opcode", row) or ""]
        name = _resource_name(facts, row, kind)
        subgraph = read_number(facts, "subgraph", "index", int(facts.rows("operator", "subgraph")[row]))
        dtype, shape = _value(facts, row) if kind == "resource" else (None, None)
        known = found.get((kind, name))
        if known is None or (known.shape is None and shape is not None):
            found[kind, name] = Variable(kind, name, known.subgraph if known else subgraph, dtype, shape)
    return list(found.values())


def _resource_name(facts: Facts, row: int, kind: str) -> str:
    if kind == "hashtable":
        return f"table {read_number(facts, 'operator', 'options.table_id', row)}"
    container = read_string(facts, "operator", "options.container", row) or ""
    name = read_string(facts, "operator", "options.shared_name", row) or ""
    return f"{container}/{name}" if container else name


def _value(facts: Facts, row: int) -> tuple[str | None, tuple[int, ...] | None]:
    """Type and shape of what is read from, or written to, the handle that an operator makes."""
    handle = int(facts.rows("operator", "output")[row])
    if handle < 0:
        return None, None
    for consumer in facts.lists("tensor", "consumers").row(handle):
        opcode = read_string(facts, "operator", "opcode", consumer)
        inputs = facts.lists("operator", "inputs").row(consumer)
        outputs = facts.lists("operator", "outputs").row(consumer)
        moved = outputs[:1] if opcode == "READ_VARIABLE" else inputs[1:2] if opcode == "ASSIGN_VARIABLE" else []
        if moved:
            shape = read_list(facts, "tensor", "shape", moved[0]) or ()
            return read_string(facts, "tensor", "dtype", moved[0]), tuple(map(int, shape))
    return None, None
