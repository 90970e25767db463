"""Reads the signature in an MLflow model's MLmodel file: tensors, or columns of a table."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from tflint.errors import Place, UserError
from tflint.preprocessing.importers.ecosystem_files import find, read_yaml
from tflint.preprocessing.importers.foreign_fields import Fields
from tflint.preprocessing.importers.import_entries import dtype_entry, identified, label, shape_entry
from tflint.preprocessing.importers.imported import Imported
from tflint.userfiles.userfile import load_json

#: MLflow's names of column types as numpy's.
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
    """What an MLmodel file, or the one in a folder, says."""
    path = find(source, ("MLmodel",), "MLmodel")
    fields = read_yaml(path)
    signature = fields.table("signature")
    if signature is None:
        raise UserError("has no signature: nothing is said of inputs and outputs", place=Place(path))
    unsaid: list[str] = []
    inputs = _side(signature, "inputs", unsaid)
    outputs = _side(signature, "outputs", unsaid)
    if signature.get("params") is not None:
        unsaid.append("Parameters of a call (signature.params) have no place in a contract.")
    unsaid.append("Of preparation a signature says nothing but types and shapes.")
    return Imported(inputs, outputs, f"mlflow {PurePath(path).name}", tuple(unsaid))


def _side(signature: Fields, side: str, unsaid: list[str]) -> tuple[dict[str, Any], ...]:
    """The entries of a signature's inputs or outputs, which it holds as the text of a JSON list."""
    text = signature.text(side)
    if text is None:
        return ()
    place = f"{signature.path}: signature.{side}"
    specs = list(Fields({side: load_json(place, text, refuse_repeated=True)}, place).tables(side))
    tensors = [spec for spec in specs if spec.text("type") == "tensor"]
    if tensors and len(tensors) < len(specs):
        raise UserError("mixes tensors and columns", place=Place(place))
    if tensors:
        return identified(_tensor(spec, unsaid) for spec in tensors)
    return (_columns(specs, side, unsaid),) if specs else ()


def _tensor(spec: Fields, unsaid: list[str]) -> tuple[str, dict[str, Any]]:
    name, inner = spec.text("name") or "", spec.table("tensor-spec")
    shape = inner.get("shape") if inner is not None else None
    dtype = inner.text("dtype") if inner is not None else None
    if inner is None or dtype is None:
        raise spec.wrong("tensor-spec", "a mapping with dtype and shape")
    if not isinstance(shape, list) or not all(isinstance(size, int) and not isinstance(size, bool) for size in shape):
        raise inner.wrong("shape", "a list of whole numbers")
    entry: dict[str, Any] = {"kind": "raw"}
    entry |= dtype_entry(name, "string" if dtype in _TEXT_TYPES else dtype, unsaid)
    return name, entry | shape_entry(name, shape, unsaid)


def _columns(specs: list[Fields], side: str, unsaid: list[str]) -> dict[str, Any]:
    """One entry for all columns of a table; an output has no place for their names."""
    kinds = [spec.text("type") or "" for spec in specs]
    names = [spec.text("name") or "" for spec in specs]
    entry: dict[str, Any] = {"kind": "tabular" if side == "inputs" else "raw"}
    if len(set(kinds)) == 1 and kinds[0] in _COLUMN_TYPES:
        entry["dtype"] = _COLUMN_TYPES[kinds[0]]
    else:
        unsaid.append(f"The columns of the {side} have types of their own: {_listed(sorted(set(kinds)))}.")
    if side == "inputs" and all(names) and len(names) <= 65536:
        entry["columns"] = [{"name": name} for name in names]
    elif any(names):
        unsaid.append(f"The names of the {side}' columns are not taken: {_listed(names)}.")
    optional = [name for spec, name in zip(specs, names, strict=True) if spec.truth("required") is False]
    if optional:
        unsaid.append(f"Some columns may be missing: {_listed(optional)}.")
    return entry


def _listed(names: list[str]) -> str:
    return ", ".join(label(name) for name in names[:10]) + (", …" if len(names) > 10 else "")
