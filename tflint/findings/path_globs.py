"""Glob patterns for files: `*` within a path segment, `**` for any number of segments, `?` for one character.

A comparison takes at most (pattern length × path length) steps, because patterns may come from an untrusted checkout.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from tflint.wildcards import matcher

#: Separator between the path of a container and the name of a member, as in `bundle.task!/model.tflite`.
MEMBER = "!/"
#: One match function per segment of a pattern, between one `**` and the next.
_Run = Sequence[Callable[[str], bool]]


def matches(path: str, pattern: str) -> bool:
    """Return whether a POSIX path matches; a pattern without a slash matches the last segment, as in .gitignore."""
    if "/" not in pattern:
        return matcher(pattern, has_sets=False)(path.rpartition("/")[-1])
    segments = path.split("/")
    return _match_runs(_split_runs(pattern), segments, segments)


@functools.lru_cache(maxsize=16_384)  # called again for each finding of a file
def covers(path: str, pattern: str, *, is_member: bool) -> bool:
    """Return whether a path or a container around it matches: `*.task` covers `bundle.task!/model.tflite`.

    `is_member` marks the path of a member, because a folder may also have the name `bundle.task!`.
    """
    if not is_member:
        return matches(path, pattern)
    segments = path.split("/")
    ends = [*(segment.removesuffix("!") for segment in segments[:-1]), segments[-1]]
    if "/" not in pattern:
        match = matcher(pattern, has_sets=False)
        containers = (end for end, segment in zip(ends, segments, strict=True) if end != segment)
        return match(segments[-1]) or any(match(container) for container in containers)
    return _match_runs(_split_runs(pattern), segments, ends)


@functools.lru_cache(maxsize=16_384)  # more patterns than a configuration has
def _split_runs(pattern: str) -> tuple[_Run, ...]:
    """Split a pattern at its `**`. The first run matches the start of the path, other runs match at any distance."""
    segments = pattern.removeprefix("./").rstrip("/").split("/")
    if segments[-1] == "**":
        segments[-1] = "*"  # at least one segment; deeper paths match anyway
    runs: list[list[Callable[[str], bool]]] = [[]]
    for segment in segments:
        if segment != "**":
            runs[-1].append(matcher(segment, has_sets=False))
        elif runs[-1] or len(runs) == 1:
            runs.append([])
    return tuple(runs)


def _match_runs(runs: Sequence[_Run], segments: Sequence[str], ends: Sequence[str]) -> bool:
    """Return whether the runs match a path or a folder above it.

    `ends` has the segments without the `!` of containers, for comparison with the last segment of the pattern. No
    backtracking is necessary: the first match of a run leaves the most segments for the next runs.
    """
    position = 0
    for number, run in enumerate(runs):
        is_last = number == len(runs) - 1
        last_start = len(segments) - len(run)
        for start in range(position, (last_start if number else min(last_start, position)) + 1):
            stop = start + len(run)
            part = segments[start:stop]
            if _fits(run, part) or (is_last and ends is not segments and _fits(run, [*part[:-1], ends[stop - 1]])):
                position = stop
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
    """Return a path relative to a folder, or unchanged if it is not below the folder."""
    base = os.path.abspath(folder)  # noqa: PTH100 (resolve() would follow links)
    absolute = os.path.abspath(path)  # noqa: PTH100
    is_below = absolute.startswith(os.path.join(base, ""))  # noqa: PTH118
    return Path(absolute).relative_to(base).as_posix() if is_below else path
