"""Points at the line of the configuration on which something stands that turned out to be wrong."""

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
    """Where in a file the configuration lies: in `pyproject.toml` under tool.tflint."""
    return ("tool", "tflint") if Path(path).name == "pyproject.toml" else ()


def error_in(
    path: str, text: str, keys: Keys, message: str, *, hint: str = "", is_about_key: bool = False
) -> UserError:
    """An error at the value that keys lead to in the configuration, or at the last key itself."""
    return userfile.error_in(path, text, (*prefix_of(path), *keys), message, hint=hint, is_about_key=is_about_key)


def located(error: UserError, config: Config, keys: Keys, value: str) -> UserError:
    """The error at the place that keys lead to; as it is where the value is not the file's: the command line wins."""
    if not config.origin:
        return error
    try:
        text = read_text(config.origin)
        found: Any = load_toml(config.origin, text)
        for key in (*prefix_of(config.origin), *keys):
            found = found[key]
    except (UserError, LookupError, TypeError):
        return error
    is_about_key = keys[-1] == value
    if not is_about_key and found != value:
        return error
    return error_in(config.origin, text, keys, error.message, hint=error.hint, is_about_key=is_about_key)
