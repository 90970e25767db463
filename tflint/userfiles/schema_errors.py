"""Validates data against one of tflint's schemas and raises one error in terms of the file.

Valid data only needs `schema_check`; the modules that explain errors are imported on demand.
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

    `text` is the TOML text, for line and column; without it (JSON), the message contains the path in the data. `what`
    is the kind of file in messages. `prefix` are the keys of `data` in the text, such as ("tool", "tflint").
    """
    if is_valid(data, schema):
        return
    from tflint.userfiles.schema_diagnosis import diagnose

    raise diagnose(data, schema, path, text, what, prefix)
