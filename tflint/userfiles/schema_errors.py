"""Validates data against one of tflint's schemas. If the data is invalid, raises one error in terms of the file.

`schema_check` validates the data. The modules that explain errors are imported only if the data is invalid.
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
    """Raise `UserError` if `data`, parsed from the file `path`, does not satisfy `schema`.

    `text` is the TOML text, from which the error gets its line and column. For JSON, `text` is None, and the message
    contains the path in the data instead. `what` is the name of the kind of file in messages. `prefix` are the keys of
    the table in the text that holds `data`, such as ("tool", "tflint").
    """
    if is_valid(data, schema):
        return
    from tflint.userfiles.schema_diagnosis import diagnose

    raise diagnose(data, schema, path, text, what, prefix)
