"""Writes values into a contract's text and leaves the rest of it as a person wrote it; guesses on these keys go.

The work on the text is done by `tomlkit` (extra `write`), which is imported when it is first needed. What it gives is
read again: the contract must hold what was asked for and nothing else that is new.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableMapping
from typing import Any

from tflint.contract.contract import Contract
from tflint.contract.load import parse_contract
from tflint.errors import MissingExtraError

#: What begins a line that nobody confirmed.
GUESS = "# guess: "


def filled(contract: Contract, side: str, number: int, values: Mapping[str, Any]) -> Contract:
    """A contract with keys of one of its inputs (or outputs) set; a table sets its own keys one by one.

    `side` is inputs or outputs. Guesses on the keys are taken out of that entry.
    """
    text = _without_guesses(contract.text, side, number, set(values))
    document = _tomlkit().parse(text)
    entry = document[side][number]
    for key, value in values.items():
        _set(entry, key, value)
    written = document.as_string()
    if "\r\n" in contract.text:  # new lines end as the others do
        written = written.replace("\r\n", "\n").replace("\n", "\r\n")
    made = parse_contract(written, contract.path)
    wanted = copy.deepcopy(dict(contract.data))
    _set_plain(wanted[side][number], values)
    assert made.data == wanted, "the text says something else than what was asked for"
    return made


def written(data: Mapping[str, Any], path: str) -> Contract:
    """A contract of some data; `path` is what errors and reports call it."""
    tomlkit = _tomlkit()
    document = tomlkit.document()
    for name, value in data.items():
        if isinstance(value, Mapping):
            document[name] = value
            continue
        document[name] = tomlkit.aot()
        for entry in value:
            table = tomlkit.table()
            for key, inner in entry.items():
                _set(table, key, inner)
            document[name].append(table)
    return parse_contract(document.as_string().replace("\n[[", "\n\n[["), path)


def _tomlkit() -> Any:
    try:
        import tomlkit
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "tomlkit":
            raise
        raise MissingExtraError("write", "tomlkit", "writing into a contract") from None
    return tomlkit


def _set(entry: Any, key: str, value: Any) -> None:
    tomlkit = _tomlkit()
    if not isinstance(value, Mapping):
        entry[key] = value
    elif key in entry and not isinstance(entry[key], tomlkit.items.InlineTable):
        for name, inner in value.items():
            entry[key][name] = inner
    else:
        table = tomlkit.inline_table()
        table.update({**entry.get(key, {}), **value})
        entry[key] = table


def _set_plain(entry: MutableMapping[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        entry[key] = {**entry.get(key, {}), **value} if isinstance(value, Mapping) else value


def _without_guesses(text: str, side: str, number: int, keys: set[str]) -> str:
    """The text without lines of guesses on some keys, in the one entry."""
    kept, seen, is_inside = [], -1, False
    for line in text.splitlines(keepends=True):
        if line.startswith("[["):
            is_inside = line.startswith(f"[[{side}]]")
            seen += is_inside
        guessed = line.removeprefix(GUESS).split("=")[0].strip() if line.startswith(GUESS) else ""
        if not (is_inside and seen == number and guessed in keys):
            kept.append(line)
    return "".join(kept)
