"""Confirms the files of a run, scope by scope: each configuration has its own plan."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import PurePath

from tflint.confirm.confirm_options import ConfirmOptions
from tflint.confirm.confirmation import confirm_files, merge_confirmations
from tflint.findings import Confirmation, Notice
from tflint.runner.model_loader import BYTES, Checkable, Item, Model
from tflint.runner.run_limits import Limits
from tflint.runner.scheduler import CheckedFile
from tflint.runner.scopes import Scope
from tflint.source.model_search import UnopenedPath


def confirm_run(
    files: Sequence[CheckedFile],
    items: Sequence[Item],
    scopes: Sequence[Scope],
    options: ConfirmOptions,
    progress: Callable[[int, int], None] | None,
    limits: Limits,
) -> tuple[list[CheckedFile], Confirmation, list[Notice]]:
    """Return the files with verdicts and the findings of probes, a summary, and notices about disagreements."""
    sources = _sources_of(files, items)
    result = list(files)
    summaries: list[Confirmation] = []
    notices: list[Notice] = []
    for scope in scopes:
        numbers = [number for number, file in enumerate(files) if file.scope == scope.number]
        own = [files[number] for number in numbers], [sources[number] for number in numbers]
        confirmed, summary, more = confirm_files(*own, scope.plan, scope.catalog.rules, options, progress, limits)
        for number, file in zip(numbers, confirmed, strict=True):
            result[number] = file
        summaries.append(summary)
        notices += more
    return result, merge_confirmations(summaries), list(dict.fromkeys(notices))


def _sources_of(files: Sequence[CheckedFile], items: Sequence[Item]) -> list[Checkable]:
    """Return, per file, what to open in order to run it: the bytes or model that was passed, or its path.

    Several of them may have the same name in the report; they have the same order there as in `items`.
    """
    known = {file.report.path for file in files}
    given: dict[str, deque[Checkable]] = {}
    for number, item in enumerate(items):
        if isinstance(item, Model):
            given.setdefault(item.name, deque()).append(item)
        elif not isinstance(item, str | PurePath | UnopenedPath):
            numbered = f"<bytes {number}>"
            given.setdefault(numbered if numbered in known else BYTES, deque()).append(item)
    return [given[path].popleft() if given.get(path) else path for path in (file.report.path for file in files)]
