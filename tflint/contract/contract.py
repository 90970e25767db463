"""The class of a contract: its data, and the position of each key in its text."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tflint.findings import TextSpan
from tflint.findings.suppressions import Allow
from tflint.values import frozen

if TYPE_CHECKING:
    from tflint.userfiles.toml_positions import Span

#: Suffix of the file name of a contract. It follows the stem of the model's file name.
SUFFIX = ".contract.toml"

#: Number of channels by channel order.
N_CHANNELS = {"GRAY": 1, "RGB": 3, "BGR": 3, "YUV": 3, "RGBA": 4, "BGRA": 4}

Keys = tuple[str | int, ...]


def passes_cast_values(entry: Mapping[str, Any]) -> bool:
    """Return whether client code casts the values of an input and passes them without quantizing them.

    A raw feed passes bytes, which a cast does not change.
    """
    return "cast" in entry and "scale" not in entry and entry.get("feed") != "raw"


@functools.lru_cache(maxsize=16)
def _spans(text: str) -> Mapping[Keys, Span]:
    """Return the positions of all keys in the text of a contract. Cached, because every finding needs a position."""
    from tflint.userfiles.toml_positions import locate  # only findings need it

    return locate(text)


@frozen
class ContractProblem:
    """Why a contract cannot be used, and where in the contract the problem is."""

    message: str
    place: TextSpan


@frozen
class Contract:
    """A contract: its path as reports print it, its text, the parsed data, and its suppressions.

    `is_limited` is true if the text has suppressions or targets that do not count. If the contract is invalid,
    `problem` says why, and the contract has neither data nor suppressions.
    """

    path: str
    text: str
    data: Mapping[str, Any]
    allow: tuple[Allow, ...] = ()
    is_limited: bool = False
    problem: ContractProblem | None = None

    @property
    def gap(self) -> str | None:
        """Why the contract leaves the preprocessing of its models unchecked, or None if it describes inputs."""
        if self.problem is not None:
            return "invalid"
        return None if self.inputs else "no-inputs"

    @property
    def inputs(self) -> Sequence[Mapping[str, Any]]:
        """The entries of `[[inputs]]`, in the contract's order."""
        entries: Sequence[Mapping[str, Any]] = self.data.get("inputs", ())
        return entries

    @property
    def outputs(self) -> Sequence[Mapping[str, Any]]:
        """The entries of `[[outputs]]`, in the contract's order."""
        entries: Sequence[Mapping[str, Any]] = self.data.get("outputs", ())
        return entries

    def entries(self, side: str) -> Sequence[Mapping[str, Any]]:
        """Return the entries of a side: "input" or "output"."""
        return self.inputs if side == "input" else self.outputs

    @property
    def model(self) -> Mapping[str, Any]:
        """The table `[model]`: claims about the model file."""
        claims: Mapping[str, Any] = self.data.get("model", {})
        return claims

    def has(self, keys: Keys) -> bool:
        """Return whether the contract has a key."""
        value: Any = self.data
        for key in keys:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return False
        return True

    def place(self, keys: Keys) -> TextSpan:
        """Return the span of a key and its value. For a missing key, return that of the nearest enclosing table.

        For an invalid contract, return the span of its problem.
        """
        if self.problem is not None:
            return self.problem.place
        spans = _spans(self.text)
        while keys and keys not in spans:
            keys = keys[:-1]
        if not keys:
            return TextSpan(1, 1, 1, 1)
        span = spans[keys]
        end = span.value_column + span.value_length if span.value_line == span.line else span.column + span.length
        return TextSpan(span.line, span.column, span.line, end)


def with_decisions_of(contract: Contract, other: Contract | None) -> Contract:
    """Return a contract with the suppressions and targets of another contract, or with none if this is None.

    What a contract claims about a model can only add findings. What it suppresses or targets can hide them, so it must
    not come from a source that is not trusted.
    """
    model = {key: value for key, value in contract.model.items() if key != "targets"}
    if other is not None and "targets" in other.model:
        model["targets"] = other.model["targets"]
    data = {**contract.data, "model": model} if model or "model" in contract.data else contract.data
    allow = other.allow if other is not None else ()
    is_limited = (allow, model.get("targets")) != (contract.allow, contract.model.get("targets"))
    return Contract(contract.path, contract.text, data, allow, is_limited)
