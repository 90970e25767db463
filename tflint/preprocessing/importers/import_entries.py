"""Helpers of importers that read whole models. They give names or indices of entries, shapes and dtypes as keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tflint.contract.contract_limits import DTYPES, MAX_RANK
from tflint.errors import UserError
from tflint.resources import json_schema

_MAX_ENTRIES: int = json_schema("contract")["properties"]["inputs"]["maxItems"]
#: Maximum size of a dimension: TFLite stores it as a 32-bit integer.
_MAX_SIZE = 2**31 - 1


def identify_entries(entries: Iterable[tuple[str, dict[str, Any]]]) -> tuple[dict[str, Any], ...]:
    """Add names to entries, or indices if a name is missing or duplicate. A single entry needs neither."""
    found = [(name.encode("utf-8", "replace").decode("utf-8"), entry) for name, entry in entries]  # lone surrogates
    if len(found) > _MAX_ENTRIES:
        raise UserError(f"the model has {len(found):,} inputs or outputs; a contract allows at most {_MAX_ENTRIES:,}")
    if len(found) == 1:
        return (found[0][1],)
    names = [name for name, _ in found]
    if all(names) and len(set(names)) == len(names):
        return tuple({"name": name, **entry} for name, entry in found)
    return tuple({"index": index, **entry} for index, (_, entry) in enumerate(found))


def shape_entry(name: str, sizes: Sequence[int | None], notes: list[str]) -> dict[str, Any]:
    """Return the key `shape`, with -1 for dynamic dimensions. If the rank is too high, add a note instead."""
    if len(sizes) > MAX_RANK:
        notes.append(f"{label(name)} has {len(sizes):,} dimensions; a contract allows at most {MAX_RANK}.")
        return {}
    return {"shape": [size if size is not None and 0 <= size <= _MAX_SIZE else -1 for size in sizes]}


def dtype_entry(name: str, dtype: str, notes: list[str]) -> dict[str, Any]:
    """Return the key `dtype`. If contracts do not have this type, add a note instead."""
    if dtype in DTYPES:
        return {"dtype": dtype}
    notes.append(f"The type of {label(name)} is {dtype}, which a contract cannot express.")
    return {}


def label(name: str) -> str:
    """Return the quoted, printable name of an input or output for a note."""
    return f"'{''.join(char if char.isprintable() else '?' for char in name[:60])}'" if name else "an unnamed entry"
