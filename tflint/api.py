"""The one way in: checks or compares paths, bytes or loaded models and gives a report; prints nothing, never exits."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TypeAlias

from tflint._version import __version__
from tflint.catalog import Catalog, load_catalog
from tflint.catalog.rule_constants import Constants
from tflint.config import Config
from tflint.contract import SUFFIX, Contract, Contracts, load_contract
from tflint.contract.contract_search import models_of
from tflint.engine.run import Plan, planned, run_batch
from tflint.engine.select import RULESET, select_rules
from tflint.errors import UserError
from tflint.facts.fact_registry import ABOUT_PAIRS, FILE_TABLES
from tflint.findings import CRASH_RULE, FileReport, Report, SkippedPaths
from tflint.findings.baseline import Counts
from tflint.findings.path_globs import MEMBER
from tflint.flatbuffer.flatbuffer_error import FlatbufferError
from tflint.model.batch_reader import Found, read_one, read_together
from tflint.runner.model_loader import (
    Checkable,
    Item,
    Model,
    load,
    load_readable,
    require_existing,
    single,
)
from tflint.runner.run_limits import NO_LIMITS, Limits
from tflint.runner.scheduler import reports_by_group
from tflint.runner.suppression import Run, suppressed, with_contracts
from tflint.source import SourceError
from tflint.source.file_kind import MODEL, OUTSIDE_LINK
from tflint.source.model_search import Unopened, Walker, as_found
from tflint.targets.target import declared_targets
from tflint.values import replace

if TYPE_CHECKING:
    from tflint.facts.plugin_loader import Plugins

__all__ = ["Checkable", "Model", "Progress", "check", "diff", "load", "load_readable"]

#: What reports call bytes that are compared.
OLD_BYTES, NEW_BYTES = "<old bytes>", "<new bytes>"

Progress: TypeAlias = Callable[[int, int], None]


def check(
    source: Checkable | Sequence[Checkable],
    *,
    config: Config | None = None,
    baseline: Counts | None = None,
    progress: Progress | None = None,
    jobs: int | None = 1,
    plugins: str | Sequence[str] = (),
    contract: str | PurePath | Contract | None = None,
) -> Report:
    """Check one model or many: paths of files, bytes, or what `load` gave.

    The report has the files in the order given, with findings, what could not be checked, and suppressed findings
    marked. Raises `UserError` for a path that does not exist and for wrong rules, targets or selections; a model that
    is broken, or vanishes while it is read, is a finding. `progress` is told the number of files done and of all.
    `jobs` is the number of processes; None chooses by the number of files. A folder stands for the models below it; a
    container (a .task or .litertlm bundle) has a report of its own, and one for each model in it after that, under a
    path such as `bundle.task!/model.tflite`, which can also be asked for by itself. `plugins` names installed
    distributions whose facts the user's rules may read: their code is run. Each model's contract is the one beside it
    or the one the configuration names, which has a report of its own; `contract` is one for all. A contract's path
    stands for the models beside it.
    """
    config = config or Config()
    walker = Walker(config.exclude, config.folder)
    items = [item for one in ([source] if isinstance(source, Checkable) else source) for item in _found(one, walker)]
    return check_items(
        items,
        walker.left_out(),
        config=config,
        baseline=baseline,
        progress=progress,
        jobs=jobs,
        plugins=plugins,
        contract=contract,
    )


def check_items(
    selected: Iterable[Item],
    left_out: SkippedPaths,
    *,
    config: Config,
    baseline: Counts | None = None,
    progress: Progress | None = None,
    jobs: int | None = 1,
    plugins: str | Sequence[str] = (),
    contract: str | PurePath | Contract | None = None,
    limits: Limits = NO_LIMITS,
) -> Report:
    """Check selected items as `check` does; folders are already walked. `limits` bound the whole run."""
    if jobs is not None and jobs < 1:
        raise UserError(f"the number of jobs must be at least 1, not {jobs}", hint="None chooses it")
    started = time.perf_counter()
    items = list(_with_models_of_contracts(selected))
    allowed = _plugins(plugins)
    catalog = load_catalog(config.rules, allowed)
    plan = _plan(catalog, config, allowed, is_diff=False)
    contracts = Contracts(config.contracts, config.folder, _given(contract))
    files: list[FileReport] = []
    done = 0
    # Closed, so that an interruption ends the processes, too.
    with contextlib.closing(reports_by_group(items, plan, config, contracts, jobs, limits)) as groups:
        for n_items, reports in groups:
            files += reports
            done += n_items
            if progress:
                progress(done, len(items))
    judged = {rule.for_each for rule in catalog.rules} - ABOUT_PAIRS
    report = _report(with_contracts(files), Run(config, catalog, plan, contracts, started), baseline, judged)
    emptied = _emptied(files) if config.exclude else {}
    linked = {item.path for item in items if isinstance(item, Unopened) and item.kind.kind == OUTSIDE_LINK}
    n_passed_over = sum(file.path in emptied or file.path in linked or _is_silent(file) for file in files)
    n_excluded = sum(emptied.values()) - sum(path.rpartition(MEMBER)[0] in emptied for path in emptied)
    left_out = replace(left_out, excluded_models=left_out.excluded_models + n_excluded)
    return replace(report, left_out=left_out, n_passed_over=n_passed_over)


def _is_silent(file: FileReport) -> bool:
    """Whether a file could not be read, and the rules that would say so do not run."""
    return file.status == "unreadable" and not file.findings


def _emptied(files: Sequence[FileReport]) -> dict[str, int]:
    """The containers of which no model has a report, since all are excluded, and how many each holds; a container in
    one counts as one.
    """
    entered: set[str] = set()
    for file in files:
        path = file.path if file.within is not None and file.kind == "model" else ""
        while MEMBER in path:
            path = path.rpartition(MEMBER)[0]
            entered.add(path)
    held = {file.path: file.contained.n_models for file in files if file.contained is not None}
    return {path: n_models for path, n_models in held.items() if n_models and path not in entered}


def diff(
    old: Checkable,
    new: Checkable,
    *,
    config: Config | None = None,
    baseline: Counts | None = None,
    plugins: str | Sequence[str] = (),
) -> Report:
    """Compare two versions of a model: what somebody who calls it would notice.

    Each is a path, bytes, or what `load` gave; a member of a container has a path such as `bundle.task!/model.tflite`.
    The report has one file, of kind `pair`, under the path of the new one, and says what it was compared with. Where
    one cannot be read, the report has a file for that one and says why; of the pair it says nothing. Raises
    `UserError` as `check` does, for a folder, and for a container where no member is named.
    """
    config = config or Config()
    started = time.perf_counter()
    allowed = _plugins(plugins)
    catalog = load_catalog(config.rules, allowed)
    plan = _plan(catalog, config, allowed, is_diff=True)
    with contextlib.ExitStack() as stack:
        files = _compared(_side(new, NEW_BYTES, stack), _side(old, OLD_BYTES, stack), plan)
    judged = ABOUT_PAIRS if files[0].kind == "pair" else FILE_TABLES
    return _report(files, Run(config, catalog, plan, Contracts({}, config.folder), started), baseline, judged)


def _side(source: Checkable, label: str, stack: contextlib.ExitStack) -> Found:
    """One of both models, open until the stack is left."""
    if isinstance(source, str | PurePath) and str(source) and Path(source).is_dir():
        raise UserError(f"'{source}' is a folder", hint="name a model in it: two models are compared")
    found, file = single(source, label)
    if file is not None:
        stack.callback(file.close)
    return found


def _compared(new: Found, old: Found, plan: Plan) -> list[FileReport]:
    """The report of a pair; of what cannot be read one of its own instead."""
    reason = ""
    if all(found.opened.kind.kind == MODEL for found in (new, old)):
        try:
            tables = read_together([new.opened, old.opened])
            report = run_batch(tables, [new.path, old.path], plan, pairs={0: 1})[0]
            return [replace(report, within=new.within)]
        except (FlatbufferError, SourceError) as error:
            reason = error.reason
    read = [(found, read_one(found.opened)) for found in (new, old)]
    broken = [(found, tables) for found, tables in read if not tables.is_readable]
    if not broken:
        raise UserError(f"'{old.path}' and '{new.path}' cannot be compared: {reason}")
    return [replace(run_batch(tables, [found.path], plan)[0], within=found.within) for found, tables in broken]


def _report(files: Sequence[FileReport], run: Run, baseline: Counts | None, judged: Container[str]) -> Report:
    """The report of a run, whose rules were about the tables `judged`."""
    marked, notices = suppressed(list(files), run, baseline, judged)
    own = [planned(run.plan, run.contracts.of(file.path)) for file in files if file.contract is not None]
    plans = own if own and len(own) == sum(file.kind == "model" for file in files) else [run.plan, *own]
    return Report(
        files=tuple(marked),
        targets=tuple(dict.fromkeys(target.name for plan in plans for target in plan.targets)),
        is_default_target=not run.config.targets and all(plan is run.plan for plan in plans),
        ruleset=run.config.ruleset or RULESET,
        version=__version__,
        rules_digest=run.catalog.digest,
        config_digest=run.config.digest(),
        notices=tuple(notices),
        rules_run=sum(selected.rule.for_each in judged for selected in run.plan.rules),
        elapsed=time.perf_counter() - run.started,
        crashes=sum(finding.rule == CRASH_RULE for file in marked for finding in file.findings),
    )


def _given(contract: str | PurePath | Contract | None) -> Contract | None:
    return load_contract(str(contract)) if isinstance(contract, str | PurePath) else contract


def _plugins(names: str | Sequence[str]) -> Plugins | None:
    if not names:
        return None
    from tflint.facts.plugin_loader import load_plugins  # a run without plugins does not need it

    return load_plugins(names)


def _plan(catalog: Catalog, config: Config, plugins: Plugins | None, *, is_diff: bool) -> Plan:
    """What to run: the rules about pairs of models, and those that say why a file cannot be read; or all others."""
    selected = select_rules(catalog.rules, config)
    rules = tuple([one for one in selected if (one.rule.for_each in ABOUT_PAIRS) == is_diff])
    if not rules and is_diff:
        raise UserError("no rule that is selected compares models", hint="'tflint rules' lists them")
    if not rules:
        raise UserError("the rules that are selected compare two models", hint="'tflint diff OLD NEW' runs them")
    about_files = tuple([one for one in selected if one.rule.for_each in FILE_TABLES]) if is_diff else ()
    return Plan(
        rules + about_files,
        declared_targets(config),
        Constants(catalog.constants),
        catalog.rule(CRASH_RULE),
        plugins,
        config.named_targets,
        not config.targets,
    )


def _found(source: Checkable, walker: Walker) -> Iterator[Item]:
    """A source, or the models below a folder; what vanishes from here on is a finding."""
    if isinstance(source, str | PurePath):
        require_existing(source)
        if os.path.isdir(source):  # noqa: PTH112 (Path.is_dir raises if a folder above cannot be searched)
            yield from walker.walk(str(source))
            return
    yield source


def _with_models_of_contracts(items: Iterable[Item]) -> Iterator[Item]:
    """The items, each contract replaced by the models that it is for; `UserError` for a member that is not there."""
    for item in items:
        path = str(item) if isinstance(item, str | PurePath) else ""
        if path.endswith(SUFFIX):
            yield from map(as_found, models_of(path))
            continue
        if MEMBER in path:
            require_existing(path)
        yield item
