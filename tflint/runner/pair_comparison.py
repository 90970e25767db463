"""Compares the versions of one model, or of the models in two containers, and returns their reports."""

from __future__ import annotations

import contextlib

from tflint.engine.plan import Plan
from tflint.engine.run import report_unpaired, run_batch
from tflint.errors import UserError
from tflint.findings import FileReport
from tflint.findings.path_globs import MEMBER
from tflint.flatbuffer.flatbuffer_error import FlatbufferError
from tflint.model.batch_reader import FoundFile, read_one, read_together
from tflint.runner.version_pairs import Version, VersionPair, has_unread_members, pair_members
from tflint.source import SourceError
from tflint.source.file_kind import MODEL
from tflint.source.model_search import UnopenedPath
from tflint.values import replace


def compare_pair(pair: VersionPair, plan: Plan) -> list[FileReport]:
    """Return the report of a pair, or of the pairs of models in two containers."""
    if pair.new is None or pair.old is None:
        return _report_single(pair, plan)
    with contextlib.ExitStack() as stack:
        new, old = (_open_version(version, stack) for version in (pair.new, pair.old))
        are_containers = [_is_listed(found) for found in (new, old)]
        if not any(are_containers):
            return _compare(new, old, plan)
    if not all(are_containers):
        container, other = (new, old) if are_containers[0] else (old, new)
        if other.opened.kind.kind != MODEL:
            return _report_file(other, plan)
        hint = f"name one of its models: {container.path}{MEMBER}NAME"
        raise UserError(f"'{container.path}' is a container of models, and '{other.path}' is not", hint=hint)
    unread = [file for found in (new, old) if has_unread_members(found) for file in _report_file(found, plan)]
    return unread + [file for member in pair_members(pair.new, pair.old) for file in compare_pair(member, plan)]


def _report_single(pair: VersionPair, plan: Plan) -> list[FileReport]:
    """Return the report of a model that only one version has. If it is a path that was not opened, it says why."""
    version = pair.new or pair.old
    assert version is not None
    if isinstance(version.item, UnopenedPath):
        with contextlib.ExitStack() as stack:
            return _report_file(_open_version(version, stack), plan)
    return [report_unpaired(pair.path, None if pair.old is None else pair.old.model_path, plan)]


def _open_version(version: Version, stack: contextlib.ExitStack) -> FoundFile:
    """Open one of the two versions. Closing the stack closes its file."""
    founds, file = version.open()
    if file is not None:
        stack.callback(file.close)
    return next(founds)


def _is_listed(found: FoundFile) -> bool:
    """Return whether a file is a container whose members can be listed."""
    return found.opened.contents is not None and found.opened.contents.reason is None


def _compare(new: FoundFile, old: FoundFile, plan: Plan) -> list[FileReport]:
    """Return the report of the pair, or a report with a file for each version that cannot be read."""
    reason = ""
    if all(found.opened.kind.kind == MODEL for found in (new, old)):
        try:
            tables = read_together([new.opened, old.opened])
            report = run_batch(tables, [new.path, old.path], plan, pairs={0: 1})[0]
            return [replace(report, within=new.within)]
        except (FlatbufferError, SourceError) as error:
            reason = error.reason
    unreadable = [found for found in (new, old) if not read_one(found.opened).is_readable]
    if not unreadable:
        raise UserError(f"'{old.path}' and '{new.path}' cannot be compared: {reason}")
    return [report for found in unreadable for report in _report_file(found, plan)]


def _report_file(found: FoundFile, plan: Plan) -> list[FileReport]:
    """Return the report of a file that cannot be compared."""
    return [replace(one, within=found.within) for one in run_batch(read_one(found.opened), [found.path], plan)]
