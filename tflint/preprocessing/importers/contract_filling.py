"""Adds imported keys to the matching entries of a contract, without overwriting existing values by default."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tflint.contract import Contract
from tflint.contract.contract_edit import build_contract, set_keys
from tflint.errors import UserError
from tflint.preprocessing.importers.imported import Imported
from tflint.values import frozen

#: Keys that identify an entry, or whose values a conversion may change. The values in the contract take precedence.
_MODEL_KEYS = ("name", "index", "dtype", "shape")
#: Keys that are only meaningful together.
_TOGETHER = ("mean", "std", "units", "range")


@frozen
class FilledContract:
    """A contract with imported keys.

    `filled` are the keys that were set, such as `inputs[0].mean`. `kept` are the keys whose values in the contract were
    kept, although the imported values differ. `notes` are sentences about what was not imported.
    """

    contract: Contract
    filled: tuple[str, ...]
    kept: tuple[str, ...]
    notes: tuple[str, ...] = ()


def fill(contract: Contract, imported: Imported, chosen: str | None = None, *, over: bool = False) -> FilledContract:
    """Set the imported keys that the contract does not have. With `over`, also replace values that differ.

    If a single input is imported, `chosen` may be the name or index of the contract's input to fill. Raises `UserError`
    if imported inputs cannot be matched with those of the contract.
    """
    filled: list[str] = []
    kept: list[str] = []
    notes: list[str] = []
    differing: list[str] = []
    changes: dict[tuple[str, int], Mapping[str, Any]] = {}
    for side, entries in (("inputs", imported.inputs), ("outputs", imported.outputs)):
        matched = list(_match_entries(contract, side, entries, chosen if side == "inputs" else None))
        if side == "outputs" and len(matched) < len(entries):
            notes.append("The imported outputs do not match the contract's outputs and are not used.")
        for number, entry in matched:
            current = contract.data[side][number]
            new, conflicts = _select_changes(current, entry, over=over)
            if new:
                changes[side, number] = new
            filled += [f"{side}[{number}].{key}" for key in new]
            kept += [f"{side}[{number}].{key}" for key in conflicts]
            differing += [f"{side}[{number}].{key}" for key in ("dtype", "shape") if _differs(key, current, entry)]
    if differing:
        notes.append(f"The source has different values for {', '.join(differing)}; the contract's are kept.")
    return FilledContract(set_keys(contract, changes), tuple(filled), tuple(kept), tuple(notes))


def build_draft(imported: Imported, path: str) -> Contract:
    """Return a contract with only the imported keys. It is a draft, because it was not compared with a model."""
    data: dict[str, Any] = {"model": {"draft": True, "source": imported.source}}
    data |= {"inputs": list(imported.inputs)} if imported.inputs else {}
    data |= {"outputs": list(imported.outputs)} if imported.outputs else {}
    return build_contract(data, path)


def _select_changes(
    current: Mapping[str, Any], entry: Mapping[str, Any], *, over: bool
) -> tuple[dict[str, Any], list[str]]:
    """Return the keys to set in an entry, and the keys whose imported values differ from those in the contract.

    If one of several related keys differs, the contract's values of all of them are kept.
    """
    imported = {
        key: value for key, value in entry.items() if _is_specific(key, value) and not _is_model_key(key, current)
    }
    conflicts = (
        [] if over else [key for key, value in imported.items() if not _is_compatible(key, current.get(key), value)]
    )
    if "range" in current and "range" not in imported and "mean" in imported:
        conflicts += ["range"]  # the imported mean and std apply to the default range of the source
    kept = [key for key in imported if any(key in _related_keys(other) for other in conflicts)]
    new = {key: _missing_part(current.get(key), value) for key, value in imported.items() if key not in kept}
    return {key: value for key, value in new.items() if current.get(key) != value}, conflicts


def _differs(key: str, current: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    return key in current and key in entry and current[key] != entry[key]


def _related_keys(key: str) -> tuple[str, ...]:
    return _TOGETHER if key in _TOGETHER else (key,)


def _is_specific(key: str, value: Any) -> bool:
    """Return whether an imported value has information. The kind `raw` does not: it means that the kind is unknown."""
    return not (key == "kind" and value == "raw")


def _is_model_key(key: str, current: Mapping[str, Any]) -> bool:
    return key in _MODEL_KEYS and key in current


def _is_compatible(key: str, own: Any, value: Any) -> bool:
    """Return whether an imported value can be set without losing information of the contract.

    The kind `raw` may be replaced: it means that the kind is unknown.
    """
    if isinstance(own, Mapping) and isinstance(value, Mapping):
        return all(own.get(name, inner) == inner for name, inner in value.items())
    return own is None or own == value or (key == "kind" and own == "raw")


def _missing_part(own: Any, value: Any) -> Any:
    """Return the value to set. For a table, return only its new and changed keys."""
    if isinstance(own, Mapping) and isinstance(value, Mapping):
        return {name: inner for name, inner in value.items() if own.get(name) != inner}
    return value


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
