"""Counts the files of a run for which there was nothing to check: excluded, linked or unreadable ones."""

from __future__ import annotations

from collections.abc import Sequence

from tflint.findings import FileReport, Report, SkippedPaths
from tflint.findings.path_globs import MEMBER
from tflint.runner.model_loader import Item
from tflint.source.file_kind import OUTSIDE_LINK
from tflint.source.model_search import UnopenedPath
from tflint.values import replace


def count_left_out(
    report: Report, files: Sequence[FileReport], items: Sequence[Item], left_out: SkippedPaths, *, has_excludes: bool
) -> Report:
    """Return the report with the number of excluded models and the number of skipped models."""
    emptied = _emptied_containers(files) if has_excludes else {}
    linked = {item.path for item in items if isinstance(item, UnopenedPath) and item.kind.kind == OUTSIDE_LINK}
    n_passed_over = sum(file.path in emptied or file.path in linked or _is_silent(file) for file in files)
    n_excluded = sum(emptied.values()) - sum(path.rpartition(MEMBER)[0] in emptied for path in emptied)
    left_out = replace(left_out, excluded_models=left_out.excluded_models + n_excluded)
    return replace(report, left_out=left_out, n_passed_over=n_passed_over)


def _is_silent(file: FileReport) -> bool:
    """Return whether a file is unreadable and the rules that report this are not selected."""
    return file.status == "unreadable" and not file.findings


def _emptied_containers(files: Sequence[FileReport]) -> dict[str, int]:
    """Return the containers whose models are all excluded, and the number of these models.

    A nested container counts as one model.
    """
    entered: set[str] = set()
    for file in files:
        path = file.path if file.within is not None and file.kind == "model" else ""
        while MEMBER in path:
            path = path.rpartition(MEMBER)[0]
            entered.add(path)
    n_models = {file.path: file.contained.n_models for file in files if file.contained is not None}
    return {path: count for path, count in n_models.items() if count and path not in entered}
