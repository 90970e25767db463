"""Findings and reports as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tflint.findings.fingerprint import compute_fingerprint
from tflint.values import EMPTY, frozen

#: From harmless to what will go wrong.
SEVERITIES = ("note", "warning", "error")
#: The rule that stands for a fact or rule that crashed.
CRASH_RULE = "G000"
#: Places of one rule in one file that get a finding each, which suppressions and baselines see; the others are one
#: finding together. A few kilobytes of hostile file can have 100,000.
MAX_PLACES = 10_000


def severity_rank(severity: str) -> int:
    """A number that grows with severity."""
    return SEVERITIES.index(severity)


@frozen
class ByteSpan:
    """Bytes of a file: offset and length."""

    offset: int
    length: int


@frozen
class TextSpan:
    """A stretch of a text file, lines and columns from 1."""

    line: int
    column: int
    end_line: int
    end_column: int


@frozen
class Location:
    """A place in a file.

    `path` is the route through the schema, such as `subgraphs[0].operators[12].inputs[1]` (empty: the whole file);
    `names` what a person knows it by: subgraph, operator, tensor.
    """

    file: str
    path: str = ""
    names: tuple[str, ...] = ()
    bytes: ByteSpan | None = None
    text: TextSpan | None = None


@frozen
class Related:
    """Another place that belongs to a finding, and how."""

    location: Location
    message: str


@frozen
class Suppression:
    """Why a finding does not count: `kind` is allow, baseline or per-file-ignore."""

    kind: str
    reason: str


@frozen
class Finding:
    """Something a rule found.

    `severity` is what counts, `severity_before` what the rule says by itself; they differ where targets, the
    configuration or an older ruleset changed it. `target` names the declared runtime it holds for, `refused_by` and
    `runs_on` the runtimes that refuse and run the model, where only some do. `evidence` holds the numbers the rule
    saw. `is_newer` marks a rule that the configured ruleset does not know yet: it never fails a run. `identity` is what
    the place is known by, names and an ordinal among places of the same names. `n_more` is not 0 for the one finding
    that stands for so many places beyond `MAX_PLACES`: neither a place (`at`) nor a baseline can suppress it.
    """

    rule: str
    name: str
    severity: str
    severity_before: str
    confidence: str
    message: str
    location: Location
    fix: str
    identity: tuple[str, ...]
    target: str | None = None
    related: tuple[Related, ...] = ()
    evidence: Mapping[str, Any] = EMPTY
    refused_by: tuple[str, ...] = ()
    runs_on: tuple[str, ...] = ()
    verdict: str | None = None
    probe: Mapping[str, Any] | None = None
    suppressed: Suppression | None = None
    is_newer: bool = False
    n_more: int = 0

    @property
    def fingerprint(self) -> str:
        """What makes it the same finding after the model was converted again."""
        return compute_fingerprint(self.rule, self.identity)

    def fails(self, fail_on: str) -> bool:
        """Whether it fails a run: at or above a severity (`never`: it does not), not suppressed, of no newer rule."""
        if fail_on == "never" or self.suppressed is not None or self.is_newer:
            return False
        return severity_rank(self.severity) >= severity_rank(fail_on)


@frozen
class NotChecked:
    """A rule that could not be decided for some rows of a file, and why."""

    rule: str
    rows: int
    reason: str


@frozen
class Overview:
    """A model in a line: its scheme, how large it is, and which accelerators parts of it were compiled for."""

    scheme: str
    n_operators: int
    n_tensors: int
    n_bytes: int
    compiled_for: tuple[str, ...] = ()


@frozen
class ContainerOverview:
    """A container in a line: its format, how many members it has, and how many of these are or should be models."""

    format: str
    n_members: int
    n_models: int
    n_bytes: int


@frozen
class MemberOrigin:
    """Where a member of a container lies: the file on disk, its route within that, and its first byte there.

    `offset` is None where the member, or a container around it, is compressed.
    """

    path: str
    member: str
    offset: int | None = None


@frozen
class FileReport:
    """What was found in one file, or in one member of a container.

    `kind` is model, container, contract, source or pair; `status` is checked or unreadable. The path of a member is
    that of its container, `!/` and its name; `within` takes it apart. `contract` is the path of a model's contract,
    `compared_with`, of a pair, that of the older version.
    """

    path: str
    kind: str = "model"
    status: str = "checked"
    findings: tuple[Finding, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    overview: Overview | None = None
    sha256: str | None = None
    predicted: str | None = None
    contained: ContainerOverview | None = None
    within: MemberOrigin | None = None
    contract: str | None = None
    compared_with: str | None = None

    @property
    def path_on_disk(self) -> str:
        """The path of the file itself; of a member that of the outermost container."""
        return self.path if self.within is None else self.within.path

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """The findings that are not suppressed."""
        return tuple(finding for finding in self.findings if finding.suppressed is None)

    @property
    def is_clean(self) -> bool:
        """Whether it was read, and no open finding is more than a note."""
        return self.status == "checked" and all(finding.severity == "note" for finding in self.open_findings)

    def summary(self) -> dict[str, int]:
        """Numbers of open findings by severity, of suppressed ones, and of rules that could not be decided."""
        counts = Counter(finding.severity for finding in self.open_findings)
        return {
            **{severity: counts[severity] for severity in reversed(SEVERITIES)},
            "suppressed": len(self.findings) - len(self.open_findings),
            "not_checked": len(self.not_checked),
        }


@frozen
class Notice:
    """Something to say about the run and not about a file, such as an unused suppression.

    `level` is `warning` where somebody should act, else `note`; it never fails a run.
    """

    kind: str
    message: str
    level: str = "note"


@frozen
class SkippedPaths:
    """What a walk through folders left out: models that the configuration excludes, hidden and linked folders, and
    files with a model's suffix in these (counted up to a bound).
    """

    excluded_models: int = 0
    hidden_folders: int = 0
    linked_folders: int = 0
    models: int = 0


@frozen
class Report:
    """The result of a run.

    `targets` are the declared runtimes; `is_default_target` says that nobody declared any. `crashes` counts facts and
    rules that failed by a defect of tflint. `left_out` is what a walk through folders did not take; `n_passed_over`
    counts files in the report in which nothing was to be checked.
    """

    files: tuple[FileReport, ...]
    targets: tuple[str, ...] = ()
    is_default_target: bool = True
    ruleset: str = ""
    version: str = ""
    rules_digest: str = ""
    config_digest: str = ""
    notices: tuple[Notice, ...] = ()
    rules_run: int = 0
    elapsed: float = 0.0
    crashes: int = 0
    left_out: SkippedPaths = SkippedPaths()
    n_passed_over: int = 0

    @property
    def has_checked(self) -> bool:
        """Whether there was anything to check."""
        return sum(file.kind != "contract" for file in self.files) > self.n_passed_over

    def findings(self) -> Iterator[Finding]:
        """All findings of all files, suppressed ones included."""
        for file in self.files:
            yield from file.findings

    def summary(self) -> dict[str, int]:
        """The files' summaries added up."""
        totals: Counter[str] = Counter()
        for file in self.files:
            totals.update(file.summary())
        return {key: totals[key] for key in ("error", "warning", "note", "suppressed", "not_checked")}

    def fails(self, fail_on: str) -> bool:
        """Whether a finding fails the run at or above a severity (`never`: no finding does)."""
        return any(finding.fails(fail_on) for finding in self.findings())
