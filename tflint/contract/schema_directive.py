"""The first line of contracts and configurations that tflint writes: it names the JSON schema for editors."""

from __future__ import annotations

import os
from pathlib import Path

from tflint.source.checkout_boundary import boundary_of


def schema_file_name(name: str) -> str:
    """Return the name of the file to which users write a schema, such as `contract`."""
    return f"tflite-lint.{name}.schema.json"


def schema_directive(name: str, folder: str | Path) -> str:
    """Return the line for a file in a folder, such as `#:schema tflite-lint.contract.schema.json`.

    The path is that of the nearest schema file in the folder or above it, within the checkout. If there is none, it is
    that of a schema file in the folder, which the user can write.
    """
    file = schema_file_name(name)
    here = Path(os.path.abspath(folder))  # noqa: PTH100 (links stay links)
    boundary = boundary_of(here)
    for depth, parent in enumerate((here, *here.parents)):
        if (parent / file).is_file():
            return f"#:schema {'../' * depth}{file}"
        if parent == boundary:
            break
    return f"#:schema {file}"
