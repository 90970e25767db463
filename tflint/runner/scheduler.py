"""Checks what was given, group by group: in batches, and in several processes where that is worth their start."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import PurePath

from tflint.config import Config
from tflint.contract import Contracts
from tflint.engine.run import BatchCrashError, Plan, planned, run_batch
from tflint.findings import FileReport
from tflint.findings.path_globs import MEMBER, covers, matches, relative_to_folder
from tflint.model.batch_reader import Found, LeavesOut, Opened, numbered_batches, read_one, unreadable
from tflint.model.tables import Tables
from tflint.runner.member_ledger import Ledger
from tflint.runner.model_loader import BYTES, Item, Model, begin
from tflint.runner.run_limits import Limits
from tflint.source import SourceError
from tflint.source.file_kind import NOT_REACHED, FileKind
from tflint.source.model_search import Unopened
from tflint.values import frozen, replace

#: Files that are checked before the next report on progress, or that one process takes at a time; fewer if the limits
#: of a run are looked at between groups.
GROUP_FILES = 128
GROUP_FILES_WITH_LIMITS = 32
#: From this many files on several processes are started where nobody says how many: each costs an import of numpy.
PARALLEL_FILES = 1000


@frozen
class _LeftOut:
    """Which members of containers the configuration leaves out: those that a pattern means which is not about the
    container, since that one was asked for.
    """

    patterns: tuple[str, ...]
    folder: str

    def __call__(self, container: str, member: str) -> bool:
        outer, inner = relative_to_folder(self.folder, container), relative_to_folder(self.folder, member)
        return any(
            matches(inner, pattern) and not covers(outer, pattern, is_member=MEMBER in outer)
            for pattern in self.patterns
        )


def reports_by_group(
    items: Sequence[Item], plan: Plan, config: Config, contracts: Contracts, jobs: int | None, limits: Limits
) -> Generator[tuple[int, list[FileReport]], None, None]:
    """Reports of all items in order, some items at a time; in several processes where that is worth their start."""
    size = GROUP_FILES_WITH_LIMITS if limits.are_set else GROUP_FILES
    groups = [(items[begin : begin + size], begin) for begin in range(0, len(items), size)]
    leaves_out = _LeftOut(tuple(config.exclude), config.folder) if config.exclude else None
    if jobs is None:
        jobs = os.cpu_count() or 1 if len(items) >= PARALLEL_FILES else 1
    if jobs == 1 or len(groups) == 1 or not all(isinstance(item, str | PurePath | Unopened) for item in items):
        for group, first in groups:
            yield len(group), _check_within_limits(group, first, plan, contracts, leaves_out, limits)
        return
    from tflint.runner.worker_pool import mapped  # few runs start processes

    shared = (plan, contracts, leaves_out, limits)
    reports = mapped(_check_within_limits, groups, min(jobs, len(groups)), shared=shared)
    with contextlib.closing(reports):
        yield from zip((len(group) for group, _ in groups), reports, strict=True)


def _check_within_limits(
    items: Sequence[Item],
    first: int,
    plan: Plan,
    contracts: Contracts,
    leaves_out: LeavesOut | None,
    limits: Limits,
) -> list[FileReport]:
    """Reports of some items; of those that the run's limits do not let it reach, reports that say so."""
    reason = limits.reached() if limits.are_set else ""
    if reason:
        kind = FileKind(NOT_REACHED, reason)
        items = [Unopened(_label(item, number), kind) for number, item in enumerate(items, first)]
    return _check_group(items, first, plan, contracts, leaves_out)


def _label(item: Item, number: int) -> str:
    """What reports call an item that is not opened."""
    if isinstance(item, Unopened):
        return item.path
    if isinstance(item, Model):
        return item.name
    return PurePath(item).as_posix() if isinstance(item, str | PurePath) else f"<bytes {number}>"


def _check_group(
    items: Sequence[Item], first: int, plan: Plan, contracts: Contracts, leaves_out: LeavesOut | None
) -> list[FileReport]:
    """Reports of some items in order, each container's followed by those of its members."""
    waiting: dict[int, Found] = {}
    reports: dict[int, FileReport] = {}
    ledger = Ledger(plan, contracts)
    with contextlib.closing(_all_found(items, first, leaves_out)) as founds:

        def opened() -> Iterator[tuple[int, Opened]]:
            for number, found in enumerate(founds):
                entered = ledger.enter(number, found)
                if entered is not None:
                    waiting[number] = entered
                    yield number, entered.opened

        for numbers, tables in numbered_batches(opened(), ledger.is_spent):
            batch = [waiting.pop(number) for number in numbers]
            ledger.count(numbers, tables)
            if any(map(ledger.is_spent, numbers)):
                numbers, batch = _unspent(numbers, batch, ledger)
                reports.update(zip(numbers, _one_by_one(batch, plan, contracts), strict=True))
            else:
                reports.update(zip(numbers, _run(batch, tables, plan, contracts), strict=True))
    reports.update(ledger.repeated(reports))
    for number, found in ledger.refused():
        reports.update(zip([number], _run([found], read_one(found.opened), plan, contracts), strict=True))
    return [reports[number] for number in sorted(reports) if not ledger.is_spent(number)]


def _unspent(numbers: Sequence[int], batch: Sequence[Found], ledger: Ledger) -> tuple[list[int], list[Found]]:
    """The members of a batch that the budgets of their files leave room for."""
    kept = [(number, found) for number, found in zip(numbers, batch, strict=True) if not ledger.is_spent(number)]
    return [number for number, _ in kept], [found for _, found in kept]


def _all_found(items: Sequence[Item], first: int, leaves_out: LeavesOut | None) -> Generator[Found, None, None]:
    """All that the items hold; a file is closed when the next one is asked for."""
    for number, item in enumerate(items, first):
        label = BYTES if len(items) == 1 else f"<bytes {number}>"
        founds, file = begin(item, label, leaves_out)
        try:
            yield from founds
        finally:
            if file is not None:
                file.close()


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
