"""Puts metadata into the bytes of a model, and files behind it; proves by reading again that all else is as it was."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from tflint.errors import UserError
from tflint.facts.contract.contract_tables import called_subgraph
from tflint.facts.facts import Facts
from tflint.model.tables import Tables
from tflint.model.trailing_data import read_packed_file
from tflint.preprocessing.export.contract_metadata import Metadata
from tflint.preprocessing.recipe import Recipe
from tflint.runner.model_loader import Model
from tflint.schema import metadata_schema
from tflint.source.checkout_boundary import is_within, real_path
from tflint.values import frozen
from tflint.writer import pack, unpack
from tflint.writer.trailing_bytes import relocate_tail, tail_offset
from tflint.writer.unpack import unpack_with_end

Fields = dict[str, Any]

#: Larger files are no labels and no vocabulary.
MAX_FILE_BYTES = 16 << 20
#: A table has an offset that leads to it, and begins with one.
_TABLE_BYTES = 8
#: The metadata entry that holds TFLite metadata.
NAME = "TFLITE_METADATA"


@frozen
class Exported:
    """A copy of a model with its contract's metadata.

    `unheld` are keys of the contract that the metadata cannot hold; `packed` names of files that were put into the
    zip behind the model, `unpacked` others with the reason why they were not.
    """

    content: bytes
    unheld: tuple[str, ...]
    packed: tuple[str, ...]
    unpacked: tuple[str, ...]


def exported(recipe: Recipe, model: Model, data: bytes) -> Exported:
    """The copy of a model that was read well from `data`.

    `UserError` where its weights lie outside of the flatbuffer, whose offsets a copy would have to move, or what
    follows it is no zip that files could be added to.
    """
    tables = model.tables
    _require_own_tables(tables, len(data))
    facts = Facts(tables, contracts={0: recipe.contract})
    if called_subgraph(facts, 0) != 0:
        raise UserError("the contract's signature runs another subgraph than the first, of which the metadata speaks")
    n_tensors = {side: _n_tensors(facts, side) for side in ("input", "output")}
    metadata = Metadata(recipe, tables.extras[0].metadata, n_tensors)
    content = _with_metadata(data, pack(metadata.root, metadata_schema()))
    files, unpacked = _to_pack(tables, Path(recipe.contract.path).parent, metadata.files)
    if files and tables.extras[0].tail not in ("none", "padding", "zip"):
        raise UserError("what follows the model is no zip that files can be added to", hint="'tflint show' names it")
    content = _with_files(content, files)
    _prove(data, content)
    return Exported(content, tuple(metadata.unheld()), tuple(files), tuple(unpacked))


def _to_pack(tables: Tables, folder: Path, paths: Sequence[str]) -> tuple[dict[str, bytes], list[str]]:
    """The files that the model does not have yet, by name; and those that are not to be had, with the reason."""
    known = tables.extras[0].packed
    files: dict[str, bytes] = {}
    unpacked: list[str] = []
    for path in dict.fromkeys(paths):
        name, found = PurePath(path).name, _file_of(folder, path)
        if isinstance(found, str):
            unpacked += [] if name in known else [f"{path} ({found})"]
        elif name not in known:
            files[name] = found
        elif read_packed_file(tables, 0, name, MAX_FILE_BYTES) != found:
            raise UserError(
                f"the model has another '{name}' in its zip than '{folder / path}'",
                hint="a zip cannot be changed in place: take the model without it, or make the files the same",
            )
    return files, unpacked


def _require_own_tables(tables: Tables, n_bytes: int) -> None:
    """`UserError` where many entries are one table in the file, as none that is written is: a copy has one for each."""
    n_tables = sum(len(tables.table(name)) for name in ("subgraph", "tensor", "operator", "buffer", "metadata"))
    if n_tables * _TABLE_BYTES > n_bytes:
        raise UserError(
            f"{n_tables:,} tables share the {n_bytes:,} bytes of the model: a copy would be many times as large"
        )


def _n_tensors(facts: Facts, side: str) -> int:
    """The inputs (or outputs) of the first subgraph, of which the metadata speaks."""
    return int((facts.numbers("subgraph", "index")[facts.rows(side, "subgraph")] == 0).sum())


def _file_of(folder: Path, name: str) -> bytes | str:
    """The content of a file in a contract's folder, or why there is none to pack: nothing outside of it is copied."""
    path = folder / name
    try:
        if not is_within(path, real_path(folder)):
            return "outside of the contract's folder, or in its .git"
        if not path.is_file():
            return "not found"
        if path.stat().st_size > MAX_FILE_BYTES:
            return f"larger than {MAX_FILE_BYTES:,} bytes"
        return path.read_bytes()
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return "cannot be read"


def _with_metadata(data: bytes, metadata: bytes) -> bytes:
    model, end = unpack_with_end(data)
    if any(buffer.get("offset", 0) > 1 for buffer in model.get("buffers", [])):
        raise UserError("the model's weights lie behind the flatbuffer, where a copy would have to move them")
    _put(model, metadata)
    flatbuffer = pack(model)
    old_offset = tail_offset(data, end)
    return flatbuffer + relocate_tail(data[old_offset:], old_offset, len(flatbuffer))


def _put(model: Fields, metadata: bytes) -> None:
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


def _with_files(content: bytes, files: Mapping[str, bytes]) -> bytes:
    if not files:
        return content
    file = io.BytesIO(content)
    try:
        with zipfile.ZipFile(file, "a") as archive:
            for name, data in files.items():
                archive.writestr(zipfile.ZipInfo(name), data)  # its date is 1980-01-01
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise UserError(f"files cannot be added to the zip behind the model: {error}") from error
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
