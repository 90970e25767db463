"""A contract as a value: its data, and where each key stands in its text."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tflint.findings import TextSpan
from tflint.findings.suppressions import Allow
from tflint.values import frozen

if TYPE_CHECKING:
    from tflint.userfiles.toml_positions import Span

#: What the name of a contract ends with; before it comes the stem of its model.
SUFFIX = ".contract.toml"

#: Channels of a picture by the name of their order.
N_CHANNELS = {"GRAY": 1, "RGB": 3, "BGR": 3, "YUV": 3, "RGBA": 4, "BGRA": 4}

Keys = tuple[str | int, ...]


@functools.lru_cache(maxsize=16)
def _spans(text: str) -> Mapping[Keys, Span]:
    """Where all keys of a text stand: found once for all findings."""
    from tflint.userfiles.toml_positions import locate  # only findings need it

    return locate(text)


@frozen
class Contract:
    """A contract that satisfies its schema. `path` is what reports call it, `data` what its TOML says."""

    path: str
    text: str
    data: Mapping[str, Any]
    allow: tuple[Allow, ...] = ()

    @property
    def inputs(self) -> Sequence[Mapping[str, Any]]:
        """What it says of inputs, in its order."""
        entries: Sequence[Mapping[str, Any]] = self.data.get("inputs", ())
        return entries

    @property
    def outputs(self) -> Sequence[Mapping[str, Any]]:
        """What it says of outputs, in its order."""
        entries: Sequence[Mapping[str, Any]] = self.data.get("outputs", ())
        return entries

    def entries(self, side: str) -> Sequence[Mapping[str, Any]]:
        """What it says of inputs or of outputs."""
        return self.inputs if side == "input" else self.outputs

    @property
    def model(self) -> Mapping[str, Any]:
        """What it claims of the model."""
        claims: Mapping[str, Any] = self.data.get("model", {})
        return claims

    def has(self, keys: Keys) -> bool:
        """Whether a key is written."""
        found: Any = self.data
        for key in keys:
            try:
                found = found[key]
            except (KeyError, IndexError, TypeError):
                return False
        return True

    def place(self, keys: Keys) -> TextSpan:
        """Where a key stands with its value; of one that is not there, what it would stand in."""
        spans = _spans(self.text)
        while keys and keys not in spans:
            keys = keys[:-1]
        if not keys:
            return TextSpan(1, 1, 1, 1)
        span = spans[keys]
        end = span.value_column + span.value_length if span.value_line == span.line else span.column + span.length
        return TextSpan(span.line, span.column, span.line, end)
