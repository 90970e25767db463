"""Writes metadata into the bytes of a model, appends associated files, and verifies that nothing else changed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from tflint.columns.column import text_of
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
from tflint.summary.oldest_runtime import find_requirements
from tflint.summary.operator_counts import count_operators
from tflint.targets.runtime import TFLITE
from tflint.values import frozen
from tflint.writer import pack, unpack
from tflint.writer.trailing_bytes import relocate_tail, tail_offset
from tflint.writer.unpack import unpack_with_end

Fields = dict[str, Any]

#: Maximum size of a label or vocabulary file, in bytes.
MAX_FILE_BYTES = 16 << 20
#: Minimum number of bytes per table: the 4-byte offset of its vtable, and a 4-byte offset that refers to the table.
_TABLE_BYTES = 8
#: The metadata entry with TFLite metadata, and the one with the oldest TensorFlow release that runs the model.
NAME, RUNTIME_NAME = "TFLITE_METADATA", "min_runtime_version"
#: Size of the buffer with that release, in bytes, as TensorFlow's converter writes it.
_RUNTIME_BYTES = 16


@frozen
class ExportedModel:
    """A copy of a model with the metadata of its contract.

    `lost_keys` are the contract keys that metadata cannot express. `packed` are the names of files that were added to
    the zip at the end of the model. `unpacked` are the paths of the files that were not added, each with the reason.
    `runtime_version` is the min_runtime_version that was written, or None if the model keeps its own, or if its
    operators do not determine one.
    """

    content: bytes
    lost_keys: tuple[str, ...]
    packed: tuple[str, ...]
    unpacked: tuple[str, ...]
    runtime_version: str | None = None


def export_metadata(recipe: Recipe, model: Model, data: bytes) -> ExportedModel:
    """Return a copy of a model with the metadata of its contract. `data` are the bytes of the model, which are valid.

    Raises `UserError` if the weights are outside of the flatbuffer, because their offsets would change; if the contract
    describes a subgraph other than the first; or if files must be packed, but the data after the model is not a zip.
    """
    tables = model.tables
    _require_own_tables(tables, len(data))
    facts = Facts(tables, contracts={0: recipe.contract})
    if called_subgraph(facts, 0) != 0:
        raise UserError(
            "the contract's signature runs a subgraph other than the first; metadata describes only the first"
        )
    n_tensors = {side: _n_tensors(facts, side) for side in ("input", "output")}
    metadata = Metadata(recipe, tables.extras[0].metadata, n_tensors)
    runtime_version = _missing_runtime_version(facts)
    entries = {NAME: pack(metadata.root, metadata_schema())}
    if runtime_version is not None:
        entries[RUNTIME_NAME] = runtime_version.encode().ljust(_RUNTIME_BYTES, b"\0")
    content = _replace_metadata(data, entries)
    files, unpacked = _select_files(tables, Path(recipe.contract.path).parent, metadata.files)
    if files and tables.extras[0].tail not in ("none", "padding", "zip"):
        raise UserError(
            "files cannot be packed: the data appended to the model is not a zip", hint="'tflint show' describes it"
        )
    content = _add_files(content, files)
    _require_unchanged(data, content, entries)
    return ExportedModel(content, tuple(metadata.lost_keys()), tuple(files), tuple(unpacked), runtime_version)


def _missing_runtime_version(facts: Facts) -> str | None:
    """Return the oldest release that runs the model, or None if the model names this or a newer one.

    Also return None if a built-in operator is in no known release: the release would be too old.
    """
    requirements = find_requirements(count_operators(facts))
    required = next((needs.release for needs in requirements if needs.runtime == TFLITE), None)
    if required is None:
        return None
    is_named = text_of(facts.column("model", RUNTIME_NAME), 0) is not None
    if is_named and not facts.numbers("model", "is_version_understated")[0]:
        return None
    return text_of(facts.column("model", "required_runtime_version"), 0)


def _select_files(tables: Tables, folder: Path, paths: Sequence[str]) -> tuple[dict[str, bytes], list[str]]:
    """Return the files to pack, by name, and the paths of unavailable files, each with the reason.

    Files that the model already contains are in neither.
    """
    known = tables.extras[0].packed
    files: dict[str, bytes] = {}
    unpacked: list[str] = []
    for path in dict.fromkeys(paths):
        name, content = PurePath(path).name, _file_of(folder, path)
        if isinstance(content, str):
            unpacked += [] if name in known else [f"{path} ({content})"]
        elif name not in known:
            files[name] = content
        elif read_packed_file(tables, 0, name, MAX_FILE_BYTES) != content:
            raise UserError(
                f"the model's zip has a '{name}' that differs from '{folder / path}'",
                hint="files in the zip are not replaced: use a model without it, or make the files equal",
            )
    return files, unpacked


def _require_own_tables(tables: Tables, n_bytes: int) -> None:
    """Raise `UserError` if references in a model share tables: the copy would have one table per reference.

    Converters do not write such models.
    """
    n_tables = sum(len(tables.table(name)) for name in ("subgraph", "tensor", "operator", "buffer", "metadata"))
    if n_tables * _TABLE_BYTES > n_bytes:
        raise UserError(
            f"the model's {n_bytes:,} bytes hold {n_tables:,} overlapping tables; a copy would be many times larger"
        )


def _n_tensors(facts: Facts, side: str) -> int:
    """Return the number of inputs (or outputs) of the first subgraph, which metadata describes."""
    return int((facts.numbers("subgraph", "index")[facts.rows(side, "subgraph")] == 0).sum())


def _file_of(folder: Path, name: str) -> bytes | str:
    """Return the content of a file in the contract's folder. If it cannot be packed, return the reason as text.

    A file outside of the folder is not copied into a model, because the model may be published.
    """
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


def _replace_metadata(data: bytes, entries: Mapping[str, bytes]) -> bytes:
    model, end = unpack_with_end(data)
    if any(buffer.get("offset", 0) > 1 for buffer in model.get("buffers", [])):
        raise UserError("the model's weights are stored after the flatbuffer; a copy would have to move them")
    for name, content in entries.items():
        _set_metadata_buffer(model, name, content)
    flatbuffer = pack(model)
    old_offset = tail_offset(data, end)
    return flatbuffer + relocate_tail(data[old_offset:], old_offset, len(flatbuffer))


def _set_metadata_buffer(model: Fields, name: str, content: bytes) -> None:
    """Set the buffer of a metadata entry. Reuse its buffer if nothing else references it; otherwise add a new one."""
    buffers, entries = model.setdefault("buffers", []), model.setdefault("metadata", [])
    if not buffers:
        buffers.append({})  # by convention, buffer 0 is empty
    own = next((entry for entry in entries if entry.get("name") == name), None)
    if own is None:
        own = {"name": name}
        entries.append(own)
    tensors = (tensor for subgraph in model.get("subgraphs", []) for tensor in subgraph.get("tensors", []))
    used = {user.get("buffer", 0) for user in (*tensors, *entries) if user is not own}
    if own.get("buffer", 0) in used | {0} or own["buffer"] >= len(buffers):
        own["buffer"] = len(buffers)
        buffers.append({})
    buffers[own["buffer"]] = {"data": content}


def _add_files(content: bytes, files: Mapping[str, bytes]) -> bytes:
    if not files:
        return content
    file = io.BytesIO(content)
    try:
        with zipfile.ZipFile(file, "a") as archive:
            for name, data in files.items():
                archive.writestr(zipfile.ZipInfo(name), data)  # dated 1980-01-01: reproducible
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise UserError(f"files cannot be added to the zip appended to the model: {error}") from error
    return file.getvalue()


def _require_unchanged(before: bytes, after: bytes, names: Collection[str]) -> None:
    """Verify that operators, tensors, weights, signatures and other metadata are equal; `names` are the new entries.

    Both models are packed again without these entries, so that a stored default equals an absent one.
    """
    old, new = unpack(before), unpack(after)
    positions = {next(entry["buffer"] for entry in new["metadata"] if entry.get("name") == name) for name in names}
    for model in (old, new):
        model["metadata"] = [entry for entry in model.get("metadata", []) if entry.get("name") not in names]
        buffers = model.get("buffers") or [{}]
        model["buffers"] = [buffer for number, buffer in enumerate(buffers) if number not in positions]
    if pack(old) != pack(new):
        raise AssertionError("the copy differs from the model in more than the metadata")
