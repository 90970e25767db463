"""Fingerprints: what makes a finding the same one after the model was converted again. Names, never offsets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

#: Names that converters make up and number anew each time; they identify nothing.
_GENERATED = re.compile(
    r"(arith|std|tfl|tf)\.(pseudo_)?(q?const|constant)\d*|Identity(_\d+)?|(Stateful)?PartitionedCall(_\d+)?(:\d+)?"
    r"|(Const|cst|unknown|tensor|t|output|op)_?\d+|%?\d+|Const"
)


def is_generated(name: str) -> bool:
    """Whether a name is empty or one that a converter made up."""
    return not name or _GENERATED.fullmatch(name) is not None


def compute_fingerprint(rule: str, parts: Sequence[str]) -> str:
    """A stable identifier of a rule's finding at a place that is known by names."""
    import hashlib

    return hashlib.sha256("\0".join((rule, *parts)).encode("utf-8", "backslashreplace")).hexdigest()[:32]


def number_duplicates(keys: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Keys with an ordinal added from the second occurrence of the same key on."""
    seen: Counter[tuple[str, ...]] = Counter()
    result = []
    for key in keys:
        seen[key] += 1
        result.append((*key, str(seen[key])) if seen[key] > 1 else key)
    return result
