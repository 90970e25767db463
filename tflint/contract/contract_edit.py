"""Sets keys in the text of a contract and removes the guesses about these keys. The rest of the text stays unchanged.

The text is edited with `tomlkit` (extra `contract`), which is imported on first use. The new text is parsed again and
compared with the expected data.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableMapping
from typing import Any

from tflint.contract.contract import Contract
from tflint.contract.contract_loader import parse_contract
from tflint.errors import MissingExtraError, Place, UserError

#: Maximum number of characters of a contract to edit. tomlkit takes 6 seconds to parse 1 MB of columns.
MAX_CHARACTERS = 256 << 10
#: Start of a line with a guess.
GUESS = "# guess: "


def set_keys(contract: Contract, changes: Mapping[tuple[str, int], Mapping[str, Any]]) -> Contract:
    """Return a contract with new values for keys of its inputs and outputs.

    `changes` maps an entry, such as ("inputs", 0), to the new values of its keys. A value that is a table is merged
    with the existing table key by key. Guesses about these keys are removed. Raises `UserError` if the contract is too
    large or cannot be edited automatically.
    """
    if len(contract.text) > MAX_CHARACTERS:
        message = f"has more than {MAX_CHARACTERS:,} characters, the limit for editing a contract"
        raise UserError(message, place=Place(contract.path), hint="add the keys manually")
    text = _remove_guesses(contract.text, {place: set(values) for place, values in changes.items()})
    document = require_tomlkit().parse(text)
    expected = copy.deepcopy(dict(contract.data))
    for (side, number), values in changes.items():
        for key, value in values.items():
            _set(document[side][number], key, value)
        _set_plain(expected[side][number], values)
    new_text = document.as_string()
    if "\r\n" in contract.text:  # keep the line endings
        new_text = new_text.replace("\r\n", "\n").replace("\n", "\r\n")
    edited = parse_contract(new_text, contract.path)
    if edited.data != expected:  # for example, a line that looks like a guess inside of a multi-line string
        raise UserError(f"'{contract.path}' cannot be edited automatically", hint="add the keys manually")
    return edited


def make_comment(text: str) -> str:
    """Make a text safe for a one-line comment in any language: control characters become question marks."""
    return "".join(char if char.isprintable() else "?" for char in text)


def build_contract(data: Mapping[str, Any], path: str) -> Contract:
    """Return a contract with this data. `path` is its path in errors and reports."""
    tomlkit = require_tomlkit()
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


def require_tomlkit() -> Any:
    """Return the module `tomlkit`. Raises `MissingExtraError` if it is not installed."""
    try:
        import tomlkit
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "tomlkit":
            raise
        raise MissingExtraError("contract", "tomlkit", "writing a contract") from None
    return tomlkit


def _set(entry: Any, key: str, value: Any) -> None:
    tomlkit = require_tomlkit()
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


def _remove_guesses(text: str, keys: Mapping[tuple[str, int], set[str]]) -> str:
    """Return the text without the guesses about `keys`, which maps an entry to the names of its keys."""
    lines: list[str] = []
    n_entries: dict[str, int] = {}
    entry = ("", 0)
    for line in text.splitlines(keepends=True):
        if line.startswith("[["):
            side = line[2:].split("]")[0].strip()
            entry = (side, n_entries.get(side, 0))
            n_entries[side] = entry[1] + 1
        key = line.removeprefix(GUESS).split("=")[0].strip() if line.startswith(GUESS) else ""
        if key not in keys.get(entry, ()):
            lines.append(line)
    return "".join(lines)
