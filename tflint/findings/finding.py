"""The classes of a report: findings, locations, files and the report itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from tflint.findings.fingerprint import compute_fingerprint, hash_text
from tflint.values import EMPTY, frozen

#: Severities in ascending order.
SEVERITIES = ("note", "warning", "error")
#: The verdicts of a confirmation.
VERDICTS = ("confirmed", "not-reproduced", "could-not-run")
#: The rule that reports a crashed fact or rule.
CRASH_RULE = "G000"
#: Maximum number of findings per rule and file to which suppressions and a baseline apply. One more finding represents
#: all other places: a malicious file of a few kilobytes can have 100,000.
MAX_PLACES = 10_000


def severity_rank(severity: str) -> int:
    """Return a number that increases with the severity."""
    return SEVERITIES.index(severity)


@frozen
class ByteSpan:
    """A range of bytes in a file."""

    offset: int
    length: int


@frozen
class TextSpan:
    """A range in a text file; lines and columns start at 1."""

    line: int
    column: int
    end_line: int
    end_column: int


@frozen
class Location:
    """A place in a file.

    `path` is the path through the schema, such as `subgraphs[0].operators[12].inputs[1]`, or empty for the whole file.
    `names` are the names of the subgraph, operator and tensor at the location.
    """

    file: str
    path: str = ""
    names: tuple[str, ...] = ()
    bytes: ByteSpan | None = None
    text: TextSpan | None = None


@frozen
class Related:
    """A further location of a finding. `message` describes the role of this location."""

    location: Location
    message: str


@frozen
class Suppression:
    """Why a finding is suppressed. `kind` is what suppresses it: allow, baseline, per-file-ignore or since."""

    kind: str
    reason: str


@frozen
class Finding:
    """One place at which a rule is not satisfied.

    `severity_before` is the severity that the rule declares. Targets, the configuration or an older ruleset may change
    it; `severity` is the result. `target` is the declared target to which the finding applies. `refused_by` and
    `runs_on` are the runtimes that refuse the model and those that run it, if some refuse it. `evidence` holds the
    numbers that the rule read. `is_newer` is true if the rule is newer than the configured ruleset; the finding then
    does not fail a run. `identity` identifies the location by names, and by an ordinal among locations with the same
    names. `n_more` is usually 0. If the finding represents all places beyond `MAX_PLACES`, `n_more` is their number,
    and neither `at` nor a baseline can suppress the finding.
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
        """Identifier of the finding, which stays the same when the model is converted again."""
        return compute_fingerprint(self.rule, self.identity)

    def fails(self, fail_on: str) -> bool:
        """Return whether the finding fails a run.

        A finding fails a run if its severity is `fail_on` or higher, it is not suppressed, and its rule is not newer
        than the ruleset. If `fail_on` is `never`, no finding fails a run.
        """
        if fail_on == "never" or self.suppressed is not None or self.is_newer:
            return False
        return severity_rank(self.severity) >= severity_rank(fail_on)


@frozen
class NotChecked:
    """A rule that could not be decided for some rows of a file, with the number of rows and the reason."""

    rule: str
    rows: int
    reason: str


@frozen
class Overview:
    """Overview of a model: scheme, sizes, and the accelerators for which parts of it were compiled."""

    scheme: str
    n_operators: int
    n_tensors: int
    n_bytes: int
    compiled_for: tuple[str, ...] = ()


@frozen
class ContainerOverview:
    """Overview of a container: format, number of members, and number of members that are or should be models."""

    format: str
    n_members: int
    n_models: int
    n_bytes: int


@frozen
class MemberOrigin:
    """Origin of a member of a container: the file on disk, the path of the member in that file, and the byte offset.

    `offset` counts from the start of the file on disk. It is None if the member or a container around it is compressed.
    """

    path: str
    member: str
    offset: int | None = None


@frozen
class FileReport:
    """The report of one file or of one member of a container.

    `kind` is model, container, contract, source or pair; `status` is checked or unreadable. The path of a member
    consists of the path of its container, `!/` and its name; `within` has the parts. `contract` is the path of the
    model's contract. `contract_gap` is why that contract leaves the preprocessing unchecked: `invalid`, `no-inputs`, or
    None if it describes inputs. `compared_with` is the path of the older version of a pair. `runs` is what runtimes did
    with the model, if it was run. `rules_in_scope` has a bit per rule of the plan, which is set if the rule applies to
    a row of the file. `n_muted` is the number of findings that users' rules mute. `configuration` is the path of the
    configuration of the file, and `fail_on` the lowest severity that fails the run there.
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
    contract_gap: str | None = None
    compared_with: str | None = None
    runs: tuple[RunSummary, ...] = ()
    rules_in_scope: int = 0
    n_muted: int = 0
    configuration: str | None = None
    fail_on: str = "error"

    @property
    def path_on_disk(self) -> str:
        """The path of the file, or of the outermost container of a member."""
        return self.path if self.within is None else self.within.path

    @property
    def open_findings(self) -> tuple[Finding, ...]:
        """The findings that are not suppressed."""
        return tuple(finding for finding in self.findings if finding.suppressed is None)

    @property
    def is_clean(self) -> bool:
        """Whether the file was read and has no open findings except notes."""
        return self.status == "checked" and all(finding.severity == "note" for finding in self.open_findings)

    def summary(self) -> dict[str, int]:
        """Return the number of open findings per severity, of suppressed findings, and of undecided rules."""
        counts = Counter(finding.severity for finding in self.open_findings)
        return {
            **{severity: counts[severity] for severity in reversed(SEVERITIES)},
            "suppressed": len(self.findings) - len(self.open_findings),
            "not_checked": len(self.not_checked),
        }


@frozen
class Notice:
    """A message about the run, such as an unused suppression.

    `level` is `warning` if the user should act, else `note`. A notice never fails a run.
    """

    kind: str
    message: str
    level: str = "note"


@frozen
class RunSummary:
    """What a runtime did with a model.

    `steps` has, for each set of kernels, how each step ended: `{"default": {"load": "ok", "allocate": "refused"}}`.
    `message` is the runtime's message about the first failed step, empty if none failed. `seconds` is the median time
    of an invocation, and `arena_bytes` the arena that TFLM needs. `n_compared` is the number of computed tensors that
    were compared over all inputs, `n_unchanged` the number of those that never changed. `normalizations` has, for a
    float image input, known normalizations with the spread of the outputs between images and their confidence.
    `problems` are the parts of the run that failed, and why.
    """

    runtime: str
    steps: Mapping[str, Mapping[str, str]]
    message: str = ""
    seconds: float | None = None
    arena_bytes: int | None = None
    n_compared: int = 0
    n_unchanged: int = 0
    normalizations: tuple[tuple[str, float, float | None], ...] = ()
    problems: tuple[str, ...] = ()


@frozen
class Confirmation:
    """How models were run: the runtimes with their versions, the seed of generated inputs, and the number of runs.

    `max_seconds` is the limit of wall-clock seconds per model and runtime.
    """

    runtimes: tuple[str, ...]
    seed: int
    n_runs: int
    max_seconds: float


@frozen
class SkippedPaths:
    """Paths that the search for models skipped: excluded models, hidden folders and linked folders.

    `models` is the number of files in hidden and linked folders that have the suffix of a model, counted up to a limit.
    `ignored_models` is the number of models that Git ignores, with `respect-gitignore`.
    """

    excluded_models: int = 0
    hidden_folders: int = 0
    linked_folders: int = 0
    models: int = 0
    ignored_models: int = 0

    @property
    def n_skipped_models(self) -> int:
        """The number of models that the configuration skips."""
        return self.excluded_models + self.ignored_models


@frozen
class ContractUse:
    """What a contract decided: the number of findings that it suppresses, and the targets that it declares.

    `is_draft` is true for a draft. `is_limited` is true if its own suppressions and targets do not count.
    """

    path: str
    n_suppressed: int = 0
    targets: tuple[str, ...] = ()
    is_draft: bool = False
    is_limited: bool = False


@frozen
class ConfigurationUse:
    """A configuration of a run, and what it changed.

    `path` is None if no configuration was found. `settings` has each setting that differs from the default, by its key
    in the configuration. `n_suppressed` has the number of suppressed findings by kind of suppression. `muted_by` are
    the users' rules that can mute findings, and `n_muted` is the number of findings that they mute.
    """

    path: str | None
    n_files: int
    settings: Mapping[str, Any]
    n_suppressed: Mapping[str, int] = EMPTY
    n_muted: int = 0
    contracts: tuple[ContractUse, ...] = ()


@frozen
class Report:
    """The result of a run.

    `targets` are the targets of the run. `is_default_target` is true if no target was declared. `crashes` is the number
    of facts and rules that failed because of a bug in tflint. `left_out` has the paths that the search for models
    skipped. `n_passed_over` is the number of files in the report for which there was nothing to check. `settings` are
    the settings of all configurations. `configurations` are the configurations of the files, and what each changed.
    `rules_run` is the number of rules that apply to a row of a file, out of `rules_selected`. `strict_problems` are the
    reasons why a strict run fails, in words. `confirmation` describes how models were run, and is None if they were
    not. `is_cached` is true for the report of an earlier run whose inputs have not changed.
    """

    files: tuple[FileReport, ...]
    targets: tuple[str, ...] = ()
    is_default_target: bool = True
    ruleset: str = ""
    version: str = ""
    rules_digest: str = ""
    settings: str = ""
    confirmation: Confirmation | None = None
    notices: tuple[Notice, ...] = ()
    rules_run: int = 0
    rules_selected: int = 0
    elapsed: float = 0.0
    is_cached: bool = False
    crashes: int = 0
    left_out: SkippedPaths = SkippedPaths()
    n_passed_over: int = 0
    configurations: tuple[ConfigurationUse, ...] = ()
    strict_problems: tuple[str, ...] = ()

    @property
    def config_digest(self) -> str:
        """Digest of the settings. Computed on request, because few formats need it and `hashlib` is slow to import."""
        return hash_text(self.settings)

    @property
    def has_checked(self) -> bool:
        """Whether there was anything to check."""
        return sum(file.kind != "contract" for file in self.files) > self.n_passed_over

    def __repr__(self) -> str:
        counts = ", ".join(f"{count:,} {key}" for key, count in self.summary().items() if count)
        return f"<Report: {len(self.files):,} {'file' if len(self.files) == 1 else 'files'}: {counts or 'no findings'}>"

    def _repr_html_(self) -> str:
        """Return the report as HTML, which notebooks show."""
        return self._render("html_summary", "render")

    def to_text(self, *, verbose: bool = False) -> str:
        """Return the report as `tflint check` prints it, without colors."""
        return self._render("report_formats", "render_as", form="text", verbose=verbose)

    def to_json(self) -> str:
        """Return the report as JSON (`schemas/report.schema.json`), with all findings."""
        return self._render("report_formats", "render_as", form="json")

    def to_sarif(self, profile: str = "github") -> str:
        """Return the report as SARIF 2.1.0. `profile` is `github` or `spec`, as for `--sarif-profile`."""
        return self._render("report_formats", "render_as", form="sarif", sarif_profile=profile)

    def to_markdown(self, *, verbose: bool = False) -> str:
        """Return the report as Markdown, for a comment or a job summary."""
        return self._render("report_formats", "render_as", form="markdown", verbose=verbose)

    def _render(self, module: str, function: str, **options: Any) -> str:
        """Call the function of a format, by names: findings do not depend on formats."""
        import importlib

        text: str = getattr(importlib.import_module(f"tflint.report.{module}"), function)(self, **options)
        return text

    def findings(self) -> Iterator[Finding]:
        """Yield the findings of all files, including suppressed ones."""
        for file in self.files:
            yield from file.findings

    def summary(self) -> dict[str, int]:
        """Return the counts of `FileReport.summary`, summed over all files."""
        totals: Counter[str] = Counter()
        for file in self.files:
            totals.update(file.summary())
        return {key: totals[key] for key in ("error", "warning", "note", "suppressed", "not_checked")}

    def fails(self, fail_on: str | None = None) -> bool:
        """Return whether a finding with severity `fail_on` or higher fails the run; with `never`, none does.

        Without `fail_on`, the configuration of each file decides.
        """
        return any(finding.fails(fail_on or file.fail_on) for file in self.files for finding in file.findings)
