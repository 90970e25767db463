"""Messages between tflint and its child process: a line of JSON, followed by the bytes that the line announces.

Both sides check every size, because a model may make the child write anything.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tflint.errors import TflintError

Message: TypeAlias = dict[str, Any]
Array: TypeAlias = NDArray[Any]

#: Maximum number of bytes of the JSON line of a message: the indices of 200,000 tensors.
MAX_LINE = 4 << 20
#: Maximum number of bytes that follow the line of a request: the model.
MAX_REQUEST_BYTES = 4 << 30
#: Maximum number of bytes that follow the line of a reply with arrays.
MAX_REPLY_BYTES = 1 << 30
#: Maximum number of axes of an array, as in numpy.
_MAX_RANK = 32
#: Types of arrays that may be sent: bool, integers, floating point, complex numbers.
_KINDS = "biufc"


class WireError(TflintError):
    """A message is incomplete or malformed."""


def write_message(stream: IO[bytes], message: Message, pieces: Sequence[bytes | memoryview] = ()) -> None:
    """Write a message and the byte strings that belong to it."""
    line = json.dumps({**message, "pieces": [len(piece) for piece in pieces]})
    stream.write(line.encode() + b"\n")
    for piece in pieces:
        stream.write(piece)
    stream.flush()


def read_message(stream: IO[bytes], max_bytes: int = MAX_REQUEST_BYTES) -> tuple[Message, list[bytes]] | None:
    """Read a message and its byte strings, of at most `max_bytes`; None if the stream ended between messages.

    Raises `WireError` if the message is malformed or the stream ends within it.
    """
    line = stream.readline(MAX_LINE)
    if not line:
        return None
    try:
        message = json.loads(line)
        sizes = [int(size) for size in message.pop("pieces")]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise WireError(f"not a message: {line[:80]!r}") from error
    if any(size < 0 for size in sizes) or sum(sizes) > max_bytes:
        raise WireError("a message announces an invalid number of bytes")
    pieces = [stream.read(size) for size in sizes]
    if [len(piece) for piece in pieces] != sizes:
        raise WireError("the stream ended within a message")
    return message, pieces


def pack_arrays(arrays: Sequence[Array]) -> tuple[list[list[Any]], list[memoryview]]:
    """Return the dtypes and shapes of arrays for a message, and the bytes of the arrays."""
    # Note: `ascontiguousarray` turns a scalar into an array with one axis, so the shape is that of the original.
    kinds = [[array.dtype.str, list(array.shape)] for array in arrays]
    return kinds, [np.ascontiguousarray(array).reshape(-1).view(np.uint8).data for array in arrays]


def unpack_arrays(kinds: Sequence[Any], pieces: Sequence[bytes]) -> list[Array]:
    """Return the arrays that a message contains. Raises `WireError` if their types or sizes are invalid."""
    try:
        return [_unpack_array(str(name), shape, piece) for (name, shape), piece in zip(kinds, pieces, strict=True)]
    except (TypeError, ValueError, SyntaxError, OverflowError) as error:  # numpy parses the name of a type
        raise WireError(f"invalid arrays: {error}") from error


def _unpack_array(name: str, shape: Sequence[int], content: bytes) -> Array:
    dtype = np.dtype(name)
    if dtype.kind not in _KINDS or len(shape) > _MAX_RANK or any(size < 0 for size in shape):
        raise ValueError(f"type {name!r} or shape {list(shape)[:_MAX_RANK]}")
    if math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError(f"{len(content)} bytes for {name} {list(shape)}")
    return np.frombuffer(content, dtype).reshape(shape)
