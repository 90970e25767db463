"""Builds errors that point to a line of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tflint.config.config import Config
from tflint.errors import UserError
from tflint.userfiles import userfile
from tflint.userfiles.userfile import load_toml, read_text

#: Keys and indices from the root of the configuration, such as ("select", 2).
Keys = tuple[str | int, ...]


def prefix_of(path: str | Path) -> Keys:
    """Return the keys of the table that holds the configuration: tool.tflint in `pyproject.toml`, else no keys."""
    return ("tool", "tflint") if Path(path).name == "pyproject.toml" else ()


def error_in(
    path: str, text: str, keys: Keys, message: str, *, hint: str = "", is_about_key: bool = False
) -> UserError:
    """Return an error at the value of these keys in the configuration, or at the last key if `is_about_key` is true."""
    return userfile.error_in(path, text, (*prefix_of(path), *keys), message, hint=hint, is_about_key=is_about_key)


def add_config_place(error: UserError, config: Config, keys: Keys, value: str) -> UserError:
    """Return the error with the position of these keys in the configuration.

    If the value of these keys is not `value`, return the error unchanged: `value` then comes from the command line,
    which overrides the configuration.
    """
    if not config.origin:
        return error
    try:
        text = read_text(config.origin)
        current: Any = load_toml(config.origin, text)
        for key in (*prefix_of(config.origin), *keys):
            current = current[key]
    except (UserError, LookupError, TypeError):
        return error
    is_about_key = keys[-1] == value
    if not is_about_key and current != value:
        return error
    return error_in(config.origin, text, keys, error.message, hint=error.hint, is_about_key=is_about_key)
