"""Adds imported keys to the matching entries of a contract, and finds existing values with a different effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tflint.contract import Contract
from tflint.contract.contract_edit import build_contract, set_keys
from tflint.errors import UserError
from tflint.preprocessing.importers.compared_keys import ComparedKeys, compare_keys
from tflint.preprocessing.importers.effects import (
    NORMALIZATION,
    conflicting_keys,
    conflicting_normalization,
    default_range,
    is_same_value,
)
from tflint.preprocessing.importers.imported import Imported
from tflint.values import frozen

#: Keys that identify an entry, or whose values a conversion may change. The values in the contract take precedence.
_MODEL_KEYS = ("name", "index", "dtype", "shape")


@frozen
class FilledContract:
    """A contract with imported keys.

    `filled` are the keys that were set, such as `inputs[0].mean`. `different` are the keys whose imported values have a
    different effect. They were replaced or kept, as the caller chose. `equal` are the keys whose imported values differ
    but have the same effect; the values in the contract were kept. `notes` are sentences about what was not imported.
    """

    contract: Contract
    filled: tuple[str, ...]
    different: tuple[ComparedKeys, ...] = ()
    equal: tuple[ComparedKeys, ...] = ()
    notes: tuple[str, ...] = ()


def fill(contract: Contract, imported: Imported, chosen: str | None = None, *, over: bool = False) -> FilledContract:
    """Set the imported keys that the contract does not have. With `over`, also replace values with a different effect.

    If a single input is imported, `chosen` may be the name or index of the contract's input to fill. Raises `UserError`
    if imported inputs cannot be matched with those of the contract.
    """
    filled: list[str] = []
    different: list[ComparedKeys] = []
    equal: list[ComparedKeys] = []
    notes: list[str] = []
    changes: dict[tuple[str, int], Mapping[str, Any]] = {}
    for side, entries in (("inputs", imported.inputs), ("outputs", imported.outputs)):
        matched = list(_match_entries(contract, side, entries, chosen if side == "inputs" else None))
        if side == "outputs" and len(matched) < len(entries):
            notes.append("The imported outputs do not match the contract's outputs and are not used.")
        for number, entry in matched:
            current = contract.data[side][number]
            name = f"{side}[{number}]"
            new, conflicts = _select_changes(current, entry, over=over)
            if new:
                changes[side, number] = new
            filled += [f"{name}.{key}" for key in new]
            different += [compare_keys(name, keys, current, entry) for keys in conflicts]
            equal += [compare_keys(name, keys, current, entry) for keys in _equal_keys(current, entry, conflicts)]
            stored = tuple(key for key in ("dtype", "shape") if _differs(key, current, entry))
            if stored:
                notes.append(f"{compare_keys(name, stored, current, entry)}; the contract's are kept.")
    return FilledContract(set_keys(contract, changes), tuple(filled), tuple(different), tuple(equal), tuple(notes))


def build_draft(imported: Imported, path: str) -> Contract:
    """Return a contract with only the imported keys. It is a draft, because it was not compared with a model."""
    data: dict[str, Any] = {"model": {"draft": True, "source": imported.source}}
    data |= {"inputs": list(imported.inputs)} if imported.inputs else {}
    data |= {"outputs": list(imported.outputs)} if imported.outputs else {}
    return build_contract(data, path)


def _select_changes(
    current: Mapping[str, Any], entry: Mapping[str, Any], *, over: bool
) -> tuple[dict[str, Any], list[tuple[str, ...]]]:
    """Return the keys to set in an entry, and groups of keys whose imported values have a different effect.

    Mean, std, units and range are one group: the contract keeps all of its values, or gets all of the source's.
    """
    imported = _comparable_part(current, entry)
    normalization = {key: imported[key] for key in NORMALIZATION if key in imported}
    others = {key: value for key, value in imported.items() if key not in normalization}
    conflicts: list[tuple[str, ...]] = [
        (key,) for key, value in others.items() if not _is_compatible(key, current.get(key), value)
    ]
    if not over:
        others = {key: value for key, value in others.items() if (key,) not in conflicts}
    new = {key: _missing_part(key, current.get(key), value) for key, value in others.items()}
    opposed = conflicting_normalization(current, normalization)
    if opposed:
        conflicts.append(tuple(key for key in NORMALIZATION if key in opposed or key in normalization))
        if over:
            new |= normalization
            if "range" in current and "range" not in normalization:
                new["range"] = default_range(normalization.get("units", current.get("units", "u8")))
    elif "mean" not in current or "mean" not in normalization:  # otherwise the contract's has the same effect
        new |= normalization
    return {key: value for key, value in new.items() if value != {} and current.get(key) != value}, conflicts


def _comparable_part(current: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the imported keys without those that carry no information and those that belong to the model."""
    return {key: value for key, value in entry.items() if _is_specific(key, value) and not _is_model_key(key, current)}


def _equal_keys(
    current: Mapping[str, Any], entry: Mapping[str, Any], conflicts: Sequence[tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """Return groups of keys that both sides have, with different values of the same effect."""
    imported = _comparable_part(current, entry)
    differing = {key for keys in conflicts for key in keys}
    groups: list[tuple[str, ...]] = [(key,) for key in imported if key not in NORMALIZATION]
    groups.append(tuple(key for key in NORMALIZATION if key in imported))
    return [
        keys
        for keys in groups
        if not differing.intersection(keys)
        and any(_has_other_value(key, current.get(key), imported[key]) for key in keys)
        and all(key in current for key in keys if key != "range")
    ]


def _has_other_value(key: str, own: Any, value: Any) -> bool:
    """Return whether two known values differ, or for tables, whether a key that both have differs."""
    if isinstance(own, Mapping) and isinstance(value, Mapping):
        return any(own.get(name, inner) != inner for name, inner in value.items())
    return own is not None and own != value and _is_specific(key, own)


def _differs(key: str, current: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    return key in current and key in entry and current[key] != entry[key]


def _is_specific(key: str, value: Any) -> bool:
    """Return whether an imported value has information. The kind `raw` does not: it means that the kind is unknown."""
    return not (key == "kind" and value == "raw")


def _is_model_key(key: str, current: Mapping[str, Any]) -> bool:
    return key in _MODEL_KEYS and key in current


def _is_compatible(key: str, own: Any, value: Any) -> bool:
    """Return whether an imported value can be set without losing information of the contract.

    The kind `raw` may be replaced: it means that the kind is unknown.
    """
    return own is None or is_same_value(key, own, value) or (key == "kind" and own == "raw")


def _missing_part(key: str, own: Any, value: Any) -> Any:
    """Return the value to set. For a table, return its new keys and those with a different effect."""
    if isinstance(own, Mapping) and isinstance(value, Mapping):
        conflicts = conflicting_keys(own, value)
        return {name: inner for name, inner in value.items() if name not in own or name in conflicts}
    return own if own is not None and is_same_value(key, own, value) else value


# -- matching entries --------------------------------------------------------------------------------------------------


def _match_entries(
    contract: Contract, side: str, entries: Sequence[Mapping[str, Any]], chosen: str | None
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield each imported entry with the number of the matching entry of the contract."""
    own = contract.entries(side.removesuffix("s"))
    if chosen is not None:
        if len(entries) != 1:
            raise UserError(f"--input chooses one input, but the source has {len(entries)}", hint="remove --input")
        yield _chosen(own, chosen), entries[0]
    elif entries and not own and side == "inputs":
        raise UserError(f"'{contract.path}' has no inputs to fill", hint="'tflint contract init' drafts [[inputs]]")
    elif len(entries) == 1:
        yield from _single(contract, own, side, entries[0])
    elif entries and own:
        yield from _several(contract, own, side, entries)


def _chosen(own: Sequence[Mapping[str, Any]], chosen: str) -> int:
    matches = [k for k, entry in enumerate(own) if chosen in (entry.get("name"), str(entry.get("index", k)))]
    if len(matches) != 1:
        raise UserError(f"the contract has no input '{chosen}'", hint=f"its inputs are {_names(own)}")
    return matches[0]


def _single(
    contract: Contract, own: Sequence[Mapping[str, Any]], side: str, entry: Mapping[str, Any]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the imported entry with the contract's only entry, or with its only entry of the same kind."""
    alike = [k for k, other in enumerate(own) if other.get("kind") == entry.get("kind")]
    if len(own) == 1:
        yield 0, entry
    elif len(alike) == 1:
        yield alike[0], entry
    elif side == "inputs":
        raise UserError(
            f"'{contract.path}' has {len(own)} inputs, but the source describes one",
            hint=f"choose one with --input: {_names(own)}",
        )


def _names(own: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(str(entry.get("name", entry.get("index", k))) for k, entry in enumerate(own))


def _several(
    contract: Contract, own: Sequence[Mapping[str, Any]], side: str, entries: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield each imported entry with the contract's entry of the same name, or of the same index if it has no name."""
    places = {("name", other["name"]): k for k, other in enumerate(own) if "name" in other}
    places |= {("index", other.get("index", k)): k for k, other in enumerate(own)}
    for entry in entries:
        key = "name" if "name" in entry else "index"
        place = places.get((key, entry[key]))
        if place is None:
            raise UserError(
                f"'{contract.path}' has no {side.removesuffix('s')} '{entry[key]}'",
                hint=f"its {side} are {_names(own)}; a conversion may rename them: copy the imported keys manually",
            )
        yield place, entry
