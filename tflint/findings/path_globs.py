"""Glob patterns for files: `*` within a path segment, `**` as a whole segment for any segments, `?` one character.

A comparison takes at most as many steps as the pattern has characters times the path's: patterns come from strangers.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from tflint.wildcards import matcher

#: Between the path of a container and the name of a member, as in `bundle.task!/model.tflite`.
MEMBER = "!/"
#: One function per segment of a pattern, between one `**` and the next.
_Run = Sequence[Callable[[str], bool]]


def matches(path: str, pattern: str) -> bool:
    """Whether a POSIX path matches; a pattern without a slash matches the last segment, as in .gitignore."""
    if "/" not in pattern:
        return matcher(pattern, has_sets=False)(path.rpartition("/")[-1])
    segments = path.split("/")
    return _leads_to(_runs(pattern), segments, segments)


@functools.lru_cache(maxsize=16_384)  # asked again for each finding of a file
def covers(path: str, pattern: str, *, is_member: bool) -> bool:
    """Whether a path matches, or a container that it lies in: `*.task` covers `bundle.task!/model.tflite`.

    `is_member` says that it is the path of a member: a folder can be called `bundle.task!`, too.
    """
    if not is_member:
        return matches(path, pattern)
    segments = path.split("/")
    ends = [*(segment.removesuffix("!") for segment in segments[:-1]), segments[-1]]
    if "/" not in pattern:
        match = matcher(pattern, has_sets=False)
        containers = (end for end, segment in zip(ends, segments, strict=True) if end != segment)
        return match(segments[-1]) or any(match(container) for container in containers)
    return _leads_to(_runs(pattern), segments, ends)


@functools.lru_cache(maxsize=16_384)  # more patterns than a configuration has
def _runs(pattern: str) -> tuple[_Run, ...]:
    """Split a pattern at its `**`. The first run begins the path, each other one follows at any distance."""
    segments = pattern.removeprefix("./").rstrip("/").split("/")
    if segments[-1] == "**":
        segments[-1] = "*"  # at least one segment; what lies below matches anyhow
    runs: list[list[Callable[[str], bool]]] = [[]]
    for segment in segments:
        if segment != "**":
            runs[-1].append(matcher(segment, has_sets=False))
        elif runs[-1] or len(runs) == 1:
            runs.append([])
    return tuple(runs)


def _leads_to(runs: Sequence[_Run], segments: Sequence[str], ends: Sequence[str]) -> bool:
    """Whether the runs match a path or a folder above it; `ends` has the segments as the last one of a run sees them.

    The first fit of a run leaves most room for the next ones, so that no earlier one has to be tried again.
    """
    at = 0
    for number, run in enumerate(runs):
        is_last = number == len(runs) - 1
        last_start = len(segments) - len(run)
        for start in range(at, (last_start if number else min(last_start, at)) + 1):
            stop = start + len(run)
            seen = segments[start:stop]
            if _fits(run, seen) or (is_last and ends is not segments and _fits(run, [*seen[:-1], ends[stop - 1]])):
                at = stop
                break
        else:
            return False
    return True


def _fits(run: _Run, segments: Sequence[str]) -> bool:
    for match, segment in zip(run, segments, strict=True):  # noqa: SIM110 (all() takes twice as long)
        if not match(segment):
            return False
    return True


def relative_to_folder(folder: str, path: str) -> str:
    """A path as it reads from a folder, wherever the run was started; unchanged where it does not lie below it."""
    base = os.path.abspath(folder)  # noqa: PTH100 (resolve() would follow links)
    whole = os.path.abspath(path)  # noqa: PTH100
    return Path(whole).relative_to(base).as_posix() if whole.startswith(os.path.join(base, "")) else path  # noqa: PTH118
