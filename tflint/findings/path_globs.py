"""Glob patterns for files: `*` within a path segment, `**` for any number of segments, `?` for one character.

Patterns may come from an untrusted checkout, so a comparison takes at most (pattern length × path length) steps.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from tflint.wildcards import matcher

#: Separator between the path of a container and the name of a member, as in `bundle.task!/model.tflite`.
MEMBER = "!/"
#: The part of a pattern between one `**` and the next, with one match function per path segment.
_Run = Sequence[Callable[[str], bool]]


def matches(path: str, pattern: str) -> bool:
    """Return whether a POSIX path matches a pattern.

    A pattern without a slash is compared only with the last segment of the path, as in .gitignore.
    """
    if "/" not in pattern:
        return matcher(pattern, has_sets=False)(path.rpartition("/")[-1])
    segments = path.split("/")
    return _match_runs(_split_runs(pattern), segments, segments)


@functools.lru_cache(maxsize=16_384)  # called again for each finding of a file
def covers(path: str, pattern: str, *, is_member: bool) -> bool:
    """Return whether a pattern matches a path or a container around it: `*.task` covers `bundle.task!/model.tflite`.

    `is_member` tells whether the path is that of a member. The path alone does not: a folder may have the name
    `bundle.task!`.
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
    """Split a pattern at each `**` into runs. The first run must match at the start of the path, others anywhere."""
    segments = pattern.removeprefix("./").rstrip("/").split("/")
    if segments[-1] == "**":
        segments[-1] = "*"  # a final `**` needs at least one segment; deeper paths match in any case
    runs: list[list[Callable[[str], bool]]] = [[]]
    for segment in segments:
        if segment != "**":
            runs[-1].append(matcher(segment, has_sets=False))
        elif runs[-1] or len(runs) == 1:
            runs.append([])
    return tuple(runs)


def _match_runs(runs: Sequence[_Run], segments: Sequence[str], ends: Sequence[str]) -> bool:
    """Return whether the runs match a path or a folder above it.

    `ends` has the segments of the path without the `!` of containers. They are compared with the last segment of the
    pattern. Backtracking is not necessary: the first match of a run leaves the most segments for the next runs.
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
    """Return a path relative to a folder. If the path is not below the folder, return it unchanged."""
    base = os.path.abspath(folder)  # noqa: PTH100 (resolve() would follow links)
    absolute = os.path.abspath(path)  # noqa: PTH100
    is_below = absolute.startswith(os.path.join(base, ""))  # noqa: PTH118
    return Path(absolute).relative_to(base).as_posix() if is_below else path
