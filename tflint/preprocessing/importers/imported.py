"""The result of an import: contract entries, and notes about what they do not contain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tflint.values import frozen


@frozen
class Imported:
    """Entries for a contract's `inputs` and `outputs`, with the keys of its schema.

    A single entry may have no name; of several, each has a name or an index. `source` describes the source in a few
    words. `notes` has a sentence for each setting that a contract cannot express or that the source does not specify.
    """

    inputs: tuple[Mapping[str, Any], ...]
    outputs: tuple[Mapping[str, Any], ...]
    source: str
    notes: tuple[str, ...]
