"""The one way in: checks paths, bytes or loaded models and gives a report; prints nothing, never exits."""

from __future__ import annotations

import contextlib
import datetime
import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, TypeAlias

from tflint._version import __version__
from tflint.catalog import Catalog, Rule, load_catalog
from tflint.catalog.constants import Constants
from tflint.config import Config
from tflint.engine.run import BatchCrashError, Plan, run_batch
from tflint.engine.select import RULESET, select_rules, specificity
from tflint.engine.targets import declared_targets
from tflint.errors import UserError
from tflint.findings import CRASH_RULE, FileReport, Notice, Report, Suppression
from tflint.findings.baseline import Counts, apply_baseline
from tflint.findings.paths import matches, seen_from
from tflint.findings.suppress import apply_allows, mark
from tflint.model.load import Opened, batches, open_model, read_one, unreadable
from tflint.model.tables import Tables
from tflint.source import BytesSource, FileSource, SourceError
from tflint.source.walk import missing, walk
from tflint.values import holder

if TYPE_CHECKING:
    from tflint.facts.plugins import Plugins

#: Files opened at a time: bounds open descriptors and the bytes of small files in memory.
GROUP_FILES = 128
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
    """Read a model from a path or from bytes.

    Raises `UserError` where a path does not exist. A file that is no model, or a broken one, loads: checking it says
    what is wrong with it.
    """
    if isinstance(source, str | PurePath):
        _require_existing(source)
    opened, label = _open(source)
    return Model(name or label, read_one(opened), opened)


def check(
    source: Checkable | Sequence[Checkable],
    *,
    config: Config | None = None,
    baseline: Counts | None = None,
    progress: Progress | None = None,
    jobs: int | None = 1,
    plugins: str | Sequence[str] = (),
) -> Report:
    """Check one model or many: paths of files, bytes, or what `load` gave.

    The report has the files in the order given, with findings, what could not be checked, and suppressed findings
    marked. Raises `UserError` for a path that does not exist and for wrong rules, targets or selections; a model that
    is broken, or vanishes while it is read, is a finding. `progress` is told the number of files done and of all.
    `jobs` is the number of processes; None chooses by the number of files. A folder stands for the models below it.
    `plugins` names installed distributions whose facts the user's rules may read: their code is run.
    """
    config = config or Config()
    if jobs is not None and jobs < 1:
        raise UserError(f"the number of jobs must be at least 1, not {jobs}", hint="None chooses it")
    started = time.perf_counter()
    items = list(_items([source] if isinstance(source, Checkable) else source, config))
    allowed = _plugins(plugins)
    catalog = load_catalog(config.rules, allowed)
    plan = _plan(catalog, config, allowed)
    files: list[FileReport] = []
    with contextlib.closing(_groups(items, plan, jobs)) as groups:  # an interruption ends the processes, too
        for group in groups:
            files += group
            if progress:
                progress(len(files), len(items))
    files, notices = _suppressed(files, config, baseline, catalog)
    crashes = sum(finding.rule == CRASH_RULE for file in files for finding in file.findings)
    return Report(
        files=tuple(files),
        targets=tuple(target.name for target in plan.targets),
        is_default_target=not config.targets,
        ruleset=config.ruleset or RULESET,
        version=__version__,
        rules_digest=catalog.digest,
        config_digest=config.digest(),
        notices=tuple(notices),
        rules_run=len(plan.rules),
        elapsed=time.perf_counter() - started,
        crashes=crashes,
    )


def _plugins(names: str | Sequence[str]) -> Plugins | None:
    if not names:
        return None
    from tflint.facts.plugins import load_plugins  # a run without plugins does not need it

    return load_plugins(names)


def _plan(catalog: Catalog, config: Config, plugins: Plugins | None) -> Plan:
    return Plan(
        select_rules(catalog.rules, config),
        declared_targets(config),
        Constants(catalog.constants),
        catalog.rule(CRASH_RULE),
        plugins,
    )


def _items(sources: Sequence[Checkable], config: Config) -> Iterator[Checkable]:
    """The sources, each folder replaced by the models below it; what vanishes from here on is a finding."""
    for source in sources:
        if isinstance(source, str | PurePath):
            _require_existing(source)
        if isinstance(source, str | PurePath) and Path(source).is_dir():
            yield from walk(str(source), config.exclude, config.folder)
        else:
            yield source


def _require_existing(source: str | PurePath) -> None:
    """`UserError` where a path does not exist; a link that leads nowhere does, and is a finding."""
    path = Path(source)
    if not str(source):
        raise UserError("an empty path")
    if not path.exists() and not path.is_symlink():
        raise missing(str(source))


def _groups(items: Sequence[Checkable], plan: Plan, jobs: int | None) -> Generator[list[FileReport], None, None]:
    """Reports of all items in order, some at a time; in several processes where that is worth their start."""
    groups = [(items[begin : begin + GROUP_FILES], begin) for begin in range(0, len(items), GROUP_FILES)]
    if jobs is None:
        jobs = os.cpu_count() or 1 if len(items) >= PARALLEL_FILES else 1
    if jobs == 1 or len(groups) == 1 or not all(isinstance(item, str | PurePath) for item in items):
        for group, first in groups:
            yield _check_group(group, first, plan)
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(min(jobs, len(groups)), initializer=_die_quietly) as pool:
        try:
            yield from pool.map(_check_group, *zip(*groups, strict=True), [plan] * len(groups))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _die_quietly() -> None:
    """Ctrl-C reaches all processes: the first one speaks of it, the others end without a word."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _open(source: Checkable) -> tuple[Opened, str]:
    """What a source holds, and what reports call it."""
    if isinstance(source, Model):
        return source.opened, source.name
    if isinstance(source, str | PurePath):
        path = Path(source)
        try:
            return open_model(FileSource(path), path.name), path.as_posix()
        except SourceError as error:
            return unreadable(error, name=path.name), path.as_posix()
    return open_model(BytesSource(source)), "<bytes>"


def _check_group(items: Sequence[Checkable], first: int, plan: Plan) -> list[FileReport]:
    opened: list[Opened] = []
    names: list[str] = []
    try:
        for number, item in enumerate(items, first):
            one, name = _open(item)
            opened.append(one)
            names.append(name if name != "<bytes>" or len(items) == 1 else f"<bytes {number}>")
        reports: dict[int, FileReport] = {}
        for numbers, tables in batches(opened):
            reports.update(zip(numbers, _run(numbers, tables, opened, names, plan), strict=True))
        return [reports[number] for number in range(len(items))]
    finally:
        for item, one in zip(items, opened, strict=False):
            if one.source is not None and not isinstance(item, Model):
                one.source.close()


def _run(
    numbers: Sequence[int], tables: Tables, opened: Sequence[Opened], names: Sequence[str], plan: Plan
) -> Iterator[FileReport]:
    """Reports of a batch; where a rule crashes on it, file by file."""
    try:
        yield from run_batch(tables, [names[number] for number in numbers], plan)
    except BatchCrashError:
        for number in numbers:
            yield from _run([number], read_one(opened[number]), opened, names, plan)
    except SourceError as error:
        gone = read_one(unreadable(error, tables.files[0].size, tables.files[0].name))
        yield from run_batch(gone, [names[number] for number in numbers], plan)


def _suppressed(
    files: list[FileReport], config: Config, baseline: Counts | None, catalog: Catalog
) -> tuple[list[FileReport], list[Notice]]:
    if config.per_file_ignores:
        by_id = {rule.id: rule for rule in catalog.rules}
        files = [_ignore_in(file, config, by_id) for file in files]
    files, notices = apply_allows(files, config.allow, datetime.date.today(), config.folder)
    if baseline is not None:
        files = apply_baseline(files, baseline, config.folder)
    return files, notices


def _ignore_in(file: FileReport, config: Config, by_id: Mapping[str, Rule]) -> FileReport:
    path = seen_from(config.folder, file.path)
    tokens = [
        (glob, token) for glob, chosen in config.per_file_ignores.items() if matches(path, glob) for token in chosen
    ]

    def suppress_rule(rule_id: str) -> Suppression | None:
        for glob, token in tokens:
            if specificity(token, by_id[rule_id]):
                return Suppression("per-file-ignore", f"{token} is ignored in {glob}")
        return None

    return mark(file, lambda finding: suppress_rule(finding.rule)) if tokens else file
