"""Names of members: which are safe to use as a path, and labels that tell members of one container apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_DRIVE = re.compile(r"[A-Za-z]:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ODD = re.compile(r"[^A-Za-z0-9._-]+")


def unsafe(name: str) -> str | None:
    """Why a name must not be used as a path below a folder; None where it may."""
    if not name:
        return "it has no name"
    if _CONTROL.search(name):
        return "its name has control characters"
    if name.startswith("/"):
        return "its name is an absolute path"
    if _DRIVE.match(name):
        return "its name begins with a drive letter"
    if "\\" in name:
        return "its name has a backslash, which some systems take for a separator of folders"
    return "its name leads out of the folder it is unpacked in" if ".." in name.split("/") else None


def plain(text: str) -> str:
    """A text that can be one segment of a path."""
    return _ODD.sub("_", text).strip("._") or "unnamed"


def labels(names: Iterable[str]) -> list[str]:
    """The names themselves, each used only once: from the second occurrence on a number stands before the suffix."""
    seen: Counter[str] = Counter()
    used: set[str] = set()
    result = []
    for name in names:
        label = name
        while label in used:
            seen[name] += 1
            label = _numbered(name, seen[name] + 1)
        used.add(label)
        result.append(label)
    return result


def _numbered(name: str, number: int) -> str:
    folder, slash, last = name.rpartition("/")
    stem, dot, suffix = last.rpartition(".")
    return f"{folder}{slash}{stem}#{number}{dot}{suffix}" if stem else f"{name}#{number}"
