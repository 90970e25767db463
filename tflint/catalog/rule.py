"""A rule as a value: what it says, where it applies, what must hold, and what to tell people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tflint.language.expression import Expression, Part
from tflint.values import EMPTY, frozen

#: Category by the first letter of a built-in rule's id.
CATEGORIES = {
    "Q": "quantization",
    "D": "dtype",
    "P": "preprocessing",
    "M": "metadata",
    "K": "signature",
    "G": "graph",
    "O": "operator",
    "T": "target",
    "S": "size",
    "X": "security",
    "R": "runtime",
}


@frozen
class Example:
    """A model, changed or not, that a rule must speak of (`expect` says where) or be silent about (None).

    `contract` is the TOML of a contract for it, `old` the named model that is its older version; empty for none.
    """

    model: str
    edit: Mapping[str, Any] = EMPTY
    targets: tuple[str, ...] = ()
    expect: tuple[str, ...] | None = None
    note: str = ""
    contract: str = ""
    old: str = ""


@frozen
class Rule:
    """A checked rule.

    `require` must hold for each row of `for_each` where `where` does. `report_on` leads to what a finding points at.
    `refused_by` names the runtimes that refuse such a model, `runs_on` those that run it; both empty where all agree.
    `opcodes`, where not empty, are the only operators it can be about: a model without them need not be looked at.
    `reads_target`: it is judged once for each declared target. `keys`, of a rule about contracts: those that a
    finding points at, the first that is written.
    """

    id: str
    name: str
    severity: str
    for_each: str
    require: Expression
    message: tuple[Part, ...]
    summary: str
    why: str
    fix: str
    confidence: str = "high"
    category: str = ""
    failure_class: str = ""
    since: str = ""
    status: str = "stable"
    mutes: tuple[str, ...] = ()
    where: Expression | None = None
    report_on: Expression | None = None
    limits: str = ""
    references: tuple[str, ...] = ()
    refused_by: tuple[str, ...] = ()
    runs_on: tuple[str, ...] = ()
    origin: str = ""
    opcodes: tuple[str, ...] = ()
    severity_by_runtime: Mapping[str, str] = EMPTY
    reads_target: bool = False
    keys: tuple[str, ...] = ()

    def severity_for(self, runtime: str) -> str:
        """Return the severity on a runtime."""
        return self.severity_by_runtime.get(runtime, self.severity)

    @property
    def is_builtin(self) -> bool:
        """Whether it came with tflint."""
        return not self.origin

    @property
    def prefix(self) -> str:
        """The id without its digits."""
        return self.id.rstrip("0123456789")
