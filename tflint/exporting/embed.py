"""Puts metadata into the bytes of a model, and files behind it; proves by reading again that all else is as it was."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from tflint.calling import Recipe
from tflint.errors import UserError
from tflint.exporting.metadata import Metadata
from tflint.schema import metadata_schema
from tflint.values import frozen
from tflint.writer import pack, unpack
from tflint.writer.tail import moved_tail, tail_offset
from tflint.writer.unpack import unpack_with_end

Model = dict[str, Any]

#: The metadata entry that holds TFLite metadata.
NAME = "TFLITE_METADATA"


@frozen
class Exported:
    """A copy of a model with its contract's metadata.

    `unheld` are keys of the contract that the metadata cannot hold; `packed` names of files that were put into the
    zip behind the model, `missing` those that lie neither beside the contract nor in the model.
    """

    content: bytes
    unheld: tuple[str, ...]
    packed: tuple[str, ...]
    missing: tuple[str, ...]


def exported(recipe: Recipe, data: bytes, existing: Mapping[str, Any] | None) -> Exported:
    """The copy of a valid model's bytes; `existing` is the metadata that it has, decoded.

    `UserError` where its weights lie outside of the flatbuffer, whose offsets a copy would have to move.
    """
    metadata = Metadata(recipe, existing)
    content = _with_metadata(data, pack(metadata.root, metadata_schema()))
    folder = Path(recipe.contract.path).parent
    inside = _names(content)
    wanted = list(dict.fromkeys(name for name in metadata.files if PurePath(name).name not in inside))
    found = {name: folder / name for name in wanted if (folder / name).is_file()}
    content = _with_files(content, found)
    _prove(data, content)
    missing = [name for name in wanted if name not in found]
    return Exported(content, tuple(metadata.unheld()), tuple(found), tuple(missing))


def _with_metadata(data: bytes, metadata: bytes) -> bytes:
    model, end = unpack_with_end(data)
    if any(buffer.get("offset", 0) > 1 for buffer in model.get("buffers", [])):
        raise UserError("the model's weights lie behind the flatbuffer, where a copy would have to move them")
    _put(model, metadata)
    flatbuffer = pack(model)
    old_offset = tail_offset(data, end)
    return flatbuffer + moved_tail(data[old_offset:], old_offset, len(flatbuffer))


def _put(model: Model, metadata: bytes) -> None:
    """Into the buffer of the metadata that is there, if nothing else uses it; else into a new one."""
    buffers, entries = model.setdefault("buffers", []), model.setdefault("metadata", [])
    if not buffers:
        buffers.append({})  # buffer 0 is the empty one, by convention
    own = next((entry for entry in entries if entry.get("name") == NAME), None)
    if own is None:
        own = {"name": NAME}
        entries.append(own)
    tensors = (tensor for subgraph in model.get("subgraphs", []) for tensor in subgraph.get("tensors", []))
    used = {user.get("buffer", 0) for user in (*tensors, *entries) if user is not own}
    if own.get("buffer", 0) in used | {0} or own["buffer"] >= len(buffers):
        own["buffer"] = len(buffers)
        buffers.append({})
    buffers[own["buffer"]] = {"data": metadata}


def _names(content: bytes) -> set[str]:
    """Names of files in the zip behind a model."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return set(archive.namelist())
    except zipfile.BadZipFile:
        return set()


def _with_files(content: bytes, files: Mapping[str, Path]) -> bytes:
    if not files:
        return content
    file = io.BytesIO(content)
    with zipfile.ZipFile(file, "a") as archive:
        for name, path in files.items():
            archive.writestr(zipfile.ZipInfo(PurePath(name).name), path.read_bytes())  # its date is 1980-01-01
    return file.getvalue()


def _prove(before: bytes, after: bytes) -> None:
    """All but the metadata must read the same: operators, tensors, weights, signatures, other metadata.

    Written again without it, both give the same bytes; a default that one of them spells out is no difference.
    """
    old, new = unpack(before), unpack(after)
    place = next(entry["buffer"] for entry in new["metadata"] if entry.get("name") == NAME)
    for model in (old, new):
        model["metadata"] = [entry for entry in model.get("metadata", []) if entry.get("name") != NAME]
        model["buffers"] = [buffer for number, buffer in enumerate(model.get("buffers") or [{}]) if number != place]
    if pack(old) != pack(new):
        raise AssertionError("the copy is not the model with other metadata")
