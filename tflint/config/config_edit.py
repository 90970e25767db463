"""Adds a suppression to the text of a configuration: every character that is there stays as it is.

Takes text and gives text; refuses to know files. What it made is parsed again and compared before anybody gets it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from tflint.config.config_positions import error_in, prefix_of
from tflint.errors import Place, UserError
from tflint.userfiles.toml_strings import quoted
from tflint.userfiles.userfile import load_toml


def with_allow(path: str, text: str, entry: Mapping[str, str]) -> str:
    """The text of a configuration with one more [[allow]] at its end.

    `path` names the file: in `pyproject.toml` the entry goes below tool.tflint. Raises `UserError` where nothing can
    be appended, such as to an array that stands in one pair of brackets.
    """
    longer = text + _separator(text) + _written(entry, prefix_of(path)).replace("\n", _line_end(text))
    require_added(path, text, longer, entry)
    return longer


def require_added(path: str, before: str, after: str, entry: Mapping[str, str]) -> None:
    """`UserError` where the data of a configuration is not what it was with the entry added, and nothing else."""
    prefix = prefix_of(path)
    expected = copy.deepcopy(load_toml(path, before))
    section: Any = expected
    for key in prefix:
        section = section.setdefault(key, {})
    section.setdefault("allow", []).append(dict(entry))
    try:
        found = load_toml(path, after)
    except UserError:
        raise _closed(path, before) from None
    # Compared as text: what other tools keep in the file may be NaN, which does not equal itself.
    if repr(found) != repr(expected):
        raise UserError("an entry cannot be added without changing what else it says", place=Place(path))


def _quoted(value: str) -> str:
    """A text as a TOML string on one line. `UserError` if it holds half a character, which TOML cannot."""
    try:
        return quoted(value)
    except UnicodeEncodeError:
        shown = value.encode("utf-8", "backslashreplace").decode()
        hint = "in a path, a ? can stand for each of these characters"
        raise UserError(f"'{shown}' is no Unicode text, and TOML holds no other", hint=hint) from None


def _written(entry: Mapping[str, str], prefix: tuple[str | int, ...]) -> str:
    header = ".".join([*map(str, prefix), "allow"])
    return "".join([f"[[{header}]]\n", *(f"{key} = {_quoted(value)}\n" for key, value in entry.items())])


def _separator(text: str) -> str:
    """What ends the last line where nothing does, and leaves one line empty."""
    end = _line_end(text)
    if not text or text.endswith(end + end):
        return ""
    return end if text.endswith("\n") else end + end


def _line_end(text: str) -> str:
    """How the last line of a text ends."""
    return "\r\n" if text[: text.rfind("\n") + 1].endswith("\r\n") else "\n"


def _closed(path: str, text: str) -> UserError:
    """Why TOML refuses the entry: an array or table in brackets, at its place."""
    data: Any = load_toml(path, text)
    keys: tuple[str | int, ...] = ()
    for key in prefix_of(path):
        data = data.get(key, {})
    if "allow" in data:
        keys = ("allow",)
        hint = f"write each of its entries as a table [[{'.'.join(map(str, (*prefix_of(path), 'allow')))}]]"
        return error_in(path, text, keys, "nothing can be appended to an array in brackets", hint=hint)
    hint = f"write it as a table [{'.'.join(map(str, prefix_of(path)))}]"
    return error_in(path, text, keys, "nothing can be appended to a table in braces", hint=hint)
