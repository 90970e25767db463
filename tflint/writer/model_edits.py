"""Edits models: sets fields by routes such as `tensors.bias.quantization.scale`, and edits the bytes of the file.

Input: a model as nested dicts or bytes, and edits as in rule files. Output: an edited copy.
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
from tflint.writer.tensor_bytes import pack_numbers
from tflint.writer.trailing_bytes import relocate_tail, tail_offset
from tflint.writer.unpack import unpack_with_end

#: Values that remove a field or an element of a vector, because TOML has no null.
ABSENT = ("", "absent")

#: Routes that edit the bytes of the file, in the order in which they are applied.
FILE_EDITS = ("file.bytes", "file.truncate", "file.trailing_bytes")

_TENSOR_DATA = ".data"


def apply_edits(model: dict[str, Any], edits: Mapping[str, Any], schema: Schema | None = None) -> dict[str, Any]:
    """Return a deep copy of `model` with each route of `edits` set to its value, in order; skip `file.…` routes.

    A route selects an element of a vector by index or by name (the longest name that matches). The index after the last
    element appends the value. A route that begins with a field of SubGraph refers to subgraph 0. The value "" or
    "absent" removes the field or element. The route `tensors.NAME.data` sets the numbers in the tensor's buffer. Raises
    ValueError with the part of a route that does not exist.
    """
    changed = copy.deepcopy(model)
    for route, value in edits.items():
        if route.startswith("file."):
            _check_file_route(route)
        else:
            _apply_edit(changed, route, value, schema or tflite_schema())
    return changed


def edit_model(data: bytes, edits: Mapping[str, Any]) -> bytes:
    """Return the bytes of a model file after edits of fields, then edits of the file in the order of `FILE_EDITS`.

    `file.bytes` (text, bytes or a list of numbers) replaces the content. `file.truncate = N` keeps the first N bytes;
    if N is negative, it removes the last -N bytes. `file.trailing_bytes` appends N zero bytes, or the value's text or
    bytes. Data after the flatbuffer, such as a zip, stays after the edited flatbuffer. Only edits of fields need the
    `flatbuffers` package. Raises ValueError if a route or value is invalid, or if fields are to be edited and `data` is
    not a model.
    """
    if any(not route.startswith("file.") for route in edits):
        data = _edit_fields(data, edits)
    for route in edits:
        if route.startswith("file."):
            _check_file_route(route)
    for route in FILE_EDITS:
        if route in edits:
            data = _edit_file(data, route, edits[route])
    return data


def _edit_fields(data: bytes, edits: Mapping[str, Any]) -> bytes:
    try:
        model, end = unpack_with_end(data)
    except (struct.error, IndexError, TypeError, OverflowError) as error:  # errors of the official reader
        raise ValueError(f"fields cannot be edited: the bytes are not a valid flatbuffer ({error})") from None
    flatbuffer = pack(apply_edits(model, edits))
    old_offset = tail_offset(data, end)
    return flatbuffer + relocate_tail(data[old_offset:], old_offset, len(flatbuffer))


def _edit_file(data: bytes, route: str, value: Any) -> bytes:
    if route == "file.truncate":
        if not isinstance(value, int):
            raise ValueError(f"{route!r} takes a number of bytes, not {value!r}")
        return data[:value]
    if route == "file.trailing_bytes":
        return data + (bytes(value) if isinstance(value, int) else _content(value))
    return _content(value)


def _content(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _check_file_route(route: str) -> None:
    if route not in FILE_EDITS:
        raise ValueError(f"{route!r} is not an edit of a file{did_you_mean(route, FILE_EDITS)}")


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
    """Return the tensor of a route such as `tensors.weights.data`, or None for other routes."""
    if not route.endswith(_TENSOR_DATA) or not schema.is_table("Tensor"):
        return None
    try:
        target = find_target(model, route.removesuffix(_TENSOR_DATA), schema)
    except ValueError:
        return None  # the caller calls find_target again, which raises the error
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
        model["buffers"][index]["data"] = pack_numbers(tensor.get("type", "FLOAT32"), value)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{route!r}: {error}") from None
