"""A rule as a value: its scope, condition and texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tflint.language.expression import Expression, Part
from tflint.targets.target import Target, severity_on
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

#: The probes that can confirm a finding, each with what confirms it.
PROBES = {
    "load": "the runtime refuses to load the model",
    "allocate": "the runtime refuses to load the model or to allocate its tensors",
    "invoke": "the runtime refuses the model, or fails for every input",
    "kernels": "the built-in kernels, without delegates, refuse the model",
    "finite": "an output has NaN or infinity",
    "alive": "the outputs are the same for all inputs",
    "twice": "the same input gives a different output the second time",
    "saturation": "values of the tensor are saturated",
}


@frozen
class Example:
    """A model, perhaps edited, that a rule must report at the places in `expect`, or must not report (None).

    `contract` is the TOML text of the model's contract; empty if it has none. `old` is the named model that is its
    older version; empty if the rule does not compare two versions. `run` describes a run of the model; empty if the
    rule is not about runs.
    """

    model: str
    edit: Mapping[str, Any] = EMPTY
    targets: tuple[str, ...] = ()
    expect: tuple[str, ...] | None = None
    note: str = ""
    contract: str = ""
    old: str = ""
    run: Mapping[str, Any] = EMPTY


@frozen
class Rule:
    """A compiled rule: `require` must hold for each row of the table `for_each` for which `where` holds.

    `report_on` is the reference to the row that a finding points at, if that is not the row itself. `related` refers to
    further rows with the same cause. `refused_by` names the runtimes that refuse a model that violates the rule, and
    `runs_on` the runtimes that run it; both are empty if all runtimes agree. `severity_by_runtime` maps specs, such as
    `tflm` or `tflite<2.11`, to the severities that differ from `severity`; the first spec that includes the target
    counts. If `opcodes` is not empty, the rule is about these operators only and is skipped for models without them.
    `reads_target` is true if the rule is judged once per declared target. `reads_values` is true if its conditions read
    columns about the values of constants. `keys` are the contract keys that a finding can point at: it points at the
    first of them that the contract sets. `confirm` is the probe that can confirm a finding; empty if there is none.
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
    reads_values: bool = False
    keys: tuple[str, ...] = ()
    confirm: str = ""
    related: Expression | None = None

    def severity_for(self, target: Target | None) -> str:
        """Return the severity of the rule's findings on a target, or of findings about every runtime (None)."""
        return severity_on(target, self.severity_by_runtime, self.severity)

    @property
    def is_builtin(self) -> bool:
        """Whether the rule ships with tflint."""
        return not self.origin

    @property
    def prefix(self) -> str:
        """The id without its digits."""
        return self.id.rstrip("0123456789")
