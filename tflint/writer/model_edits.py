"""Edits of a model: fields set by routes such as `tensors.bias.quantization.scale`, and edits of the file's bytes.

Takes a model as nested dicts or as bytes, and edits as rule files write them; gives a changed copy.
"""

from __future__ import annotations

import copy
import struct
from collections.abc import Mapping
from typing import Any

from tflint.schema import Schema, tflite_schema
from tflint.writer.edit_routes import Target, find_target
from tflint.writer.pack import pack
from tflint.writer.scalar_types import did_you_mean
from tflint.writer.tensor_bytes import packed_numbers
from tflint.writer.trailing_bytes import moved_tail, tail_offset
from tflint.writer.unpack import unpack_with_end

#: Values that remove a field, or an element of a vector: TOML has no null.
ABSENT = ("", "absent")

#: Routes that edit the file's bytes, in the order they are applied.
FILE_EDITS = ("file.bytes", "file.truncate", "file.trailing_bytes")

_TENSOR_DATA = ".data"


def apply_edits(model: dict[str, Any], edits: Mapping[str, Any], schema: Schema | None = None) -> dict[str, Any]:
    """A deep copy of `model` with each route of `edits` set to its value, in order; `file.…` routes are left out.

    An element of a vector is chosen by index or by name, the longest name that fits; one past the last index appends.
    Routes that begin with a field of SubGraph mean subgraph 0. A value of "" or "absent" removes. The route
    `tensors.NAME.data` sets the numbers of the tensor's buffer. Raises ValueError naming the part of a route that
    is not there.
    """
    changed = copy.deepcopy(model)
    for route, value in edits.items():
        if route.startswith("file."):
            _check_file_route(route)
        else:
            _apply_edit(changed, route, value, schema or tflite_schema())
    return changed


def edited(data: bytes, edits: Mapping[str, Any]) -> bytes:
    """The file with the edits applied: fields first, then `file.bytes`, `file.truncate`, `file.trailing_bytes`.

    `file.bytes` (text, bytes or a list of numbers) replaces the content, `file.truncate` keeps the first N bytes or
    drops the last -N, `file.trailing_bytes` appends N zeros or the text given. What followed the flatbuffer, such as
    a zip, follows it again. Without edits of fields the `flatbuffers` package is not needed. ValueError for a wrong
    route or value, and for edits of fields where `data` is no model.
    """
    if any(not route.startswith("file.") for route in edits):
        data = _with_fields_edited(data, edits)
    for route in edits:
        if route.startswith("file."):
            _check_file_route(route)
    for route in FILE_EDITS:
        if route in edits:
            data = _with_file_edited(data, route, edits[route])
    return data


def _with_fields_edited(data: bytes, edits: Mapping[str, Any]) -> bytes:
    try:
        model, end = unpack_with_end(data)
    except (struct.error, IndexError, TypeError, OverflowError) as error:  # the official reader has no error of its own
        raise ValueError(f"fields cannot be edited: the bytes are no whole flatbuffer ({error})") from None
    flatbuffer = pack(apply_edits(model, edits))
    old_offset = tail_offset(data, end)
    return flatbuffer + moved_tail(data[old_offset:], old_offset, len(flatbuffer))


def _with_file_edited(data: bytes, route: str, value: Any) -> bytes:
    if route == "file.truncate":
        if not isinstance(value, int):
            raise ValueError(f"{route!r}: takes a number of bytes, not {value!r}")
        return data[:value]
    if route == "file.trailing_bytes":
        return data + (bytes(value) if isinstance(value, int) else _content(value))
    return _content(value)


def _content(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _check_file_route(route: str) -> None:
    if route not in FILE_EDITS:
        raise ValueError(f"{route!r}: there is no such edit of a file{did_you_mean(route, FILE_EDITS)}")


def _apply_edit(model: dict[str, Any], route: str, value: Any, schema: Schema) -> None:
    tensor = _tensor_of_data_route(model, route, schema)
    if tensor is not None:
        _set_tensor_data(model, tensor, value, route)
        return
    target = find_target(model, route, schema)
    if isinstance(value, str) and value in ABSENT:
        _remove(target, route)
    elif isinstance(target.key, int) and target.key == len(target.container):
        target.container.append(value)
    else:
        target.container[target.key] = value


def _remove(target: Target, route: str) -> None:
    if isinstance(target.key, str):
        target.container.pop(target.key, None)
    elif target.key < len(target.container):
        del target.container[target.key]
    else:
        raise ValueError(f"{route!r}: {target.field.name!r} has no element {target.key} to remove")


def _tensor_of_data_route(model: dict[str, Any], route: str, schema: Schema) -> dict[str, Any] | None:
    """The tensor whose numbers a route such as `tensors.weights.data` means; None for any other route."""
    if not route.endswith(_TENSOR_DATA) or not schema.is_table("Tensor"):
        return None
    try:
        target = find_target(model, route.removesuffix(_TENSOR_DATA), schema)
    except ValueError:
        return None  # the field's own error names the wrong part
    if target.field.type != "[Tensor]" or not isinstance(target.key, int) or target.key >= len(target.container):
        return None
    tensor: dict[str, Any] = target.container[target.key]
    return tensor


def _set_tensor_data(model: dict[str, Any], tensor: dict[str, Any], value: Any, route: str) -> None:
    index = tensor.get("buffer", 0)
    if index == 0:
        index = tensor["buffer"] = len(model["buffers"])
        model["buffers"].append({})
    if isinstance(value, str) and value in ABSENT:
        model["buffers"][index].pop("data", None)
        return
    try:
        model["buffers"][index]["data"] = packed_numbers(tensor.get("type", "FLOAT32"), value)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{route!r}: {error}") from None
