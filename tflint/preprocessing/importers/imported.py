"""The result of an import: contract entries, and notes about settings that are not in the entries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tflint.values import frozen


@frozen
class Imported:
    """Entries for a contract's `inputs` and `outputs`, with the keys of its schema.

    A single entry may have no name. If there are several entries, each has a name or an index. `source` describes the
    source in a few words. `notes` has one sentence per setting that a contract cannot express or the source does not
    specify.
    """

    inputs: tuple[Mapping[str, Any], ...]
    outputs: tuple[Mapping[str, Any], ...]
    source: str
    notes: tuple[str, ...]
