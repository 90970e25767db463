"""What imports of whole models share: how entries are told apart, and shapes and types as a contract writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tflint.contract.contract_limits import DTYPES, MAX_RANK
from tflint.errors import UserError
from tflint.resources import json_schema

_MAX_ENTRIES: int = json_schema("contract")["properties"]["inputs"]["maxItems"]
#: Largest size of an axis that is believed: TFLite's are 32-bit integers.
_MAX_SIZE = 2**31 - 1


def identified(entries: Iterable[tuple[str, dict[str, Any]]]) -> tuple[dict[str, Any], ...]:
    """Entries with their names, or with an index where a name is missing or stands twice; a single one needs none."""
    found = [(name.encode("utf-8", "replace").decode("utf-8"), entry) for name, entry in entries]  # lone surrogates
    if len(found) > _MAX_ENTRIES:
        raise UserError(f"the model has {len(found):,} inputs or outputs; a contract can have {_MAX_ENTRIES:,}")
    if len(found) == 1:
        return (found[0][1],)
    names = [name for name, _ in found]
    if all(names) and len(set(names)) == len(names):
        return tuple({"name": name, **entry} for name, entry in found)
    return tuple({"index": index, **entry} for index, (_, entry) in enumerate(found))


def shape_entry(name: str, sizes: Sequence[int | None], unsaid: list[str]) -> dict[str, Any]:
    """The key `shape`: -1 for a size that is not fixed; none, and a sentence, where a contract cannot hold it."""
    if len(sizes) > MAX_RANK:
        unsaid.append(f"The shape of {label(name)} has {len(sizes):,} axes; a contract can have {MAX_RANK}.")
        return {}
    return {"shape": [size if size is not None and 0 <= size <= _MAX_SIZE else -1 for size in sizes]}


def dtype_entry(name: str, dtype: str, unsaid: list[str]) -> dict[str, Any]:
    """The key `dtype`; none, and a sentence, for a type that a contract has no word for."""
    if dtype in DTYPES:
        return {"dtype": dtype}
    unsaid.append(f"The type of {label(name)} is {dtype}, which a contract has no word for.")
    return {}


def label(name: str) -> str:
    """An input or output in a sentence."""
    return f"'{''.join(char if char.isprintable() else '?' for char in name[:60])}'" if name else "one without a name"
