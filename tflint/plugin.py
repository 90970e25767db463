"""What a plugin is made of that adds facts: declarations, the facts it may read, the columns it may give.

A distribution lists its facts under an entry point of the group `tflint.facts`; docs/plugins.md shows one. This module
is stable: what it holds keeps its meaning within a major version. Everything else below `tflint` may change.
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
from tflint.facts.facts import Facts, first_elements, require_budget, taken
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
