"""Glob patterns for files and places: `*` within a path segment, `**` across segments, `?` one character."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path

#: Between the path of a container and the name of a member, as in `bundle.task!/model.tflite`.
MEMBER = "!/"


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = []
    at = 0
    while at < len(pattern):
        if pattern.startswith("**/", at):
            parts.append("(?:.*/)?")
            at += 3
        elif pattern.startswith("**", at):
            parts.append(".*")
            at += 2
        elif pattern[at] == "*":
            parts.append("[^/]*")
            at += 1
        elif pattern[at] == "?":
            parts.append("[^/]")
            at += 1
        else:
            parts.append(re.escape(pattern[at]))
            at += 1
    return re.compile("".join(parts))


def matches(path: str, pattern: str) -> bool:
    """Whether a POSIX path matches; a pattern without a slash matches the last segment, as in .gitignore."""
    if "/" not in pattern:
        return _compiled(pattern).fullmatch(path.rsplit("/", 1)[-1]) is not None
    cleaned = pattern.removeprefix("./").rstrip("/")
    return _compiled(cleaned).fullmatch(path) is not None or _compiled(f"{cleaned}/**").fullmatch(path) is not None


def covers(path: str, pattern: str) -> bool:
    """Whether a path matches, or a container does that it lies in: `*.task` covers `bundle.task!/model.tflite`."""
    if matches(path, pattern):
        return True
    container, mark, _ = path.rpartition(MEMBER)
    return bool(mark) and covers(container, pattern)


def seen_from(folder: str, path: str) -> str:
    """A path as it reads from a folder, wherever the run was started; unchanged where it does not lie below it."""
    base = os.path.abspath(folder)  # noqa: PTH100 (resolve() would follow links)
    whole = os.path.abspath(path)  # noqa: PTH100
    return Path(whole).relative_to(base).as_posix() if whole.startswith(os.path.join(base, "")) else path  # noqa: PTH118
