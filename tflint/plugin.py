"""Public API for plugins that add facts: the declaration `Fact`, the reader `Facts` and the column classes.

A distribution lists its facts under an entry point of the group `tflint.facts`; docs/plugins.md has an example. The
names in `__all__` are stable within a major version of tflint. Other modules below `tflint` may change at any time.
"""

from __future__ import annotations

from tflint.columns.column import (
    ABSENT,
    PRESENT,
    UNKNOWN,
    Column,
    Lists,
    References,
    Scalars,
    State,
    Strings,
    lists_by_counts,
    lists_by_owner,
    state_of,
    strings_of,
)
from tflint.facts.facts import Facts, first_elements, require_budget
from tflint.facts.facts import values_at as taken
from tflint.facts.plugin_loader import GROUP, Fact

__all__ = [
    "ABSENT",
    "GROUP",
    "PRESENT",
    "UNKNOWN",
    "Column",
    "Fact",
    "Facts",
    "Lists",
    "References",
    "Scalars",
    "State",
    "Strings",
    "first_elements",
    "lists_by_counts",
    "lists_by_owner",
    "require_budget",
    "state_of",
    "strings_of",
    "taken",
]
