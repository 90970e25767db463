"""Checks a user's data against one of tflint's schemas, and raises one error in words of the file where it fails.

A file that is valid pays for `verdict` only: what explains an invalid one is imported when there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tflint.userfiles.schema_check import is_valid


def check(
    data: object,
    schema: Mapping[str, Any],
    *,
    path: str,
    text: str | None = None,
    what: str = "rule file",
    prefix: tuple[str | int, ...] = (),
) -> None:
    """Raises `UserError` if `data`, parsed from the file `path`, does not satisfy `schema`.

    `text` is the file's TOML, for line and column; without it (JSON) the message names the path in the data. `what` is
    the word for the file. `prefix` is where `data` lies in the text, such as ("tool", "tflint").
    """
    if is_valid(data, schema):
        return
    from tflint.userfiles.schema_diagnosis import diagnose

    raise diagnose(data, schema, path, text, what, prefix)
