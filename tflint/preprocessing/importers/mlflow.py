"""Imports the signature in the MLmodel file of an MLflow model: tensors, or columns of a table."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from tflint.errors import Place, UserError
from tflint.preprocessing.importers.ecosystem_files import find, read_yaml
from tflint.preprocessing.importers.foreign_fields import Fields
from tflint.preprocessing.importers.import_entries import dtype_entry, identify_entries, label, shape_entry
from tflint.preprocessing.importers.imported import Imported
from tflint.userfiles.userfile import load_json

#: numpy dtypes by MLflow's column types.
_COLUMN_TYPES = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "string": "string",
}
_TEXT_TYPES = ("str", "str_")


def read(source: str) -> Imported:
    """Import an MLmodel file. `source` is its path, or the folder that contains it."""
    path = find(source, ("MLmodel",), "MLmodel")
    fields = read_yaml(path)
    signature = fields.table("signature")
    if signature is None:
        raise UserError("has no signature, which describes inputs and outputs", place=Place(path))
    notes: list[str] = []
    inputs = _side(signature, "inputs", notes)
    outputs = _side(signature, "outputs", notes)
    if signature.get("params") is not None:
        notes.append("Parameters (signature.params) have no contract key.")
    notes.append("A signature specifies only types and shapes, not preprocessing.")
    return Imported(inputs, outputs, f"mlflow {PurePath(path).name}", tuple(notes))


def _side(signature: Fields, side: str, notes: list[str]) -> tuple[dict[str, Any], ...]:
    """Return the entries of a signature's inputs or outputs, which are stored as a JSON string."""
    text = signature.text(side)
    if text is None:
        return ()
    place = f"{signature.path}: signature.{side}"
    specs = list(Fields({side: load_json(place, text, refuse_repeated=True)}, place).tables(side))
    tensors = [spec for spec in specs if spec.text("type") == "tensor"]
    if tensors and len(tensors) < len(specs):
        raise UserError("mixes tensors and columns", place=Place(place))
    if tensors:
        return identify_entries(_tensor(spec, notes) for spec in tensors)
    return (_columns(specs, side, notes),) if specs else ()


def _tensor(spec: Fields, notes: list[str]) -> tuple[str, dict[str, Any]]:
    name, inner = spec.text("name") or "", spec.table("tensor-spec")
    shape = inner.get("shape") if inner is not None else None
    dtype = inner.text("dtype") if inner is not None else None
    if inner is None or dtype is None:
        raise spec.value_error("tensor-spec", "a mapping with dtype and shape")
    if not isinstance(shape, list) or not all(isinstance(size, int) and not isinstance(size, bool) for size in shape):
        raise inner.value_error("shape", "a list of integers")
    entry: dict[str, Any] = {"kind": "raw"}
    entry |= dtype_entry(name, "string" if dtype in _TEXT_TYPES else dtype, notes)
    return name, entry | shape_entry(name, shape, notes)


def _columns(specs: list[Fields], side: str, notes: list[str]) -> dict[str, Any]:
    """Return one entry for all columns of a table. Only the entry of an input can have the names of the columns."""
    kinds = [spec.text("type") or "" for spec in specs]
    names = [spec.text("name") or "" for spec in specs]
    entry: dict[str, Any] = {"kind": "tabular" if side == "inputs" else "raw"}
    if len(set(kinds)) == 1 and kinds[0] in _COLUMN_TYPES:
        entry["dtype"] = _COLUMN_TYPES[kinds[0]]
    else:
        notes.append(f"The columns of the {side} have different types: {_join_names(sorted(set(kinds)))}.")
    if side == "inputs" and all(names) and len(names) <= 65536:
        entry["columns"] = [{"name": name} for name in names]
    elif any(names):
        notes.append(f"The names of the columns of the {side} are not imported: {_join_names(names)}.")
    optional = [name for spec, name in zip(specs, names, strict=True) if spec.boolean("required") is False]
    if optional:
        notes.append(f"Some columns may be missing: {_join_names(optional)}.")
    return entry


def _join_names(names: list[str]) -> str:
    return ", ".join(label(name) for name in names[:10]) + (", …" if len(names) > 10 else "")
