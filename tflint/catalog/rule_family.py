"""Expands rule families: each `[[family]]` becomes one rule for inputs and one rule for outputs.

`<side>` in any text of the family stands for `input` or `output`. The tables `[family.input]` and `[family.output]`
replace keys for one side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tflint.values import frozen

SIDES = ("input", "output")
_PLACEHOLDER = "<side>"

Path = tuple[str | int, ...]


@frozen(eq=False)
class RuleEntry:
    """A rule as data, from which the place of each of its keys in the rule file follows.

    `side` is `input` or `output`, or empty for a `[[rule]]`. `base` is the path of the rule's table in the file.
    `own_keys` are the keys that `[family.SIDE]` sets.
    """

    data: Mapping[str, Any]
    base: Path
    side: str = ""
    own_keys: frozenset[str] = frozenset()

    def path(self, key: str) -> Path:
        """Return the path of a key in the data of the file."""
        if self.side and key == "id":
            return (*self.base, "sides", self.side)
        return (*self.base, self.side, key) if key in self.own_keys else (*self.base, key)

    def source_offset(self, written: str, offset: int) -> int:
        """Convert an offset in an expanded text to the offset in the text before expansion."""
        if not self.side:
            return offset
        longer = len(_PLACEHOLDER) - len(self.side)
        begin = written.find(_PLACEHOLDER)
        while 0 <= begin < offset:
            if offset < begin + len(self.side):
                return begin  # the offset is within the substituted word
            offset += longer
            begin = written.find(_PLACEHOLDER, begin + 1)
        return offset


def rule_entries(data: Mapping[str, Any]) -> Iterator[RuleEntry]:
    """Yield the rules of a file, expanded families included, in the order of the file's tables."""
    for index, entry in enumerate(data.get("rule", ())):
        yield RuleEntry(entry, ("rule", index))
    for index, family in enumerate(data.get("family", ())):
        for side in SIDES:
            if side in family["sides"]:
                yield _expand(family, index, side)


def _expand(family: Mapping[str, Any], index: int, side: str) -> RuleEntry:
    own = family.get(side, {})
    shared = {key: value for key, value in family.items() if key not in ("sides", *SIDES)}
    entry = {key: _substitute(value, side) for key, value in (shared | own).items()}
    return RuleEntry(entry | {"id": family["sides"][side]}, ("family", index), side, frozenset(own))


def _substitute(value: Any, side: str) -> Any:
    if isinstance(value, str):
        return value.replace(_PLACEHOLDER, side)
    if isinstance(value, list):
        return [_substitute(item, side) for item in value]
    if isinstance(value, dict):
        return {_substitute(key, side): _substitute(item, side) for key, item in value.items()}
    return value
