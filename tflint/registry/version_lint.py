"""Lints one version of a registered model: fetches its artifacts, finds the models in them and checks each."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import shutil
import tempfile
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path

from tflint._version import __version__
from tflint.api import check_items
from tflint.catalog.rule_loader import Catalogs
from tflint.config import Config, Configurations
from tflint.confirm.confirm_options import ConfirmOptions
from tflint.contract import Contract
from tflint.contract.contract_files import describe_labels
from tflint.findings import Report, SkippedPaths
from tflint.findings.fingerprint import hash_text
from tflint.findings.report_paths import move_paths
from tflint.registry.artifacts import Fetched, HostileArtifactError, fetch, is_model_file, is_plain_name
from tflint.registry.contract_choice import ChosenContracts, ContractSource, choose
from tflint.registry.lint_record import (
    FAIL,
    NOT_APPLICABLE,
    PASS,
    RECORD_TAG,
    UNREACHABLE,
    Conditions,
    LintRecord,
    count_names,
    parse_record,
)
from tflint.registry.model_registry import ModelVersion, Registry, RegistryError, UnreachableError
from tflint.registry.waivers import Waiver, apply_waivers
from tflint.targets.target import declared_targets
from tflint.values import EMPTY, frozen, replace


class LintPlan:
    """How versions are linted: configuration, rules, contracts of the linting side, waivers and confirmation."""

    def __init__(
        self,
        config: Config,
        contracts: ContractSource,
        waivers: Sequence[Waiver] = (),
        confirm: ConfirmOptions | None = None,
        catalogs: Catalogs | None = None,
    ) -> None:
        self.config = config
        self.contracts = contracts
        self.waivers = tuple(waivers)
        self.confirm = confirm
        self.catalogs = catalogs or Catalogs()
        self.catalog = self.catalogs.of(config.rules)
        targets = tuple(target.name for target in declared_targets(config))
        settings = "\n".join([config.all_settings(), *map(repr, self.waivers)])
        self.conditions = Conditions(__version__, self.catalog.digest, targets, hash_text(settings))


@frozen
class VersionResult:
    """The result of linting a version.

    `report` has the files of the version, with paths such as `bird/7/model.tflite`; it is None if there is no model or
    the version could not be read. `problems` are sentences about artifacts that must not or cannot be used; each fails
    the version. `notes` are sentences about what was not checked.
    """

    version: ModelVersion
    record: LintRecord
    report: Report | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """The status of the version."""
        return self.record.status

    def describe(self) -> str:
        """Return the reason for the status in a few words, or an empty text."""
        counts = dict(self.record.counts)
        parts = [f"{counts[name]:,} {name}{'s' * (counts[name] != 1)}" for name in ("error", "warning") if counts[name]]
        return "; ".join([*self.problems, ", ".join(parts)] if parts else self.problems)


@contextlib.contextmanager
def open_work_folder() -> Iterator[Path]:
    """Create a private folder for artifacts, and remove it afterwards. Raises `UnreachableError` if this fails."""
    try:
        folder = tempfile.mkdtemp(prefix="tflite-lint-")
    except OSError as error:
        raise UnreachableError(f"there is no work folder: {error.strerror or error}") from error
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def lint_version(registry: Registry, version: ModelVersion, plan: LintPlan) -> VersionResult:
    """Lint a version. Errors of the registry result in the status `unreachable`."""
    try:
        with open_work_folder() as work:
            fetched = fetch(registry, version, work / quote_label(version))
            return lint_fetched(version, fetched, plan, work)
    except HostileArtifactError as error:
        return end_early(version, plan, FAIL, problems=(str(error),))
    except RegistryError as error:
        return end_early(version, plan, UNREACHABLE, problems=(error.reason,))


def lint_fetched(version: ModelVersion, fetched: Fetched, plan: LintPlan, work: Path) -> VersionResult:
    """Lint a version whose artifacts are in the work folder `work`."""
    models = find_models(fetched)
    if not models:
        return end_early(version, plan, NOT_APPLICABLE, fetched.content)
    chosen = {path: choose(plan.contracts, version, fetched, path) for path in models}
    reports = [_check(fetched.real_path(path), chosen[path], plan, work) for path in models]
    report = _merge(reports)
    files, notices = apply_waivers(version, report.files, plan.waivers, datetime.date.today())
    report = replace(report, files=tuple(files), notices=(*report.notices, *notices))
    report = _move(report, f"{work.as_posix()}/", quote_label(version), version.label)
    problems = tuple(f"{path}: {one.problem}" for path, one in chosen.items() if one.problem)
    notes = tuple(f"{path}: {one.note}" for path, one in chosen.items() if one.note)
    conditions = replace(plan.conditions, contract=_hash_contracts(chosen, fetched.folder))
    is_failing = bool(problems) or report.fails() or report.crashes > 0
    totals = report.summary()
    record = LintRecord(
        FAIL if is_failing else PASS,
        fetched.content,
        conditions,
        tuple((name, totals[name]) for name in count_names()),
    )
    return VersionResult(version, record, report, problems, notes)


def find_models(fetched: Fetched) -> list[str]:
    """Return the paths of the models and bundles in the artifacts: by their content, or by their suffix."""
    return [file.path for file in fetched.files if is_model_file(fetched.real_path(file.path))]


def quote_label(version: ModelVersion) -> str:
    """Return the folder of a version in the work folder: its label, quoted if it is not plain."""
    return "/".join(part if is_plain_name(part) else _quote(part) for part in (version.name, version.number))


def _quote(text: str) -> str:
    return urllib.parse.quote(text, safe="").replace(".", "%2E")[:100]


def _check(path: str, chosen: ChosenContracts, plan: LintPlan, work: Path) -> Report:
    """Check a model with its contract; with a signature too, add the findings about the signature."""
    report = _check_with(path, chosen.contract or chosen.signature, plan, work, plan.confirm)
    if chosen.contract is None or chosen.signature is None:
        return report
    other = _check_with(path, chosen.signature, plan, work, None)
    about_signature = tuple(file for file in other.files if file.kind == "contract")
    return replace(report, files=(*report.files, *about_signature), crashes=report.crashes + other.crashes)


def _check_with(
    path: str, contract: Contract | None, plan: LintPlan, work: Path, confirm: ConfirmOptions | None
) -> Report:
    config = replace(plan.config, contracts=EMPTY, exclude=(), baseline="", folder=work.as_posix())
    return check_items(
        [path],
        SkippedPaths(),
        configurations=Configurations(config),
        catalogs=plan.catalogs,
        contract=contract,
        confirm=confirm,
        finds_contracts=False,  # those next to the model are the uploader's
    )


def _merge(reports: Sequence[Report]) -> Report:
    """Return one report with the files and notices of several."""
    first = reports[0]
    return replace(
        first,
        files=tuple(file for report in reports for file in report.files),
        notices=tuple(dict.fromkeys(notice for report in reports for notice in report.notices)),
        targets=tuple(dict.fromkeys(target for report in reports for target in report.targets)),
        crashes=sum(report.crashes for report in reports),
        elapsed=0.0,  # equal results have equal reports
    )


def _move(report: Report, work: str, folder: str, label: str) -> Report:
    """Return the report with the label of the version in place of its work folder."""
    begin = f"{work}{folder}/"

    def move_path(path: str) -> str:
        return f"{label}/{path.removeprefix(begin)}" if path.startswith(begin) else path

    notices = tuple(replace(one, message=one.message.replace(begin, f"{label}/")) for one in report.notices)
    return replace(report, files=tuple(move_paths(file, move_path) for file in report.files), notices=notices)


def _hash_contracts(chosen: dict[str, ChosenContracts], folder: str) -> str:
    """Return a digest of the contracts of all models that does not depend on the work folder."""
    lines = []
    for path, one in chosen.items():
        for contract in (one.contract, one.signature):
            if contract is not None:
                lines += [path, contract.path.removeprefix(folder), contract.text, *describe_labels(contract)]
    return hashlib.sha256("\0".join(lines).encode("utf-8", "surrogateescape")).hexdigest()[:32] if lines else ""


def has_changed_content(result: VersionResult) -> bool:
    """Return whether the artifacts of a version are not those of the result in its tags."""
    stored = parse_record(result.version.tags.get(RECORD_TAG))
    return stored is not None and bool(result.record.content) and stored.content != result.record.content


def end_early(
    version: ModelVersion, plan: LintPlan, status: str, content: str = "", problems: tuple[str, ...] = ()
) -> VersionResult:
    """Return the result of a version whose models were not checked."""
    counts = tuple((name, 0) for name in count_names())
    return VersionResult(version, LintRecord(status, content, plan.conditions, counts), problems=problems)
