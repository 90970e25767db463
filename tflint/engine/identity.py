"""Identifies rows across conversions of the same model, by names instead of offsets.

Constants are identified by their role and operator. Generated names do not count; a tensor with such a name is
identified by the operator that produces it.
"""

from __future__ import annotations

from collections.abc import Callable

from tflint.engine.locate import Locator
from tflint.findings.fingerprint import is_generated

#: Number of operators to follow along the inputs to find a name for an unnamed operator.
MAX_STEPS = 6

Key = tuple[str, ...]


def identity(at: Locator, table: str, row: int) -> Key:
    """Return the names that identify a row within its file."""
    known = _IDENTITIES.get(table)
    if known is not None:
        return known(at, row)
    return at.location(table, row).names


def _subgraph(at: Locator, row: int) -> Key:
    return (at.text("subgraph", "name", row) or str(at.number("subgraph", "index", row)),)


def _tensor(at: Locator, row: int, steps: int = 0) -> Key:
    scope = _subgraph(at, at.row("tensor", "subgraph", row))
    if at.facts.numbers("tensor", "is_constant")[row]:
        found = at.first_use(row)
        if found is not None:
            operator, role = found
            return ("constant", role, *_operator(at, operator, steps))
    name = at.text("tensor", "name", row)
    if not is_generated(name):
        return (*scope, name)
    producer = at.row("tensor", "producer", row)
    if producer >= 0 and steps < MAX_STEPS:
        position = at.facts.lists("operator", "outputs").row(producer).index(row)
        return (f"output {position}", *_operator(at, producer, steps + 1))
    return (*scope, "tensor")


def _operator(at: Locator, row: int, steps: int = 0) -> Key:
    scope = _subgraph(at, at.row("operator", "subgraph", row))
    opcode = at.text("operator", "custom_code", row) or at.text("operator", "opcode", row)
    output = at.row("operator", "output", row)
    name = at.text("tensor", "name", output) if output >= 0 else ""
    if not is_generated(name):
        return (*scope, opcode, name)
    source = at.row("operator", "input", row)
    if source >= 0 and steps < MAX_STEPS and not at.facts.numbers("tensor", "is_constant")[source]:
        return (*scope, opcode, "of", *_tensor(at, source, steps + 1))
    return (*scope, opcode)


def _operand(at: Locator, row: int) -> Key:
    position = at.number("operand", "position", row)
    operator = _operator(at, at.row("operand", "operator", row))
    return (f"{at.text('operand', 'direction', row)} {position}", *operator)


def _interface(table: str) -> Callable[[Locator, int], Key]:
    def identify(at: Locator, row: int) -> Key:
        scope = _subgraph(at, at.row(table, "subgraph", row))
        tensor = at.row(table, "tensor", row)
        name = at.text("tensor", "name", tensor) if tensor >= 0 else ""
        return (*scope, table, str(at.number(table, "position", row)) if is_generated(name) else name)

    return identify


def _pair_interface(table: str) -> Callable[[Locator, int], Key]:
    def identify(at: Locator, row: int) -> Key:
        new = at.row(f"pair_{table}", table, row)
        return _interface(table)(at, new) if new >= 0 else (table, *at.location(f"pair_{table}", row).names)

    return identify


def _index(at: Locator, row: int) -> Key:
    field = at.text("index", "field", row)
    return (field, *identity(at, field.split(".", 1)[0], at.row("index", "owner_row", row)))


def _buffer(at: Locator, row: int) -> Key:
    users = (at.facts.rows("tensor", "buffer") == row).nonzero()[0]
    return _tensor(at, int(users[0])) if len(users) else (str(at.number("buffer", "index", row)),)


def _operator_code(at: Locator, row: int) -> Key:
    return (at.text("operator_code", "opcode", row), at.text("operator_code", "custom_code", row))


_IDENTITIES: dict[str, Callable[[Locator, int], Key]] = {
    "file": lambda _at, _row: (),
    "model": lambda _at, _row: (),
    "subgraph": _subgraph,
    "tensor": _tensor,
    "operator": _operator,
    "operand": _operand,
    "input": _interface("input"),
    "output": _interface("output"),
    "index": _index,
    "buffer": _buffer,
    "operator_code": _operator_code,
    "island": lambda at, row: _operator(at, at.row("island", "first", row)),
    "pair": lambda _at, _row: (),
    "run": lambda at, row: (at.text("run", "runtime", row),),
    "run_output": lambda at, row: _interface("output")(at, at.row("run_output", "output", row)),
    "run_tensor": lambda at, row: _tensor(at, at.row("run_tensor", "tensor", row)),
    "run_normalization": lambda at, row: _interface("input")(at, at.row("run_normalization", "input", row)),
    "pair_subgraph": lambda at, row: _subgraph(at, at.row("pair_subgraph", "subgraph", row)),
    "pair_input": _pair_interface("input"),
    "pair_output": _pair_interface("output"),
    "pair_operator": lambda at, row: _operator_code(at, at.row("pair_operator", "operator_code", row)),
    "pair_constants": lambda at, row: ("constants", at.text("pair_constants", "change", row)),
    "group": lambda at, row: _tensor(at, at.facts.lists("group", "tensors").row(row)[0]),
}
