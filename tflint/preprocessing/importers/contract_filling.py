"""Puts what was imported into a contract: into the entries it is about, and over nothing that a person wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tflint.contract import Contract
from tflint.contract.contract_edit import build_contract, set_keys
from tflint.errors import UserError
from tflint.preprocessing.importers.imported import Imported
from tflint.values import frozen

#: How an entry is found, and what a conversion may change: a contract that has them keeps them without a word.
_OF_THE_MODEL = ("name", "index", "dtype", "shape")
#: Keys that only mean something together.
_TOGETHER = ("mean", "std", "units", "range")


@frozen
class Filled:
    """A contract with what was imported; `filled` and `kept` name keys, such as `inputs[0].mean`.

    Kept are values of the contract that are others than the imported ones. `left` has sentences on what was left out.
    """

    contract: Contract
    filled: tuple[str, ...]
    kept: tuple[str, ...]
    left: tuple[str, ...] = ()


def fill(contract: Contract, imported: Imported, chosen: str | None = None, *, over: bool = False) -> Filled:
    """Set the imported keys that the contract leaves unsaid; with `over`, those that it says otherwise, too.

    `chosen` is the name or the number of the contract's input that a single imported one is about. `UserError` where
    it is not clear which entries belong together.
    """
    done: list[str] = []
    kept: list[str] = []
    left: list[str] = []
    own: list[str] = []
    changes: dict[tuple[str, int], Mapping[str, Any]] = {}
    for side, entries in (("inputs", imported.inputs), ("outputs", imported.outputs)):
        matched = list(_matched(contract, side, entries, chosen if side == "inputs" else None))
        if side == "outputs" and len(matched) < len(entries):
            left.append("Which of the contract's outputs is meant is not clear: what was read of outputs is left out.")
        for number, entry in matched:
            wanted, others = _wanted(contract.data[side][number], entry, over=over)
            if wanted:
                changes[side, number] = wanted
            done += [f"{side}[{number}].{key}" for key in wanted]
            kept += [f"{side}[{number}].{key}" for key in others]
            here = contract.data[side][number]
            own += [f"{side}[{number}].{key}" for key in ("dtype", "shape") if _is_other(key, here, entry)]
    if own:
        left.append(f"{', '.join(own)}: the source has another, and the model's own stays.")
    return Filled(set_keys(contract, changes), tuple(done), tuple(kept), tuple(left))


def build_draft(imported: Imported, path: str) -> Contract:
    """A contract of what was imported and nothing else: a draft, since no model confirmed it."""
    data: dict[str, Any] = {"model": {"draft": True, "source": imported.source}}
    data |= {"inputs": list(imported.inputs)} if imported.inputs else {}
    data |= {"outputs": list(imported.outputs)} if imported.outputs else {}
    return build_contract(data, path)


def _wanted(here: Mapping[str, Any], entry: Mapping[str, Any], *, over: bool) -> tuple[dict[str, Any], list[str]]:
    """What is to be set in an entry, and which of its keys say something else: of keys that only mean something
    together, all are kept where one is.
    """
    said = {key: value for key, value in entry.items() if _says_something(key, value) and not _is_own(key, here)}
    differing = [] if over else [key for key, value in said.items() if not _agree(key, here.get(key), value)]
    if "range" in here and "range" not in said and "mean" in said:
        differing += ["range"]  # mean and std are of another source, whoever is right
    kept = [key for key in said if any(key in _fellows(other) for other in differing)]
    wanted = {key: _new(here.get(key), value) for key, value in said.items() if key not in kept}
    return {key: value for key, value in wanted.items() if here.get(key) != value}, differing


def _is_other(key: str, here: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """Whether a contract has another value than the imported one."""
    return key in here and key in entry and here[key] != entry[key]


def _fellows(key: str) -> tuple[str, ...]:
    return _TOGETHER if key in _TOGETHER else (key,)


def _says_something(key: str, value: Any) -> bool:
    """Whether an imported value is one: raw is the kind of what nobody knows more of."""
    return not (key == "kind" and value == "raw")


def _is_own(key: str, here: Mapping[str, Any]) -> bool:
    """Whether a key is one of the model's, which a contract keeps as it has it."""
    return key in _OF_THE_MODEL and key in here


def _agree(key: str, own: Any, value: Any) -> bool:
    """Whether a contract's value leaves room for an imported one: of a raw input nothing is said yet."""
    if isinstance(own, Mapping) and isinstance(value, Mapping):
        return all(own.get(name, inner) == inner for name, inner in value.items())
    return own is None or own == value or (key == "kind" and own == "raw")


def _new(own: Any, value: Any) -> Any:
    """A value to set; of a table only what it has not."""
    if isinstance(own, Mapping) and isinstance(value, Mapping):
        return {name: inner for name, inner in value.items() if own.get(name) != inner}
    return value


# -- which entries belong together -------------------------------------------------------------------------------------


def _matched(
    contract: Contract, side: str, entries: Sequence[Mapping[str, Any]], chosen: str | None
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Imported entries with the numbers of the contract's that they are about."""
    own = contract.entries(side.removesuffix("s"))
    if chosen is not None:
        if len(entries) != 1:
            raise UserError(f"{len(entries)} inputs were read, and one input is chosen", hint="leave --input out")
        yield _chosen(own, chosen), entries[0]
    elif entries and not own and side == "inputs":
        raise UserError(f"'{contract.path}' has no inputs to fill", hint="'tflint contract init' writes [[inputs]]")
    elif len(entries) == 1:
        yield from _single(contract, own, side, entries[0])
    elif entries and own:
        yield from _several(contract, own, side, entries)


def _chosen(own: Sequence[Mapping[str, Any]], chosen: str) -> int:
    found = [k for k, entry in enumerate(own) if chosen in (entry.get("name"), str(entry.get("index", k)))]
    if len(found) != 1:
        raise UserError(f"the contract has no input '{chosen}'", hint=f"it has {_names(own)}")
    return found[0]


def _single(
    contract: Contract, own: Sequence[Mapping[str, Any]], side: str, entry: Mapping[str, Any]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The one entry, or the only one that is of that kind already."""
    alike = [k for k, other in enumerate(own) if other.get("kind") == entry.get("kind")]
    if len(own) == 1:
        yield 0, entry
    elif len(alike) == 1:
        yield alike[0], entry
    elif side == "inputs":
        raise UserError(
            f"'{contract.path}' has {len(own)} inputs, and what was read is about one",
            hint=f"--input chooses one of {_names(own)}",
        )


def _names(own: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(str(entry.get("name", entry.get("index", k))) for k, entry in enumerate(own))


def _several(
    contract: Contract, own: Sequence[Mapping[str, Any]], side: str, entries: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Entries of the same names; of the same numbers where names are not given."""
    places = {("name", other["name"]): k for k, other in enumerate(own) if "name" in other}
    places |= {("index", other.get("index", k)): k for k, other in enumerate(own)}
    for entry in entries:
        key = "name" if "name" in entry else "index"
        place = places.get((key, entry[key]))
        if place is None:
            raise UserError(
                f"'{contract.path}' has no {side.removesuffix('s')} '{entry[key]}'",
                hint=f"it has {_names(own)}; names change when a model is converted: copy what is meant by hand",
            )
        yield place, entry
