"""Checks whether members' names are safe as paths, and builds unique labels for the members of a container."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ODD = re.compile(r"[^A-Za-z0-9._-]+")


def unsafe_name_reason(name: str) -> str | None:
    """Return why a name must not be used as a path below a folder, or None if the name is safe."""
    if not name:
        return "the member has no name"
    if _CONTROL.search(name):
        return "the name has control characters"
    if name.startswith("/"):
        return "the name is an absolute path"
    if _DRIVE.match(name):
        return "the name begins with a drive letter"
    if "\\" in name:
        return "the name has a backslash, which Windows treats as a folder separator"
    return "the name points outside of the folder that the bundle is unpacked into" if ".." in name.split("/") else None


def to_path_segment(text: str) -> str:
    """Return a text for use as a path segment, with unsuitable characters replaced."""
    return _ODD.sub("_", text).strip("._") or "unnamed"


def unique_labels(names: Iterable[str]) -> list[str]:
    """Return a unique label per name. From its second occurrence on, a name gets a number before its suffix."""
    counts: Counter[str] = Counter()
    used: set[str] = set()
    result = []
    for name in names:
        label = name
        while label in used:
            counts[name] += 1
            label = _add_number(name, counts[name] + 1)
        used.add(label)
        result.append(label)
    return result


def _add_number(name: str, number: int) -> str:
    folder, slash, last = name.rpartition("/")
    stem, dot, suffix = last.rpartition(".")
    return f"{folder}{slash}{stem}#{number}{dot}{suffix}" if stem else f"{name}#{number}"
