"""Random edits of a model's fields; the result is a valid flatbuffer with different content.

Takes bytes and a random generator. Reads and writes with `tflint.writer`, whose official reader checks no bounds, so
pass only bytes that tflint's reader accepts.
"""

from __future__ import annotations

import functools
import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.fuzz.places import places_of
from tflint.schema import Field, Schema, metadata_schema, tflite_schema
from tflint.writer import pack
from tflint.writer.scalar_types import UNION_TAG, is_scalar, member_key
from tflint.writer.unpack import unpack_with_end

#: A file with more tables and elements is left to the mutations of bytes: shared ones are written once for each use.
MAX_PARTS = 20_000

NUMBERS = (-1, 0, 0, 1, 1, 2, 3, 4, 5, 8, 127, 128, 255, 2**15, 2**31 - 1, -(2**31), 2**62, -(2**63))
FLOATS = (0.0, -0.0, 1.0, 1 / 127.5, 0.5, -1.0, 1e-45, 1e-38, 3e38, float("nan"), float("inf"), float("-inf"))
TEXTS = ("", "a", "serving_default", "TFLITE_METADATA", "min_runtime_version", "x" * 200, "\0", "ü\n\x1b[31m", "\udcff")


@dataclass(frozen=True, slots=True)
class _Table:
    """A table in a model: its dict, its type, and whether it is a member of a union."""

    value: dict[str, Any]
    type: str
    in_union: bool = False


def edited_fields(content: bytes, generator: random.Random, donors: Sequence[bytes]) -> bytes | None:
    """Return the model with one to four fields changed and its tail kept, or None if its fields cannot be edited."""
    model = _model(content)
    if model is None:
        return None
    value, end = model
    if generator.randrange(4) == 0 and _edit_metadata(value, generator):
        return pack(value) + content[end:]
    _edit(value, tflite_schema(), generator, _parts(generator.choice(donors)) if donors else [])
    try:
        return pack(value) + content[end:]
    except (ValueError, struct.error):
        return None


def _model(content: bytes) -> tuple[dict[str, Any], int] | None:
    """Return the fields of a model and the end of its flatbuffer, or None if the model cannot be edited."""
    places = places_of(content)
    if places is None or places.n_parts > MAX_PARTS or content[4:8] != tflite_schema().identifier:
        return None
    try:
        return unpack_with_end(content)
    except (struct.error, IndexError, TypeError, OverflowError, RecursionError):  # the official reader's own ways
        return None


@functools.lru_cache(maxsize=64)
def _parts(donor: bytes) -> list[_Table]:
    """Return the tables of another model, to copy from."""
    model = _model(donor)
    return list(_tables(model[0], tflite_schema())) if model is not None else []


def _edit_metadata(model: dict[str, Any], generator: random.Random) -> bool:
    """Change a field inside of the TFLITE_METADATA buffer; return whether the model has one."""
    schema = metadata_schema()
    for buffer in model.get("buffers", []):
        data = buffer.get("data", b"")
        if data[4:8] == schema.identifier and places_of(data, schema) is not None:
            value = unpack_with_end(data, schema)[0]
            _edit(value, schema, generator, [])
            buffer["data"] = pack(value, schema)
            return True
    return False


def _edit(model: dict[str, Any], schema: Schema, generator: random.Random, parts: list[_Table]) -> None:
    for _ in range(generator.choice((1, 1, 2, 4))):
        table = generator.choice(list(_tables(model, schema)))
        alike = [part.value for part in parts if part.type == table.type]
        if alike and generator.randrange(6) == 0:
            table.value.update(_copied(generator.choice(alike)))
            continue
        fields = schema.table(table.type).fields
        if not fields:
            continue
        declared = generator.choice(fields)
        key = member_key(declared.name, in_union=table.in_union)
        if generator.randrange(8) == 0:
            table.value.pop(key, None)
        else:
            _change(table.value, key, declared, schema, generator)


def _change(table: dict[str, Any], key: str, declared: Field, schema: Schema, generator: random.Random) -> None:
    if declared.is_union:
        member = generator.choice(schema.unions[declared.type])
        old = table.get(key)
        table[key] = {UNION_TAG: member} if old is None or generator.random() < 0.7 else _copied(old)
    elif declared.is_vector:
        table[key] = _changed_vector(table.get(key), declared, schema, generator)
    elif is_scalar(schema, declared.type):
        table[key] = _scalar(declared.type, schema, generator)
    elif declared.type == "string":
        table[key] = generator.choice(TEXTS)
    elif table.get(key) is None:
        table[key] = {}


def _changed_vector(old: Any, declared: Field, schema: Schema, generator: random.Random) -> list[Any]:
    elements = list(old) if old is not None else []
    match generator.randrange(6):
        case 0:
            return []
        case 1 if elements:
            del elements[generator.randrange(len(elements))]
        case 2 if elements:
            elements.append(_copied(generator.choice(elements)))
        case 3 if elements:
            return elements * 2 if len(elements) < 64 else elements[:1]
        case 4 if len(elements) > 1:
            i, k = generator.randrange(len(elements)), generator.randrange(len(elements))
            elements[i], elements[k] = elements[k], elements[i]
        case _:
            new = _element(declared.element, schema, generator)
            at = generator.randrange(len(elements) + 1)
            elements[at : at + 1] = [new]
    return elements


def _element(type_name: str, schema: Schema, generator: random.Random) -> Any:
    if is_scalar(schema, type_name):
        return _scalar(type_name, schema, generator)
    return generator.choice(TEXTS) if type_name == "string" else {}


def _scalar(type_name: str, schema: Schema, generator: random.Random) -> Any:
    if schema.is_enum(type_name) and generator.random() < 0.8:
        return generator.choice(list(schema.enum(type_name).values))
    scalar = schema.scalar(type_name)
    if scalar in ("float", "double"):
        return generator.choice(FLOATS) if generator.random() < 0.7 else generator.uniform(0, 1)
    if scalar == "bool":
        return generator.random() < 0.5
    low, high = _range(scalar)
    return min(max(generator.choice(NUMBERS), low), high)


@functools.cache
def _range(scalar: str) -> tuple[int, int]:
    signed = {"byte": 1, "int8": 1, "short": 2, "int": 4, "int32": 4, "long": 8}
    unsigned = {"ubyte": 1, "uint8": 1, "ushort": 2, "uint": 4, "uint32": 4, "ulong": 8}
    if scalar in signed:
        bits = 8 * signed[scalar] - 1
        return -(1 << bits), (1 << bits) - 1
    return 0, (1 << 8 * unsigned[scalar]) - 1


def _tables(model: dict[str, Any], schema: Schema) -> Iterator[_Table]:
    """Yield all tables of a model, the root first."""
    waiting = [_Table(model, schema.root)]
    while waiting:
        table = waiting.pop()
        yield table
        for declared in schema.table(table.type).fields:
            value = table.value.get(member_key(declared.name, in_union=table.in_union))
            if declared.is_union and isinstance(value, dict):
                if value.get(UNION_TAG) in schema.unions[declared.type][1:]:
                    waiting.append(_Table(value, str(value[UNION_TAG]), True))
            elif schema.is_table(declared.element) and value is not None:
                items = value if declared.is_vector else [value]
                waiting += [_Table(item, declared.element) for item in items]


def _copied(value: Any) -> Any:
    """Copy nested dicts and lists; deepcopy takes ten times as long."""
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value
