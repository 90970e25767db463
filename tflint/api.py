"""The Python API: checks or compares models, given as paths, bytes or loaded models.

The functions return a report. They print nothing and never exit the process.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, TypeAlias

from tflint.catalog import Catalog, load_catalog
from tflint.catalog.rule_constants import Constants
from tflint.catalog.rule_loader import Catalogs
from tflint.config import Config, Configurations
from tflint.contract import SUFFIX, Contract, Contracts, load_contract
from tflint.contract.contract_search import find_models
from tflint.engine.plan import Plan, plan_for_contract
from tflint.engine.select import select_rules
from tflint.errors import UserError
from tflint.facts.fact_registry import FILE_TABLES, PAIR_TABLES, RUN_TABLES
from tflint.findings import CRASH_RULE, Finding, Report, SkippedPaths
from tflint.findings.path_globs import MEMBER
from tflint.runner.contract_reports import add_contract_reports
from tflint.runner.left_out import count_left_out
from tflint.runner.model_loader import (
    Checkable,
    Item,
    Model,
    load,
    load_readable,
    require_checkable,
    require_existing,
)
from tflint.runner.run_limits import NO_LIMITS, Limits
from tflint.runner.run_report import build_report
from tflint.runner.scheduler import CheckedFile, check_by_group
from tflint.runner.scopes import Scope, Scopes
from tflint.source.model_search import Walker, are_whole_files, check_link
from tflint.targets.target import declared_targets
from tflint.values import replace

if TYPE_CHECKING:
    from tflint.cache.run_cache import RunCache
    from tflint.confirm import ConfirmOptions
    from tflint.facts.plugin_loader import Plugins
    from tflint.facts.run.model_run import ModelRun
    from tflint.findings.baseline import Counts
    from tflint.runner.version_pairs import VersionPair

__all__ = ["Checkable", "Model", "Progress", "check", "diff", "load", "load_readable"]

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
    confirm: ConfirmOptions | None = None,
) -> Report:
    """Check one model or many: paths, bytes, or models that `load` returned.

    A folder stands for the models in it. The path of a contract stands for the models next to the contract. In the
    report, a container (a .task or .litertlm bundle) is followed by its models. Their paths have the form
    `bundle.task!/model.tflite`, and you can also pass such a path. The report lists the files in this order. Each file
    has its findings (suppressed ones are marked) and what was not checked.

    `progress` is called with the number of files checked so far and the number of all files. `jobs` is the number of
    processes; if it is None, the number of files determines it. `plugins` names installed distributions whose facts
    the user's rules may read; tflint runs the code of these distributions. By default, the contract of a model is the
    one next to the model or the one that the configuration names. If `contract` is set, it is the contract of all
    models. Each contract gets a report of its own. With `confirm`, tflint also runs the models in a child process, and
    findings get verdicts.

    Raises `UserError` for a path that does not exist, for invalid rules, targets or selections, and for an invalid
    `contract`. An invalid contract that tflint found, a broken model, or a model that is deleted during the run,
    results in a finding.
    """
    _require_types(config, contract)
    configurations = Configurations(config or Config())
    walker = Walker(configurations.reason_to_skip)
    sources = source if isinstance(source, Sequence) and not isinstance(source, Checkable) else [source]
    for one in sources:
        require_checkable(one)
    items = [item for one in sources for item in _items_of(one, walker)]
    return check_items(
        items,
        walker.left_out(),
        configurations=configurations,
        baseline=baseline,
        progress=progress,
        jobs=jobs,
        plugins=plugins,
        contract=contract,
        confirm=confirm,
    )


def check_items(
    selected: Iterable[Item],
    left_out: SkippedPaths,
    *,
    configurations: Configurations,
    baseline: Counts | None = None,
    has_baselines: bool = False,
    progress: Progress | None = None,
    jobs: int | None = 1,
    plugins: str | Sequence[str] = (),
    contract: str | PurePath | Contract | None = None,
    limits: Limits = NO_LIMITS,
    catalogs: Catalogs | None = None,
    confirm: ConfirmOptions | None = None,
    cache: RunCache | None = None,
    finds_contracts: bool = True,
    limits_contracts: bool = False,
    walked: Sequence[str] = (),
) -> Report:
    """Check items as `check` does; folders are already expanded to files.

    `configurations` has the configuration of each item. With `has_baselines`, the baselines that the configurations
    name count. `limits` bound the whole run. `catalogs` loads the rules of the configurations. With `confirm`, the
    models are also run. With `cache`, files whose reports are stored are not checked again.

    With `finds_contracts` false, tflint does not search for contracts. With `limits_contracts`, suppressions and
    targets of contracts count only as they are in the revision of the configurations, or not at all. `walked` are the
    folders that were searched completely: in them, globs that match nothing are reported.
    """
    if jobs is not None and jobs < 1:
        raise UserError(f"the number of jobs must be at least 1, not {jobs}", hint="None chooses it")
    started = time.perf_counter()
    items = list(_with_models_of_contracts(selected))
    allowed_plugins = _load_plugins(plugins)
    loader = catalogs or Catalogs(allowed_plugins)
    given = load_contract(str(contract)) if isinstance(contract, str | PurePath) else contract

    def make_scope(config: Config) -> Scope:
        rules = loader.of(config.rules)
        plan = _plan(rules, config, allowed_plugins, has_run=confirm is not None)
        if given is not None:
            plan_for_contract(plan, given)  # an invalid target in a contract of the user is an error of the run
        contracts = Contracts(
            config.contracts,
            config.folder,
            given,
            is_searching=finds_contracts,
            are_limited=limits_contracts,
            revision=configurations.revision,
            validate=functools.partial(plan_for_contract, plan),
        )
        known = _read_baseline(config) if has_baselines and config.baseline else baseline
        return Scope(config, rules, plan, contracts, known, configurations.baseline_folder(config))

    scopes = Scopes(configurations, make_scope)
    files: list[CheckedFile] = []
    n_done = 0
    for scope, group in scopes.split(items):
        # Close the generator, so that an interruption also ends the worker processes.
        with contextlib.closing(_check_scope(group, scope, configurations, cache, jobs, limits)) as groups:
            for n_items, checked in groups:
                files += checked if scope.number == 0 else [replace(file, scope=scope.number) for file in checked]
                n_done += n_items
                if progress:
                    progress(n_done, len(items))
    return _report_on(files, items, left_out, scopes.all(), started, confirm, progress, limits, configurations, walked)


def _read_baseline(config: Config) -> Counts:
    from tflint.findings.baseline import read_baseline  # few runs have one

    return read_baseline(config.baseline)


def _report_on(
    files: Sequence[CheckedFile],
    items: Sequence[Item],
    left_out: SkippedPaths,
    scopes: Sequence[Scope],
    started: float,
    confirm: ConfirmOptions | None,
    progress: Progress | None,
    limits: Limits,
    configurations: Configurations,
    walked: Sequence[str],
) -> Report:
    """Return the report of checked files. With `confirm`, the models are run first."""
    tables = {rule.for_each for scope in scopes for rule in scope.catalog.rules} - PAIR_TABLES
    if confirm is None:
        report = build_report(add_contract_reports(files), scopes, tables - RUN_TABLES, started)
    else:
        from tflint.confirm.run_confirmation import confirm_run  # few runs confirm

        confirmed, confirmation, notices = confirm_run(files, items, scopes, confirm, progress, limits)
        report = build_report(add_contract_reports(confirmed), scopes, tables, started)
        report = replace(report, confirmation=confirmation, notices=(*report.notices, *notices))
    if walked:
        from tflint.runner.unmatched_globs import find_unmatched  # only searches in folders can tell

        unmatched = [find_unmatched(scope.config, report.files, configurations, walked) for scope in scopes]
        report = replace(report, notices=(*report.notices, *itertools.chain.from_iterable(unmatched)))
    has_excludes = any(scope.exclude for scope in scopes)
    return count_left_out(report, [file.report for file in files], items, left_out, has_excludes=has_excludes)


def _check_scope(
    items: Sequence[Item],
    scope: Scope,
    configurations: Configurations,
    cache: RunCache | None,
    jobs: int | None,
    limits: Limits,
) -> Generator[tuple[int, list[CheckedFile]], None, None]:
    """Yield the number of items and the checked files of each group, with stored reports if there is a cache."""
    check_groups = functools.partial(
        check_by_group,
        plan=scope.plan,
        exclude=(*scope.exclude, *configurations.exclude_everywhere),
        contracts=scope.contracts,
        jobs=jobs,
        limits=limits,
    )
    if cache is None or not are_whole_files(items):  # reports of members do not show which item they are of
        return check_groups(items)
    from tflint.runner.stored_reports import check_with_cache  # needs a cache

    exclude = (scope.exclude, configurations.exclude_everywhere)
    cache.open_store(f"{scope.catalog.digest} {scope.config.settings()} {exclude}")
    return check_with_cache(items, scope.contracts, cache, check_groups)


def judge_run(model: Model, run: ModelRun, *, config: Config, contract: Contract | None = None) -> list[Finding]:
    """Return the findings of the rules about runs, for a run of a model that was not made by this process."""
    from tflint.confirm.run_findings import find_in_runs  # few runs need it

    plan = _plan(load_catalog(config.rules), config, None, has_run=True)
    return find_in_runs(model, model.name, contract, [run], plan)


def diff(
    old: Checkable,
    new: Checkable,
    *,
    config: Config | None = None,
    baseline: Counts | None = None,
    plugins: str | Sequence[str] = (),
) -> Report:
    """Compare two versions of a model; report the differences that affect client code.

    Each version is a path, bytes, or a model that `load` returned. A member of a container has a path such as
    `bundle.task!/model.tflite`. The report has a file of kind `pair`: `path` is the path of the new version,
    `compared_with` that of the old one. If a version cannot be read, the report has a file for that version instead.
    Two folders or two containers are compared model by model; the report has a pair for each model, also for those that
    only one side has. Raises `UserError` in the same cases as `check`, and also for a folder or a container and a
    single model.
    """
    _require_types(config, None)
    for one in (old, new):
        require_checkable(one)
    return compare(old, new, config=config or Config(), baseline=baseline, plugins=plugins)


def _require_types(config: object, contract: object) -> None:
    """Raise `TypeError`, with what to pass instead, for a configuration or contract of the wrong type."""
    if config is not None and not isinstance(config, Config):
        raise TypeError(f"config must be a tflint.Config, such as tflint.load_config(path), not {_type_name(config)}")
    if contract is not None and not isinstance(contract, str | PurePath | Contract):
        what = "a path or a contract that tflint.read_contract returned"
        raise TypeError(f"contract must be {what}, not {_type_name(contract)}")


def _type_name(value: object) -> str:
    return type(value).__name__


def compare(
    old: Checkable,
    new: Checkable,
    *,
    config: Config,
    baseline: Counts | None = None,
    plugins: str | Sequence[str] = (),
    catalogs: Catalogs | None = None,
) -> Report:
    """Compare two versions as `diff` does; `catalogs` has the rules if they are already loaded."""
    configurations = Configurations(config)
    walker = Walker(configurations.reason_to_skip)
    from tflint.runner.version_pairs import pair_sources  # `check` does not need it

    pairs = pair_sources(old, new, walker)
    return compare_pairs(
        pairs, walker, configurations=configurations, baseline=baseline, plugins=plugins, catalogs=catalogs
    )


def compare_pairs(
    pairs: Iterable[VersionPair],
    walker: Walker,
    *,
    configurations: Configurations,
    baseline: Counts | None = None,
    has_baselines: bool = False,
    plugins: str | Sequence[str] = (),
    catalogs: Catalogs | None = None,
) -> Report:
    """Compare pairs of versions as `diff` does. They are read one by one; `walker` counts the paths that it skips.

    The configuration of the new version applies. With `has_baselines`, the baselines that configurations name count.
    """
    started = time.perf_counter()
    allowed_plugins = _load_plugins(plugins)
    loader = catalogs or Catalogs(allowed_plugins)

    def make_scope(config: Config) -> Scope:
        rules = loader.of(config.rules)
        known = _read_baseline(config) if has_baselines and config.baseline else baseline
        plan = _plan(rules, config, allowed_plugins, is_diff=True)
        contracts = Contracts(config.contracts, config.folder)
        return Scope(config, rules, plan, contracts, known, configurations.baseline_folder(config))

    scopes = Scopes(configurations, make_scope)
    from tflint.runner.pair_comparison import compare_pair  # `check` does not need it

    files: list[CheckedFile] = []
    for pair in pairs:
        scope = scopes.of(pair.path)
        files += [CheckedFile(file, scope=scope.number) for file in compare_pair(pair, scope.plan)]
    kinds = {file.report.kind == "pair" for file in files}
    tables = (PAIR_TABLES if True in kinds else frozenset()) | (FILE_TABLES if False in kinds else frozenset())
    return replace(build_report(files, scopes.all(), tables, started), left_out=walker.left_out())


def _load_plugins(names: str | Sequence[str]) -> Plugins | None:
    if not names:
        return None
    from tflint.facts.plugin_loader import load_plugins  # not needed by runs without plugins

    return load_plugins(names)


def _plan(
    catalog: Catalog, config: Config, plugins: Plugins | None, *, is_diff: bool = False, has_run: bool = False
) -> Plan:
    """Return the plan of a run.

    `diff` runs the rules about pairs and about unreadable files. `check` runs all rules except those about pairs, and
    those about runs unless the models are run (`has_run`).
    """
    selected = select_rules(catalog.rules, config)
    rules = tuple([one for one in selected if (one.rule.for_each in PAIR_TABLES) == is_diff])
    if not rules and is_diff:
        raise UserError("no selected rule compares models", hint="'tflint rules' lists the rules")
    if not rules:
        raise UserError("all selected rules compare two models", hint="'tflint diff OLD NEW' runs them")
    if not (is_diff or has_run) and all(one.rule.for_each in RUN_TABLES for one in rules):
        raise UserError("all selected rules are about runs of the models", hint="--confirm runs the models")
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


def _items_of(source: Checkable, walker: Walker) -> Iterator[Item]:
    """Yield a source, or the models in a folder. A file that is deleted later results in a finding."""
    if isinstance(source, str | PurePath):
        require_existing(source)
        if os.path.isdir(source):  # noqa: PTH112 (Path.is_dir raises if a folder above cannot be searched)
            yield from walker.walk(str(source))
            return
    yield source


def _with_models_of_contracts(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the items, with each contract replaced by its models; `UserError` for a member that does not exist."""
    for item in items:
        path = str(item) if isinstance(item, str | PurePath) else ""
        if path.endswith(SUFFIX):
            yield from map(check_link, find_models(path))
            continue
        if MEMBER in path:
            require_existing(path)
        yield item
