"""The one way in: checks or compares paths, bytes or loaded models and gives a report; prints nothing, never exits."""

from __future__ import annotations

import contextlib
import datetime
import os
import time
from collections.abc import Callable, Container, Generator, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TypeAlias

from tflint._version import __version__
from tflint.catalog import Catalog, Rule, load_catalog
from tflint.catalog.constants import Constants
from tflint.config import Config
from tflint.contract import SUFFIX, Contract, Contracts, load_contract
from tflint.contract.find import models_of
from tflint.documents.nearest import nearest
from tflint.engine.run import BatchCrashError, Plan, planned, run_batch
from tflint.engine.select import RULESET, select_rules, specificity
from tflint.engine.targets import declared_targets
from tflint.errors import UserError
from tflint.facts.declared import ABOUT_PAIRS, FILE_TABLES
from tflint.findings import CRASH_RULE, FileReport, Finding, Notice, Report, Suppression
from tflint.findings.baseline import Counts, apply_baseline
from tflint.findings.paths import MEMBER, covers, matches, seen_from
from tflint.findings.suppress import apply_allows, mark
from tflint.flatbuffer.errors import FlatbufferError
from tflint.model.load import Found, LeavesOut, Opened, batches, expand, read_one, read_together, unreadable
from tflint.model.tables import Tables
from tflint.source import BytesSource, FileSource, Source, SourceError
from tflint.source.kind import MODEL
from tflint.source.walk import container_of, missing, walk
from tflint.values import frozen, holder, replace

if TYPE_CHECKING:
    from tflint.facts.plugins import Plugins

#: Files that are checked before the next report on progress, or that one process takes at a time.
GROUP_FILES = 128
#: What reports call bytes.
BYTES = "<bytes>"
OLD_BYTES, NEW_BYTES = "<old bytes>", "<new bytes>"
#: An error names this many members of a container.
MAX_NAMED = 6
#: From this many files on several processes are started where nobody says how many: each costs an import of numpy.
PARALLEL_FILES = 1000

Progress: TypeAlias = Callable[[int, int], None]


@holder
class Model:
    """A model that was loaded to be checked, perhaps more than once.

    `name` is what reports call it; `tables` gives its columns, such as `tables.column("tensor", "dtype")`.
    """

    name: str
    tables: Tables
    opened: Opened

    def __repr__(self) -> str:
        return f"Model({self.name!r})"

    @property
    def is_readable(self) -> bool:
        """Whether it is a model; what it is instead, a check says."""
        return self.tables.is_readable


Checkable: TypeAlias = str | PurePath | bytes | bytearray | memoryview | Model


def load(source: str | PurePath | bytes | bytearray | memoryview, *, name: str | None = None) -> Model:
    """Read a model from a path or from bytes; a member of a container by a path such as `bundle.task!/model.tflite`.

    Raises `UserError` where a path does not exist, and for a container, which is no model but holds some. A file that
    is no model, or a broken one, loads: checking it says what is wrong with it.
    """
    found, _ = _single(source, name or BYTES)
    return Model(name or found.path, read_one(found.opened), found.opened)


def _single(source: Checkable, label: str) -> tuple[Found, Source | None]:
    """The one file, or member of a container, that is meant, and the file to be closed afterwards, if there is one.

    `UserError` where a path does not exist, and for a container.
    """
    if isinstance(source, str | PurePath):
        _require_existing(source)
    founds, file = _begin(source, label)
    found = next(founds)
    contents = found.opened.contents
    if contents is None or contents.reason is not None:
        return found, file
    if file is not None:
        file.close()
    raise _no_single_model(found.path, [f"{found.path}{MEMBER}{m.label}" for m in contents.members if m.is_checked])


def load_readable(path: str) -> Model:
    """Read a model from a path; `UserError` also for a file that is none, or a broken one."""
    model = load(path)
    if not model.is_readable:
        raise UserError(f"'{model.name}' is no model that can be read", hint=f"'tflint check {model.name}' says why")
    return model


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
    if jobs is not None and jobs < 1:
        raise UserError(f"the number of jobs must be at least 1, not {jobs}", hint="None chooses it")
    started = time.perf_counter()
    items = list(_items([source] if isinstance(source, Checkable) else source, config))
    allowed = _plugins(plugins)
    catalog = load_catalog(config.rules, allowed)
    plan = _plan(catalog, config, allowed, is_diff=False)
    contracts = Contracts(config.contracts, config.folder, _given(contract))
    files: list[FileReport] = []
    done = 0
    # Closed, so that an interruption ends the processes, too.
    with contextlib.closing(_groups(items, plan, config, contracts, jobs)) as groups:
        for n_items, reports in groups:
            files += reports
            done += n_items
            if progress:
                progress(done, len(items))
    judged = {rule.for_each for rule in catalog.rules} - ABOUT_PAIRS
    return _report(_with_contracts(files), _Run(config, catalog, plan, contracts, started), baseline, judged)


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
    return _report(files, _Run(config, catalog, plan, Contracts({}, config.folder), started), baseline, judged)


def _side(source: Checkable, label: str, stack: contextlib.ExitStack) -> Found:
    """One of both models, open until the stack is left."""
    if isinstance(source, str | PurePath) and str(source) and Path(source).is_dir():
        raise UserError(f"'{source}' is a folder", hint="name a model in it: two models are compared")
    found, file = _single(source, label)
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


@frozen
class _Run:
    """What a run began with: its configuration, rules and contracts, and when."""

    config: Config
    catalog: Catalog
    plan: Plan
    contracts: Contracts
    started: float


def _report(files: Sequence[FileReport], run: _Run, baseline: Counts | None, judged: Container[str]) -> Report:
    """The report of a run, whose rules were about the tables `judged`."""
    marked, notices = _suppressed(list(files), run, baseline, judged)
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
    from tflint.facts.plugins import load_plugins  # a run without plugins does not need it

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


def _items(sources: Sequence[Checkable], config: Config) -> Iterator[Checkable]:
    """The sources, each folder replaced by the models below it; what vanishes from here on is a finding."""
    for source in sources:
        if isinstance(source, str | PurePath):
            _require_existing(source)
        if isinstance(source, str | PurePath) and Path(source).is_dir():
            yield from walk(str(source), config.exclude, config.folder)
        elif isinstance(source, str | PurePath) and str(source).endswith(SUFFIX):
            yield from models_of(str(source))
        else:
            yield source


def _require_existing(source: str | PurePath) -> None:
    """`UserError` where a path does not exist; a link that leads nowhere does, and is a finding."""
    path = Path(source)
    if not str(source):
        raise UserError("an empty path")
    try:
        if path.exists() or path.is_symlink():
            return
    except OSError as error:  # such as a name longer than the file system has
        raise UserError(f"'{str(source)[:80]}…' cannot be a path: {error.strerror}") from error
    if not container_of(path.as_posix()):
        raise missing(str(source))
    founds, file = _begin(source)
    try:
        if next(founds, None) is None:
            raise _no_member(path.as_posix())
    finally:
        if file is not None:
            file.close()


def _no_member(path: str) -> UserError:
    """The error for a member that a container does not have, or that is no model, with the name most like it."""
    container = container_of(path)
    founds, file = _begin(container)
    members = [found.path for found in founds if found.within is not None]
    if file is not None:
        file.close()
    hint = nearest(path, members) or f"'tflint check {container}' says what is in it"
    return UserError(f"'{path}' is no model in '{container}'", hint=hint)


def _no_single_model(path: str, members: Sequence[str]) -> UserError:
    listed = ", ".join([*members[:MAX_NAMED], *(["…"] if len(members) > MAX_NAMED else [])])
    hint = f"name one of its models: {listed}" if members else "no member of it is a model"
    return UserError(f"'{path}' is a container of models, not a model", hint=hint)


# -- the run -----------------------------------------------------------------------------------------------------------


@frozen
class _LeftOut:
    """Which members of containers the configuration leaves out: those that a pattern means which is not about the
    container, since that one was asked for.
    """

    patterns: tuple[str, ...]
    folder: str

    def __call__(self, container: str, member: str) -> bool:
        outer, inner = seen_from(self.folder, container), seen_from(self.folder, member)
        return any(matches(inner, pattern) and not covers(outer, pattern) for pattern in self.patterns)


def _groups(
    items: Sequence[Checkable], plan: Plan, config: Config, contracts: Contracts, jobs: int | None
) -> Generator[tuple[int, list[FileReport]], None, None]:
    """Reports of all items in order, some items at a time; in several processes where that is worth their start."""
    groups = [(items[begin : begin + GROUP_FILES], begin) for begin in range(0, len(items), GROUP_FILES)]
    leaves_out = _LeftOut(tuple(config.exclude), config.folder) if config.exclude else None
    if jobs is None:
        jobs = os.cpu_count() or 1 if len(items) >= PARALLEL_FILES else 1
    if jobs == 1 or len(groups) == 1 or not all(isinstance(item, str | PurePath) for item in items):
        for group, first in groups:
            yield len(group), _check_group(group, first, plan, contracts, leaves_out)
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(min(jobs, len(groups)), initializer=_die_quietly) as pool:
        try:
            rest = [plan] * len(groups), [contracts] * len(groups), [leaves_out] * len(groups)
            reports = pool.map(_check_group, *zip(*groups, strict=True), *rest)
            yield from zip((len(group) for group, _ in groups), reports, strict=True)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _die_quietly() -> None:
    """Ctrl-C reaches all processes: the first one speaks of it, the others end without a word."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _check_group(
    items: Sequence[Checkable], first: int, plan: Plan, contracts: Contracts, leaves_out: LeavesOut | None
) -> list[FileReport]:
    """Reports of some items in order, each container's followed by those of its members."""
    waiting: dict[int, Found] = {}
    reports: dict[int, FileReport] = {}
    with contextlib.closing(_all_found(items, first, leaves_out)) as founds:

        def opened() -> Iterator[Opened]:
            for number, found in enumerate(founds):
                waiting[number] = found
                yield found.opened

        for numbers, tables in batches(opened()):
            batch = [waiting.pop(number) for number in numbers]
            reports.update(zip(numbers, _run(batch, tables, plan, contracts), strict=True))
    return [reports[number] for number in sorted(reports)]


def _all_found(items: Sequence[Checkable], first: int, leaves_out: LeavesOut | None) -> Generator[Found, None, None]:
    """All that the items hold; a file is closed when the next one is asked for."""
    for number, item in enumerate(items, first):
        label = BYTES if len(items) == 1 else f"<bytes {number}>"
        founds, file = _begin(item, label, leaves_out)
        try:
            yield from founds
        finally:
            if file is not None:
                file.close()


def _begin(
    item: Checkable, label: str = BYTES, leaves_out: LeavesOut | None = None
) -> tuple[Iterator[Found], Source | None]:
    """What an item holds, to be opened piece by piece, and the file to be closed afterwards, if there is one."""
    if isinstance(item, Model):
        return iter([Found(item.name, item.opened)]), None
    if not isinstance(item, str | PurePath):
        return expand(BytesSource(item), "", label, leaves_out=leaves_out), None
    path = Path(item).as_posix()
    file = path if os.path.lexists(path) else container_of(path) or path
    name = PurePath(file).name
    try:
        source = FileSource(file)
    except SourceError as error:
        return iter([Found(path, unreadable(error, name=name))]), None
    wanted = path if file != path else ""
    return expand(source, name, file, wanted=wanted, leaves_out=None if wanted else leaves_out), source


def _run(batch: Sequence[Found], tables: Tables, plan: Plan, contracts: Contracts) -> Iterator[FileReport]:
    """Reports of a batch; file by file where a rule crashes on it, or contracts name targets of their own."""
    paths = [found.path for found in batch]
    known = {number: contract for number, path in enumerate(paths) if (contract := contracts.of(path)) is not None}
    plans = [planned(plan, known.get(number)) for number in range(len(batch))]
    if len(batch) > 1 and any(one is not plan for one in plans):
        yield from _one_by_one(batch, plan, contracts)
        return
    try:
        reports = run_batch(tables, paths, plans[0], known)
    except BatchCrashError:
        yield from _one_by_one(batch, plan, contracts)
        return
    except SourceError as error:
        gone = read_one(unreadable(error, tables.files[0].size, tables.files[0].name))
        reports = run_batch(gone, paths, plans[0], known)
    for found, report in zip(batch, reports, strict=True):
        yield report if found.within is None else replace(report, within=found.within)


def _one_by_one(batch: Sequence[Found], plan: Plan, contracts: Contracts) -> Iterator[FileReport]:
    for found in batch:
        yield from _run([found], read_one(found.opened), plan, contracts)


def _with_contracts(files: Sequence[FileReport]) -> list[FileReport]:
    """Each contract's findings in a report of its own, behind that of the first model that it is for."""
    reports: list[FileReport] = []
    places: dict[str, int] = {}
    for file in files:
        if file.contract is None:
            reports.append(file)
            continue
        here, there = _parted(file.findings, file.contract)
        reports.append(replace(file, findings=here))
        if file.contract not in places:
            places[file.contract] = len(reports)
            reports.append(FileReport(file.contract, kind="contract"))
        known = reports[places[file.contract]]
        reports[places[file.contract]] = replace(known, findings=known.findings + there)
    return reports


def _parted(findings: Sequence[Finding], contract: str) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """The findings that stand in the model, and those that stand in its contract."""
    here = tuple(finding for finding in findings if finding.location.file != contract)
    return here, tuple(finding for finding in findings if finding.location.file == contract)


def _suppressed(
    files: list[FileReport], run: _Run, baseline: Counts | None, judged: Container[str]
) -> tuple[list[FileReport], list[Notice]]:
    config = run.config
    if config.per_file_ignores:
        by_id = {rule.id: rule for rule in run.catalog.rules}
        files = [_ignore_in(file, config, by_id) for file in files]
    # One that is meant for another command is not unused here.
    known = {name for rule in run.catalog.rules if rule.for_each in judged for name in (rule.id, rule.name)}
    allows = [allow for allow in config.allow if allow.rule in known]
    today = datetime.date.today()
    files, notices = apply_allows(files, allows, today, config.folder)
    notices += _allow_in_contracts(files, run.contracts, today)
    if baseline is not None:
        files = apply_baseline(files, baseline, config.folder)
    return files, notices


def _allow_in_contracts(files: list[FileReport], contracts: Contracts, today: datetime.date) -> list[Notice]:
    """Mark the findings that contracts take back, each of those on itself and on its models."""
    concerned: dict[str, list[int]] = {}
    for number, file in enumerate(files):
        path = file.path if file.kind == "contract" else file.contract
        if path is not None:
            concerned.setdefault(path, []).append(number)
    notices: list[Notice] = []
    for numbers in concerned.values():
        contract = contracts.of(files[numbers[0]].path)  # a model comes before its contract
        if contract is not None and contract.allow:
            marked, more = apply_allows([files[number] for number in numbers], contract.allow, today)
            notices += more
            for number, file in zip(numbers, marked, strict=True):
                files[number] = file
    return notices


def _ignore_in(file: FileReport, config: Config, by_id: Mapping[str, Rule]) -> FileReport:
    path = seen_from(config.folder, file.path)
    tokens = [
        (glob, token) for glob, chosen in config.per_file_ignores.items() if covers(path, glob) for token in chosen
    ]

    def suppress_rule(rule_id: str) -> Suppression | None:
        for glob, token in tokens:
            if specificity(token, by_id[rule_id]):
                return Suppression("per-file-ignore", f"{token} is ignored in {glob}")
        return None

    return mark(file, lambda finding: suppress_rule(finding.rule)) if tokens else file
