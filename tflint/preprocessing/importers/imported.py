"""What an import gives: entries of a contract, and what they leave out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tflint.values import frozen


@frozen
class Imported:
    """Entries for a contract's `inputs` and `outputs`, under the keys of its schema.

    A single entry has no name where the source gives none; of several each has a name or an index. `source` is what
    was read, in a few words. `unsaid` has a sentence for whatever the source says and a contract cannot hold, and for
    what it leaves open.
    """

    inputs: tuple[Mapping[str, Any], ...]
    outputs: tuple[Mapping[str, Any], ...]
    source: str
    unsaid: tuple[str, ...]
