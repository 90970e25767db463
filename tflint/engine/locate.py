"""Locates rows of tables in their files: the path through the schema, names, and bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from tflint.columns.column import Scalars, text_of
from tflint.facts.facts import Facts
from tflint.findings import ByteSpan, Location, Related

#: The path through the schema, and the names on that path.
Place: TypeAlias = tuple[str, tuple[str, ...]]


class Locator:
    """Computes the locations of rows of one batch; `files` are the paths of its files."""

    def __init__(self, facts: Facts, files: list[str]) -> None:
        self.facts = facts
        self.files = files

    def file_of(self, table: str, row: int) -> int:
        """Return the number of the file that contains a row."""
        return int(self.facts.table(table).model[row])

    def location(self, table: str, row: int, keys: Sequence[str] = ()) -> Location:
        """Return the location of a row. For an entry of a contract, return that of the first of `keys` that it sets."""
        if table in _CONTRACT_ROOTS:
            return self._in_contract(table, row, keys)
        path, names = _PLACES[table](self, row)
        return Location(self.files[self.file_of(table, row)], path, names, self._bytes(table, row))

    def related_locations(
        self, table: str, row: int, others: Sequence[tuple[str, int]] = (), keys: Sequence[str] = ()
    ) -> tuple[Related, ...]:
        """Return the locations related to a row: those that every finding at the row has, and `others`.

        `others` are rows with the same cause, each with its table. If they are entries of a contract, they say more
        than the model's input or output, which is then left out.
        """
        further = tuple(Related(self.location(*other, keys), f"also {self._description(*other)}") for other in others)
        return further if further and table in _CONTRACT_ROOTS else (*self._usual_locations(table, row), *further)

    def _usual_locations(self, table: str, row: int) -> tuple[Related, ...]:
        """Return a tensor's operator, the tensor of a contract's entry, or the old model of a pair."""
        if table in _CONTRACT_ROOTS:
            return self._describe(table, row)
        if table in ("pair_input", "pair_output"):
            return self._older(table, row)
        if table == "pair_constants":
            old = self.location("tensor", self.row(table, "old_first", row))
            return (Related(old, "the constant of the old version"),)
        found = self.first_use(row) if table == "tensor" else None
        if found is None:
            return ()
        return (Related(self.location("operator", found[0]), self._description(table, row)),)

    def _description(self, table: str, row: int) -> str:
        """Return what a row is, in a few words, such as "output of operator 3 CONV_2D"."""
        if table == "operator":
            return f"operator {self.number(table, 'index', row)} {self.text(table, 'opcode', row)}"
        found = self.first_use(row) if table == "tensor" else None
        if found is not None:
            return f"{found[1]} of {self._description('operator', found[0])}"
        location = self.location(table, row)
        return location.names[-1] if location.names else location.path

    def _in_contract(self, table: str, row: int, keys: Sequence[str]) -> Location:
        contract = self.facts.contracts[self.file_of(table, row)]
        if contract.problem is not None:
            return Location(contract.path, text=contract.place(()))
        root = _CONTRACT_ROOTS[table]
        entry: tuple[str | int, ...] = (root,)
        names: tuple[str, ...] = ()
        if table != "contract":
            entry = (root, self.number(table, "position", row))
            named = self.text(table, "name", row) if table in _NAMED_ROOTS else ""
            names = (named or f"{root.removesuffix('s')} {entry[1]}",)
        if table == "run_change":
            keys = (self.text(table, "key", row),)
        written = [key for key in keys if contract.has((*entry, *key.split(".")))]
        chosen = tuple(written[0].split(".")) if written else ()
        route = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in (*entry, *chosen)).lstrip(".")
        return Location(contract.path, route, names, None, contract.place((*entry, *chosen)))

    def _describe(self, table: str, row: int) -> tuple[Related, ...]:
        if table not in _NAMED_ROOTS:
            return ()
        side = table.removeprefix("contract_")
        matched = self.row(table, side, row)
        return (Related(self.location(side, matched), f"the model's {side}"),) if matched >= 0 else ()

    def _older(self, table: str, row: int) -> tuple[Related, ...]:
        side, old = table.removeprefix("pair_"), self.row(table, "old", row)
        if old < 0:
            return ()
        return (Related(self.location(side, old), f"{side} {self.number(side, 'position', old)} of the old version"),)

    def first_use(self, tensor: int) -> tuple[int, str] | None:
        """Return the operator that writes a tensor, or the first that reads it, with the role of the tensor there."""
        producer = int(self.facts.rows("tensor", "producer")[tensor])
        if producer >= 0:
            return producer, "output"
        consumers = self.facts.lists("tensor", "consumers")
        if not consumers.lengths[tensor]:
            return None
        operator = int(consumers.take(consumers.starts[tensor : tensor + 1])[0])
        roles = self.facts.strings("operand", "role")
        tensors = self.facts.rows("operand", "tensor")
        for operand in self.facts.lists("operator", "operands").row(operator):
            if tensors[operand] == tensor:
                return operator, roles.labels[int(roles.codes[operand])]
        return operator, "input"

    def _bytes(self, table: str, row: int) -> ByteSpan | None:
        source = self.facts.table(table)
        if table == "model" or (table == "file" and source.byte_offset[row] < 0):
            return ByteSpan(0, self.number(table, "size", row))
        offset = int(source.byte_offset[row])
        return ByteSpan(offset, int(source.byte_length[row])) if offset >= 0 else None

    # -- values that locations are built from --------------------------------------------------------------------------

    def text(self, table: str, column: str, row: int) -> str:
        """Return a string of a row; empty if the string is absent."""
        return text_of(self.facts.column(table, column), row) or ""

    def number(self, table: str, column: str, row: int) -> int:
        """Return an integer of a row."""
        values = self.facts.column(table, column)
        assert isinstance(values, Scalars)
        return int(values.values[row])

    def row(self, table: str, column: str, row: int) -> int:
        """Return the row that a reference points to, or -1 if the reference is absent."""
        return int(self.facts.rows(table, column)[row])

    def subgraph(self, row: int) -> tuple[str, str]:
        """Return the path and name of a subgraph."""
        index = self.number("subgraph", "index", row)
        return f"subgraphs[{index}]", self.text("subgraph", "name", row) or f"subgraph {index}"


def _subgraph(at: Locator, row: int) -> Place:
    path, name = at.subgraph(row)
    return path, (name,)


def _tensor(at: Locator, row: int) -> Place:
    path, name = at.subgraph(at.row("tensor", "subgraph", row))
    return f"{path}.tensors[{at.number('tensor', 'index', row)}]", (name, at.text("tensor", "name", row))


def _operator(at: Locator, row: int) -> Place:
    path, name = at.subgraph(at.row("operator", "subgraph", row))
    output = at.row("operator", "output", row)
    made = at.text("tensor", "name", output) if output >= 0 else ""
    opcode = at.text("operator", "custom_code", row) or at.text("operator", "opcode", row)
    return f"{path}.operators[{at.number('operator', 'index', row)}]", (name, opcode, made)


def _operand(at: Locator, row: int) -> Place:
    path, names = _operator(at, at.row("operand", "operator", row))
    tensor = at.row("operand", "tensor", row)
    direction = at.text("operand", "direction", row)
    name = at.text("tensor", "name", tensor) if tensor >= 0 else ""
    return f"{path}.{direction}s[{at.number('operand', 'position', row)}]", (*names[:2], name)


def _border(table: str) -> Callable[[Locator, int], Place]:
    def place(at: Locator, row: int) -> Place:
        path, name = at.subgraph(at.row(table, "subgraph", row))
        tensor = at.row(table, "tensor", row)
        named = at.text("tensor", "name", tensor) if tensor >= 0 else ""
        return f"{path}.{table}s[{at.number(table, 'position', row)}]", (name, named)

    return place


def _entry(table: str, vector: str, name: str) -> Callable[[Locator, int], Place]:
    def place(at: Locator, row: int) -> Place:
        text = at.text(table, name, row) if name else ""
        return f"{vector}[{at.number(table, 'index', row)}]", (text,) if text else ()

    return place


def _signature_tensor(at: Locator, row: int) -> Place:
    signature = at.row("signature_tensor", "signature", row)
    path, names = _PLACES["signature"](at, signature)
    direction = at.text("signature_tensor", "direction", row)
    position = at.number("signature_tensor", "position", row)
    return f"{path}.{direction}s[{position}]", (*names, at.text("signature_tensor", "name", row))


def _index(at: Locator, row: int) -> Place:
    owner = at.text("index", "field", row).split(".", 1)[0]
    path, names = _PLACES[owner](at, at.row("index", "owner_row", row))
    field = at.text("index", "field", row).split(".", 1)[1]
    # The path of an operand, input or output already ends with the field and position of the index.
    return (path if owner in ("operand", "input", "output") else f"{path}.{field}"), names


def _group(at: Locator, row: int) -> Place:
    return _tensor(at, at.facts.lists("group", "tensors").row(row)[0])


def _island(at: Locator, row: int) -> Place:
    return _operator(at, at.row("island", "first", row))


def _associated_file(at: Locator, row: int) -> Place:
    return "associated_files", (at.text("associated_file", "name", row),)


def _of_tensor(table: str, field: str) -> Callable[[Locator, int], Place]:
    def place(at: Locator, row: int) -> Place:
        path, names = _tensor(at, at.row(table, "tensor", row))
        return f"{path}.{field}[{at.number(table, 'index', row)}]", names

    return place


def _external_buffer(at: Locator, row: int) -> Place:
    first = at.facts.table("external_buffer").rows_of(at.file_of("external_buffer", row)).start
    return f"external_buffers[{row - first}]", ()


def _of_pair(table: str, column: str, side: str, vector: str, name: str) -> Callable[[Locator, int], Place]:
    """Return the location in the new model. A removed input or output has the path of its vector and its old name."""

    def place(at: Locator, row: int) -> Place:
        new = at.row(table, column, row)
        return _PLACES[side](at, new) if new >= 0 else (vector, (at.text(table, name, row),))

    return place


def _pair_border(side: str) -> Callable[[Locator, int], Place]:
    table = f"pair_{side}"

    def place(at: Locator, row: int) -> Place:
        new = at.row(table, side, row)
        if new >= 0:
            return _PLACES[side](at, new)
        path, name = at.subgraph(at.row("pair_subgraph", "subgraph", at.row(table, "pair_subgraph", row)))
        return f"{path}.{side}s", (name, at.text(table, "name", row))

    return place


#: Tables whose rows are located in contract files, and the names of their tables there.
_CONTRACT_ROOTS = {
    "contract": "model",
    "contract_problem": "",
    "contract_input": "inputs",
    "contract_output": "outputs",
    "run_golden": "golden",
    "run_sample": "golden",
    "run_change": "inputs",
}
#: Those of these tables whose rows have names and describe an input or output of the model.
_NAMED_ROOTS = ("contract_input", "contract_output")
_PLACES: dict[str, Callable[[Locator, int], Place]] = {
    "file": lambda _at, _row: ("", ()),
    "member": _entry("member", "members", "name"),
    "model": lambda _at, _row: ("", ()),
    "subgraph": _subgraph,
    "tensor": _tensor,
    "operator": _operator,
    "operand": _operand,
    "operator_code": _entry("operator_code", "operator_codes", "opcode"),
    "buffer": _entry("buffer", "buffers", ""),
    "input": _border("input"),
    "output": _border("output"),
    "signature": _entry("signature", "signature_defs", "key"),
    "signature_tensor": _signature_tensor,
    "metadata": _entry("metadata", "metadata", "name"),
    "associated_file": _associated_file,
    "index": _index,
    "group": _group,
    "island": _island,
    "dimension": _of_tensor("dimension", "sparsity.dim_metadata"),
    "variant_tensor": _of_tensor("variant_tensor", "variant_tensors"),
    "external_buffer": _external_buffer,
    "external_buffer_group": _entry("external_buffer_group", "external_buffer_groups", "name"),
    "pair": lambda _at, _row: ("", ()),
    "pair_subgraph": lambda at, row: _subgraph(at, at.row("pair_subgraph", "subgraph", row)),
    "pair_input": _pair_border("input"),
    "pair_output": _pair_border("output"),
    "pair_signature": _of_pair("pair_signature", "signature", "signature", "signature_defs", "key"),
    "pair_constants": lambda at, row: _tensor(at, at.row("pair_constants", "first", row)),
    "pair_operator": lambda at, row: _PLACES["operator_code"](at, at.row("pair_operator", "operator_code", row)),
    "run": lambda _at, _row: ("", ()),
    "run_output": lambda at, row: _PLACES["output"](at, at.row("run_output", "output", row)),
    "run_tensor": lambda at, row: _tensor(at, at.row("run_tensor", "tensor", row)),
    "run_normalization": lambda at, row: _PLACES["input"](at, at.row("run_normalization", "input", row)),
    "pair_labels": _of_pair("pair_labels", "file", "associated_file", "associated_files", "name"),
}
