"""Writes values into a contract's text and leaves the rest of it as a person wrote it; guesses on these keys go.

The work on the text is done by `tomlkit` (extra `write`), which is imported when it is first needed. What it gives is
read again: the contract must hold what was asked for and nothing else that is new.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableMapping
from typing import Any

from tflint.contract.contract import Contract
from tflint.contract.contract_loader import parse_contract
from tflint.errors import MissingExtraError, Place, UserError

#: Most characters of a contract that is changed: tomlkit reads 1 MB of columns in 6 seconds.
MAX_CHARACTERS = 256 << 10
#: What begins a line that nobody confirmed.
GUESS = "# guess: "


def filled(contract: Contract, changes: Mapping[tuple[str, int], Mapping[str, Any]]) -> Contract:
    """A contract with keys of some of its inputs and outputs set; a table sets its own keys one by one.

    `changes` leads from an entry, such as ("inputs", 0), to its new values. Guesses on these keys are taken out of the
    entry. `UserError` where the text is written in a way that cannot be changed.
    """
    if len(contract.text) > MAX_CHARACTERS:
        message = f"has more than {MAX_CHARACTERS:,} characters, the most of a contract that is changed here"
        raise UserError(message, place=Place(contract.path), hint="add the keys by hand")
    text = _without_guesses(contract.text, {place: set(values) for place, values in changes.items()})
    document = _tomlkit().parse(text)
    wanted = copy.deepcopy(dict(contract.data))
    for (side, number), values in changes.items():
        for key, value in values.items():
            _set(document[side][number], key, value)
        _set_plain(wanted[side][number], values)
    written = document.as_string()
    if "\r\n" in contract.text:  # new lines end as the others do
        written = written.replace("\r\n", "\n").replace("\n", "\r\n")
    made = parse_contract(written, contract.path)
    if made.data != wanted:  # such as a guess in the middle of a string of several lines
        raise UserError(
            f"'{contract.path}' is written in a way that cannot be changed here", hint="add the keys by hand"
        )
    return made


def comment(text: str) -> str:
    """A text that a comment can hold, of any language: a line without control characters."""
    return "".join(char if char.isprintable() else "?" for char in text)


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


def _without_guesses(text: str, keys: Mapping[tuple[str, int], set[str]]) -> str:
    """The text without lines of guesses on some keys of some entries."""
    kept: list[str] = []
    seen: dict[str, int] = {}
    place = ("", 0)
    for line in text.splitlines(keepends=True):
        if line.startswith("[["):
            side = line[2:].split("]")[0].strip()
            place = (side, seen.get(side, 0))
            seen[side] = place[1] + 1
        guessed = line.removeprefix(GUESS).split("=")[0].strip() if line.startswith(GUESS) else ""
        if guessed not in keys.get(place, ()):
            kept.append(line)
    return "".join(kept)
