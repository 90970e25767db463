"""Muting: which rule hides which, where, and that a softer one never hides a more severe one."""

from __future__ import annotations

import pytest

from tflint.catalog import builtin_catalog
from tflint.engine.judge import Case, Hit
from tflint.engine.mute import Mutes
from tflint.engine.plan import JudgedRule
from tflint.engine.select import Selected
from tflint.values import replace

RULE = builtin_catalog().rule("Q001")
LOUD = replace(RULE, id="A1", mutes=("A2",))
LOUDER = replace(RULE, id="A3", mutes=("A2",))
SOFT = replace(RULE, id="A2", mutes=())


def judged(rule, severity, *hits):
    case = Case(rule)
    case.hits = [Hit(row, table, on_row, ()) for row, table, on_row in hits]
    return JudgedRule(Selected(rule, severity), None, case, severity, None)


class TenRowsPerFile:
    """A locator of a batch in which each file has ten rows of each table."""

    def file_of(self, _table, row):
        return row // 10


def is_muted(soft, *loud):
    (hit,) = soft.case.hits
    return Mutes(loud, TenRowsPerFile()).is_muted(soft, hit)


@pytest.mark.parametrize(
    ("loud", "soft", "muted"),
    [
        ("error", "error", True),
        ("error", "warning", True),
        ("warning", "warning", True),
        ("warning", "error", False),
        ("note", "note", True),
        ("note", "warning", False),
        ("note", "error", False),
    ],
)
def test_a_rule_mutes_what_is_at_most_as_severe(loud, soft, muted):
    place = (3, "tensor", 7)
    assert is_muted(judged(SOFT, soft, place), judged(LOUD, loud, place)) is muted


@pytest.mark.parametrize(
    ("hit", "muted"),
    [
        ((3, "tensor", 8), True),  # the same row
        ((4, "tensor", 7), True),  # the same reported place
        ((4, "tensor", 8), False),
        ((7, "tensor", 8), False),  # row 7 of another table
        ((4, "operator", 3), True),  # the row of the one is the place of the other
    ],
)
def test_only_at_its_row_and_its_reported_place(hit, muted):
    assert RULE.for_each == "operator"
    assert is_muted(judged(SOFT, "error", hit), judged(LOUD, "error", (3, "tensor", 7))) is muted


@pytest.mark.parametrize("severities", [("note", "error"), ("error", "note")])
def test_of_two_rules_that_mute_the_more_severe_counts(severities):
    place = (3, "tensor", 7)
    loud, louder = judged(LOUD, severities[0], place), judged(LOUDER, severities[1], place)
    assert is_muted(judged(SOFT, "error", place), loud, louder)
    assert not is_muted(judged(SOFT, "error", place), judged(LOUD, "note", place), judged(LOUDER, "warning", place))


@pytest.mark.parametrize(("row", "muted"), [(3, True), (13, False)])
def test_a_rule_about_a_whole_model_mutes_everywhere_in_it(row, muted):
    about_model = replace(LOUD, for_each="model")
    assert is_muted(judged(SOFT, "note", (row, "tensor", row)), judged(about_model, "note", (0, "model", 0))) is muted


def test_only_the_rules_that_it_names():
    place = (3, "tensor", 7)
    other = replace(SOFT, id="A4")
    assert not is_muted(judged(other, "note", place), judged(LOUD, "error", place))
    assert not is_muted(judged(LOUD, "note", place), judged(SOFT, "error", place))
