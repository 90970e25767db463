"""Opens a container by its format and lists its members, or reports why they cannot be listed."""

from __future__ import annotations

from tflint.container.container_contents import Budget, Contents
from tflint.container.zip_members import zip_members
from tflint.flatbuffer.flatbuffer_error import FlatbufferError
from tflint.source import Source, reader
from tflint.source.file_kind import LITERTLM
from tflint.source.zip_directory import ZipError, directory_bytes
from tflint.values import replace


def read_contents(source: Source, around: Contents | None = None, *, is_for_one: bool = False) -> Contents:
    """Read the contents of a container. The contents of an invalid container have a reason instead of members.

    `around` is the enclosing container, whose budget the container shares. `is_for_one` is true if a single member was
    requested. Raises `SourceError` if the source cannot be read.
    """
    depth = 1 if around is None else around.depth + 1
    budget = Budget(source.size, is_for_one=is_for_one) if around is None or around.budget is None else around.budget
    refused_before, budget.has_refused = budget.has_refused, False
    contents = _contents(source, depth, budget)
    is_complete = not budget.has_refused
    budget.has_refused |= refused_before
    return contents if is_complete else replace(contents, is_complete=False)


def refuse_oversized_zip(source: Source, around: Contents) -> Contents | None:
    """Return placeholder contents for a nested zip whose directory exceeds the budget, or None if it may be read.

    Call this before reading any member that is not a model, whatever its name is, because a zip is recognized by its
    last bytes.
    """
    if around.budget is None:
        return None
    reason = around.budget.directory_refusal(directory_bytes(reader(source), source.size))
    if reason is None:
        return None
    return Contents("zip", (), around.depth + 1, reason, budget=around.budget, is_complete=False)


def _contents(source: Source, depth: int, budget: Budget) -> Contents:
    if source.read([(0, min(len(LITERTLM), source.size))])[0] == LITERTLM:
        return _litertlm(source, depth, budget)
    try:
        return Contents("zip", tuple(zip_members(source, depth, budget)), depth, budget=budget)
    except ZipError as error:
        offset = error.offset if error.offset >= 0 else None
        return Contents("zip", (), depth, error.reason, offset, budget=budget)


def _litertlm(source: Source, depth: int, budget: Budget) -> Contents:
    from tflint.container.litertlm import HEADER_BEGIN, LitertlmError, litertlm_members

    try:
        return Contents("litertlm", tuple(litertlm_members(source, depth, budget)), depth, budget=budget)
    except LitertlmError as error:
        return Contents("litertlm", (), depth, error.reason, error.offset, budget=budget)
    except FlatbufferError as error:
        offset = HEADER_BEGIN + error.offset if error.offset >= 0 else None
        return Contents("litertlm", (), depth, f"the header is invalid: {error.reason}", offset, error.path, budget)
