"""Checks items with the cache: returns stored reports, checks the other items, and stores their reports."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence

from tflint.cache.run_cache import RunCache
from tflint.contract import Contracts
from tflint.contract.contract_files import hash_contract
from tflint.runner.model_loader import Item
from tflint.runner.scheduler import CheckedFile
from tflint.source.model_search import UnopenedPath

#: Checks items and yields the number of items and the checked files of each group, in order.
CheckGroups = Callable[[Sequence[Item]], Generator[tuple[int, list[CheckedFile]], None, None]]


def check_with_cache(
    items: Sequence[Item], contracts: Contracts, cache: RunCache, check: CheckGroups
) -> Generator[tuple[int, list[CheckedFile]], None, None]:
    """Yield the number of items and their checked files, in order; `check` checks those without stored reports."""
    stored: dict[str, list[CheckedFile]] = {}
    missing: list[Item] = []
    for item in items:
        found = _find(item, contracts, cache) if isinstance(item, str) else None
        if found is None:
            missing.append(item)
        else:
            stored[str(item)] = found
    with contextlib.closing(_check_missing(missing, cache, check)) as checked:
        for item in items:
            path = item.path if isinstance(item, UnopenedPath) else str(item)
            files = stored[path] if path in stored else next(checked)
            cache.note_contracts(file.contract for file in files)
            yield 1, files


def _find(path: str, contracts: Contracts, cache: RunCache) -> list[CheckedFile] | None:
    """Return the stored reports of a file if the contracts of all its models are the same as then."""
    found = cache.find(path)
    if found is None:
        return None
    reports, digests = found
    located = [contracts.of(report.path) for report in reports]
    if list(map(hash_contract, located)) != digests:
        return None
    return [CheckedFile(report, contract) for report, contract in zip(reports, located, strict=True)]


def _check_missing(
    items: Sequence[Item], cache: RunCache, check: CheckGroups
) -> Generator[list[CheckedFile], None, None]:
    """Check items; store and yield the checked files of each item, in order."""
    files: list[CheckedFile] = []
    with contextlib.closing(check(items)) as groups:
        for _, group in groups:
            files = group
            while files:
                path = files[0].report.path_on_disk
                n_files = next((n for n, file in enumerate(files) if file.report.path_on_disk != path), len(files))
                own, files = files[:n_files], files[n_files:]
                cache.add(path, [file.report for file in own], [file.contract for file in own])
                yield own
