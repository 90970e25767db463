"""Reads and validates contracts. Every problem raises a `UserError` with the position of the problem."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tflint.contract.contract import N_CHANNELS, Contract, ContractProblem, Keys
from tflint.errors import Place, UserError
from tflint.findings import TextSpan
from tflint.findings.suppressions import Allow, parse_allow, require_few_globs
from tflint.resources import json_schema
from tflint.userfiles.schema_errors import check
from tflint.userfiles.userfile import error_in, load_toml, read_text
from tflint.values import EMPTY


def load_contract(path: str) -> Contract:
    """Read a contract. Raises `UserError`, with the position of the problem, if the contract is invalid."""
    return parse_contract(read_text(path), path)


def parse_contract(text: str, path: str) -> Contract:
    """Parse the text of a contract. `path` is its path in errors and reports.

    Raises `UserError`, with the position of the problem, if the contract is invalid.
    """
    data = load_toml(path, text)
    check(data, json_schema("contract"), path=path, text=text, what="contract")
    _require_finite(data, path, text)
    for side in ("inputs", "outputs"):
        _require_findable(data.get(side, ()), side, path, text)
    for number, entry in enumerate(data.get("inputs", ())):
        _require_channels(entry, number, path, text)
    return Contract(path, text, data, _allows(data.get("allow", ()), path, text))


def invalid_contract(path: str, error: UserError) -> Contract:
    """Return a contract that stands for one that cannot be read or is invalid; `error` says why."""
    place = error.place or Place(path)
    line, column = place.line or 1, place.column or 1
    span = TextSpan(line, column, line, column + error.width if place.column else column)
    # The messages of some errors continue the path that is printed before them: "is not UTF-8".
    subject = "the contract " if error.message.startswith(("is ", "has ", "starts ", "cannot ")) else ""
    hint = f" (hint: {error.hint})" if error.hint else ""
    return Contract(path, "", EMPTY, problem=ContractProblem(f"{subject}{error.message}{hint}", span))


def _require_finite(data: Any, path: str, text: str) -> None:
    """Raise `UserError` for nan and inf, which TOML allows but contracts do not."""
    for keys, value in _leaves(data, ()):
        if isinstance(value, float) and not math.isfinite(value):
            from tflint.userfiles.error_wording import format_path

            start = max(at for at, key in enumerate(keys) if isinstance(key, str))  # mean[0] is an element of mean
            raise error_in(path, text, keys, f"'{format_path(keys[start:])}' must be a finite number")


def _leaves(data: Any, keys: Keys) -> Iterator[tuple[Keys, Any]]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _leaves(value, (*keys, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _leaves(value, (*keys, number))
    else:
        yield keys, data


def _require_findable(entries: Any, side: str, path: str, text: str) -> None:
    """Raise `UserError` if an entry does not identify its input or output, or two entries identify the same one.

    An entry needs a name or an index, unless it is the only one.
    """
    identities: set[tuple[str, Any]] = set()
    for number, entry in enumerate(entries):
        if "name" in entry and "index" in entry:
            message = f"{side}[{number}] has both a name and an index"
            raise error_in(path, text, (side, number, "index"), message, hint="remove one of them", is_about_key=True)
        key = next((key for key in ("name", "index") if key in entry), "")
        if not key and len(entries) > 1:
            message = f"{side}[{number}] does not specify which of the model's {side} it describes"
            hint = 'add name = "…" or index = …'
            raise error_in(path, text, (side, number), message, hint=hint, is_about_key=True)
        if (key, entry.get(key)) in identities:
            from tflint.userfiles.error_wording import show

            message = f"{side} has several entries with {key} = {show(entry[key])}"
            raise error_in(path, text, (side, number, key), message)
        identities.add((key, entry.get(key)))


def _require_channels(entry: Mapping[str, Any], number: int, path: str, text: str) -> None:
    """Raise `UserError` if two lists with a number per channel have different lengths.

    A single number applies to all channels.
    """
    lengths = {"channels": N_CHANNELS[entry["channels"]]} if "channels" in entry else {}
    for keys in (("mean",), ("std",), ("observed", "min"), ("observed", "max"), ("padding", "value")):
        value: Any = entry
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        if not isinstance(value, list) or len(value) == 1:
            continue
        for other, length in lengths.items():
            if length != len(value):
                message = f"'{'.'.join(keys)}' has {len(value)} numbers, '{other}' has {length}"
                hint = "specify one number for all channels, or one per channel"
                raise error_in(path, text, ("inputs", number, *keys), message, hint=hint)
        lengths[".".join(keys)] = len(value)


def _allows(entries: Sequence[Mapping[str, Any]], path: str, text: str) -> tuple[Allow, ...]:
    def error_for(number: int, message: str) -> UserError:
        hint = "replace several entries by one glob: 'block_*/bias'"
        return error_in(path, text, ("allow", number, "at"), message, hint=hint)

    allows = tuple(_allow(entry, number, path, text) for number, entry in enumerate(entries))
    require_few_globs(allows, error_for)
    return allows


def _allow(entry: Mapping[str, Any], number: int, path: str, text: str) -> Allow:
    def error_for(message: str) -> UserError:
        return error_in(path, text, ("allow", number, "until"), message, hint="YYYY-MM-DD")

    return parse_allow(entry, f"{path}: allow {number + 1}", error_for)
