"""Opens a container: lists its members by its format, or says why that cannot be done."""

from __future__ import annotations

from tflint.container.contents import Budget, Contents
from tflint.container.zip import zip_members
from tflint.flatbuffer.errors import FlatbufferError
from tflint.source import Source
from tflint.source.kind import LITERTLM
from tflint.source.zip import ZipError


def contents_of(source: Source, around: Contents | None = None) -> Contents:
    """What a container holds; a broken one has a reason instead of members.

    `around` is the container that it is in, with which it shares a budget. `SourceError` where the source cannot be
    read.
    """
    depth = 1 if around is None else around.depth + 1
    budget = Budget() if around is None or around.budget is None else around.budget
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
        return Contents("litertlm", tuple(litertlm_members(source, budget)), depth, budget=budget)
    except LitertlmError as error:
        return Contents("litertlm", (), depth, error.reason, error.offset, budget=budget)
    except FlatbufferError as error:
        offset = HEADER_BEGIN + error.offset if error.offset >= 0 else None
        return Contents("litertlm", (), depth, f"its header is broken: {error.reason}", offset, error.path, budget)
