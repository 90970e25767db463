"""Adds a suppression to the text of a configuration without changing the existing text.

The functions take and return text, and must not read or write files. The new text is parsed and compared with the old
one before it is returned.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from tflint.config.config_positions import error_in, prefix_of
from tflint.errors import Place, UserError
from tflint.userfiles.toml_strings import quote
from tflint.userfiles.userfile import load_toml


def add_allow(path: str, text: str, entry: Mapping[str, str]) -> str:
    """Return the text of a configuration with an [[allow]] entry appended.

    `path` is the path of the configuration. In `pyproject.toml`, the entry is added to the table tool.tflint. Raises
    `UserError` if TOML does not allow the entry to be appended, for example if `allow` is an inline array.
    """
    longer = text + _separator(text) + _render_entry(entry, prefix_of(path)).replace("\n", _line_end(text))
    require_added(path, text, longer, entry)
    return longer


def require_added(path: str, before: str, after: str, entry: Mapping[str, str]) -> None:
    """Raise `UserError` unless the only difference between two configurations is the added entry."""
    prefix = prefix_of(path)
    expected = copy.deepcopy(load_toml(path, before))
    section: Any = expected
    for key in prefix:
        section = section.setdefault(key, {})
    section.setdefault("allow", []).append(dict(entry))
    try:
        actual = load_toml(path, after)
    except UserError:
        raise _explain_refusal(path, before) from None
    # The settings are compared as text: those of other tools may be NaN, which does not equal itself.
    if repr(actual) != repr(expected):
        raise UserError("the entry cannot be added without changing other settings", place=Place(path))


def _quote(value: str) -> str:
    """Return a text as a TOML string on one line. Raises `UserError` for surrogates, which TOML cannot represent."""
    try:
        return quote(value)
    except UnicodeEncodeError:
        shown = value.encode("utf-8", "backslashreplace").decode()
        hint = "in a path, replace each of these characters by ?"
        raise UserError(f"'{shown}' is not valid Unicode, so TOML cannot represent it", hint=hint) from None


def _render_entry(entry: Mapping[str, str], prefix: tuple[str | int, ...]) -> str:
    header = ".".join([*map(str, prefix), "allow"])
    return "".join([f"[[{header}]]\n", *(f"{key} = {_quote(value)}\n" for key, value in entry.items())])


def _separator(text: str) -> str:
    """Return the newlines to append, so that one empty line precedes the entry."""
    end = _line_end(text)
    if not text or text.endswith(end + end):
        return ""
    return end if text.endswith("\n") else end + end


def _line_end(text: str) -> str:
    r"""Return the line ending of the last complete line: "\n" or "\r\n"."""
    return "\r\n" if text[: text.rfind("\n") + 1].endswith("\r\n") else "\n"


def _explain_refusal(path: str, text: str) -> UserError:
    """Return the error for an inline array or table, to which TOML cannot append an entry."""
    data: Any = load_toml(path, text)
    keys: tuple[str | int, ...] = ()
    for key in prefix_of(path):
        data = data.get(key, {})
    if "allow" in data:
        keys = ("allow",)
        hint = f"write each entry as a table [[{'.'.join(map(str, (*prefix_of(path), 'allow')))}]]"
        return error_in(path, text, keys, "cannot append an entry to an inline array", hint=hint)
    hint = f"write it as a table [{'.'.join(map(str, prefix_of(path)))}]"
    return error_in(path, text, keys, "cannot append an entry to an inline table", hint=hint)
