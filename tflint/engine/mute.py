"""Mutes findings: a rule hides less severe rules with the same root cause.

It hides them at the same place; a rule that reports a whole model hides them everywhere in the model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from tflint.catalog.rule import Rule
from tflint.engine.judge import Hit
from tflint.engine.locate import Locator
from tflint.engine.plan import JudgedRule

#: A row of a table.
Place = tuple[str, int]

_MODEL = "model"


class Mutes:
    """The places at which rules are muted, with the rank of the most severe rule that mutes them there."""

    def __init__(self, judged: Iterable[JudgedRule], locator: Locator) -> None:
        self._locator = locator
        self._ranks: Mapping[str, dict[Place, int]] = defaultdict(dict)
        for entry in judged:
            if not entry.case.hits:
                continue
            for other in entry.rule.mutes:
                ranks = self._ranks[other]
                for hit in entry.case.hits:
                    for place in _places(entry.rule, hit):
                        ranks[place] = max(ranks.get(place, entry.rank), entry.rank)

    def is_muted(self, entry: JudgedRule, hit: Hit) -> bool:
        """Return whether a hit is muted by a rule that is at least as severe.

        The other rule reports the same row, the same place, or the whole model of the hit. A rule that a target or an
        older ruleset turned into a note must not hide an error.
        """
        ranks = self._ranks.get(entry.rule.id)
        if not ranks:
            return False
        model = (_MODEL, self._locator.file_of(entry.rule.for_each, hit.row))
        return any(ranks.get(place, -1) >= entry.rank for place in (*_places(entry.rule, hit), model))


def _places(rule: Rule, hit: Hit) -> set[Place]:
    return {(rule.for_each, hit.row), (hit.on_table, hit.on_row)}
