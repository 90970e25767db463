"""Checks items group by group. The models of a group are checked in batches. Several processes share many groups."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import PurePath

from tflint.contract import Contract, Contracts
from tflint.engine.plan import Plan, plan_for_contract
from tflint.engine.run import BatchCrashError, run_batch
from tflint.findings import FileReport
from tflint.findings.path_globs import MEMBER, covers, matches, relative_to_folder
from tflint.model.batch_reader import (
    FoundFile,
    OpenedFile,
    SkipMember,
    read_numbered_batches,
    read_one,
    unreadable_file,
)
from tflint.model.tables import Tables
from tflint.runner.member_ledger import Ledger
from tflint.runner.model_loader import BYTES, Item, Model, begin
from tflint.runner.run_limits import Limits
from tflint.source import SourceError
from tflint.source.file_kind import NOT_REACHED, FileKind
from tflint.source.model_search import UnopenedPath
from tflint.values import frozen, replace

#: Number of files per group. A process checks one group at a time, and progress is reported after each group. Groups
#: are smaller if the run has limits, because limits are checked between groups.
GROUP_FILES = 128
GROUP_FILES_WITH_LIMITS = 32
#: Smallest number of files for which several processes start, unless the number of processes is given. Fewer files are
#: not worth it, because each process imports numpy.
PARALLEL_FILES = 1000


@frozen(eq=False)
class CheckedFile:
    """The report of a file, and the contract of the file if it has one.

    `scope` is the number of the scope of the file, if the files of a run have several configurations.
    """

    report: FileReport
    contract: Contract | None = None
    scope: int = 0


@frozen
class _ExcludedMembers:
    """Decides which members of containers are excluded, by globs with the folder to which each is relative.

    A glob that covers the container itself does not exclude its members, because the user named the container
    explicitly.
    """

    globs: tuple[tuple[str, str], ...]

    def __call__(self, container: str, member: str) -> bool:
        for folder, glob in self.globs:
            outer, inner = relative_to_folder(folder, container), relative_to_folder(folder, member)
            if matches(inner, glob) and not covers(outer, glob, is_member=MEMBER in outer):
                return True
        return False


@frozen(eq=False)
class _Checker:
    """Checks groups of items. Each worker process gets a copy."""

    plan: Plan
    contracts: Contracts
    excludes: SkipMember | None
    limits: Limits

    def check_within_limits(self, items: Sequence[Item], first: int) -> list[CheckedFile]:
        """Check some items. If the run has reached a limit, report the items as unchecked instead."""
        reason = self.limits.describe_reached() if self.limits.are_set else ""
        if reason:
            kind = FileKind(NOT_REACHED, reason)
            items = [UnopenedPath(_label(item, number), kind) for number, item in enumerate(items, first)]
        return self.check_group(items, first)

    def check_group(self, items: Sequence[Item], first: int) -> list[CheckedFile]:
        """Check some items and return their reports in order. The members of a container follow the container."""
        waiting: dict[int, FoundFile] = {}
        checked: dict[int, CheckedFile] = {}
        ledger = Ledger(self.plan, self.contracts)
        with contextlib.closing(_open_all(items, first, self.excludes)) as founds:

            def enter_all() -> Iterator[tuple[int, OpenedFile]]:
                for number, found in enumerate(founds):
                    to_read = ledger.enter(number, found)
                    if to_read is not None:
                        waiting[number] = to_read
                        yield number, to_read.opened

            for numbers, tables in read_numbered_batches(enter_all(), ledger.is_spent):
                batch = [waiting.pop(number) for number in numbers]
                ledger.count(numbers, tables)
                if any(map(ledger.is_spent, numbers)):
                    numbers, batch = _within_budget(numbers, batch, ledger)
                    checked.update(zip(numbers, self._check_one_by_one(batch), strict=True))
                else:
                    checked.update(zip(numbers, self._check_batch(batch, tables), strict=True))
        checked.update(self._repeat(ledger, checked))
        for number, found in ledger.refused_containers():
            checked.update(zip([number], self._check_batch([found], read_one(found.opened)), strict=True))
        return [checked[number] for number in sorted(checked) if not ledger.is_spent(number)]

    def _repeat(self, ledger: Ledger, checked: dict[int, CheckedFile]) -> dict[int, CheckedFile]:
        """Return the reports of members whose bytes repeat an earlier member."""
        reports = ledger.repeat_reports({number: file.report for number, file in checked.items()})
        return {number: CheckedFile(report, self.contracts.of(report.path)) for number, report in reports.items()}

    def _check_batch(self, batch: Sequence[FoundFile], tables: Tables) -> Iterator[CheckedFile]:
        """Check a batch. If a rule crashes on the batch or a contract adds targets, check the files one by one."""
        paths = [found.path for found in batch]
        located = [self.contracts.of(path) for path in paths]
        contracts = {number: contract for number, contract in enumerate(located) if contract is not None}
        plans = [plan_for_contract(self.plan, contracts.get(number)) for number in range(len(batch))]
        if len(batch) > 1 and any(plan is not self.plan for plan in plans):
            yield from self._check_one_by_one(batch)
            return
        try:
            reports = run_batch(tables, paths, plans[0], contracts)
        except BatchCrashError:
            yield from self._check_one_by_one(batch)
            return
        except SourceError as error:
            failed = read_one(unreadable_file(error, tables.files[0].size, tables.files[0].name))
            reports = run_batch(failed, paths, plans[0], contracts)
        for number, (found, report) in enumerate(zip(batch, reports, strict=True)):
            if found.within is not None:
                report = replace(report, within=found.within)
            yield CheckedFile(report, located[number])

    def _check_one_by_one(self, batch: Sequence[FoundFile]) -> Iterator[CheckedFile]:
        for found in batch:
            yield from self._check_batch([found], read_one(found.opened))


def check_by_group(
    items: Sequence[Item],
    plan: Plan,
    exclude: Sequence[tuple[str, str]],
    contracts: Contracts,
    jobs: int | None,
    limits: Limits,
) -> Generator[tuple[int, list[CheckedFile]], None, None]:
    """Yield the number of items and the checked files of each group, in order.

    `exclude` has the globs of excluded members, each after the folder to which it is relative. `jobs` is the number of
    processes. If it is None, the number of files determines it.
    """
    size = GROUP_FILES_WITH_LIMITS if limits.are_set else GROUP_FILES
    groups = [(items[begin : begin + size], begin) for begin in range(0, len(items), size)]
    excludes = _ExcludedMembers(tuple(exclude)) if exclude else None
    checker = _Checker(plan, contracts, excludes, limits)
    if jobs is None:
        jobs = os.cpu_count() or 1 if len(items) >= PARALLEL_FILES else 1
    if jobs == 1 or len(groups) == 1 or not all(isinstance(item, str | PurePath | UnopenedPath) for item in items):
        for group, first in groups:
            yield len(group), checker.check_within_limits(group, first)
        return
    from tflint.runner.worker_pool import map_in_processes  # few runs start processes

    results = map_in_processes(_check_in_worker, groups, min(jobs, len(groups)), shared=(checker,))
    with contextlib.closing(results):
        yield from zip((len(group) for group, _ in groups), results, strict=True)


def _check_in_worker(items: Sequence[Item], first: int, checker: _Checker) -> list[CheckedFile]:
    return checker.check_within_limits(items, first)


def _label(item: Item, number: int) -> str:
    """Return the path that reports use for an item that is not opened."""
    if isinstance(item, UnopenedPath):
        return item.path
    if isinstance(item, Model):
        return item.name
    return PurePath(item).as_posix() if isinstance(item, str | PurePath) else f"<bytes {number}>"


def _within_budget(
    numbers: Sequence[int], batch: Sequence[FoundFile], ledger: Ledger
) -> tuple[list[int], list[FoundFile]]:
    """Return the members of a batch that are still within the budgets of their files."""
    kept = [(number, found) for number, found in zip(numbers, batch, strict=True) if not ledger.is_spent(number)]
    return [number for number, _ in kept], [found for _, found in kept]


def _open_all(items: Sequence[Item], first: int, excludes: SkipMember | None) -> Generator[FoundFile, None, None]:
    """Yield the files and members of items. A file is closed when the caller asks for the next file."""
    for number, item in enumerate(items, first):
        label = BYTES if len(items) == 1 else f"<bytes {number}>"
        founds, file = begin(item, label, excludes)
        try:
            yield from founds
        finally:
            if file is not None:
                file.close()
