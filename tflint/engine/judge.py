"""Judges rules over all rows of a batch: which rows break them, and which could not be decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflint.catalog.rule import Rule
from tflint.columns.column import PRESENT, UNKNOWN
from tflint.columns.column_types import STRING
from tflint.facts.facts import FactBudgetError, Facts
from tflint.findings import MAX_PLACES
from tflint.language.evaluator import BudgetError, Evaluator, Meter
from tflint.language.expression import Expression
from tflint.language.expression_value import Value, at_rows
from tflint.language.message_text import MAX_SHOWN
from tflint.values import frozen

#: Rows judged at a time: enough for speed, few enough that what the rules over a table share of them stays small.
CHUNK_ROWS = 4096
#: Up to this many rows, what a rule requires is evaluated for all of them and not only for those that it is about.
FEW_ROWS = 256
#: List elements of one expression over one chunk; a chunk that needs more is halved.
CHUNK_ELEMENTS = 2_000_000
#: List elements of one built-in rule, and of all users' rules together, over all chunks: what a hostile model can cost.
TOTAL_ELEMENTS = 40_000_000

_NO_ROWS = np.zeros(0, dtype=np.intp)


@frozen
class Hit:
    """A row that breaks a rule: the row, what the finding points at, the message's values in order."""

    row: int
    on_table: str
    on_row: int
    values: tuple[Any, ...]


class Case:
    """A rule that is judged for a declared target (by number), and what came of it.

    `hits` are rows that break the rule, of each file at most `MAX_PLACES`; `unlisted` says how many more there are.
    `undecided` counts for each file the rows that could not be decided, and `reason` says why. `crash` is what the rule
    or a fact that it reads failed with, where one did: then there is no verdict. `is_over_budget` says that it was
    given up for its cost.
    """

    def __init__(self, rule: Rule, target: int = 0, unknown_reason: str = "") -> None:
        self.rule, self.target = rule, target
        self.unknown_reason = unknown_reason
        self.hits: list[Hit] = []
        self.unlisted: dict[int, int] = {}
        self.undecided: dict[int, int] = {}
        self.reason = ""
        self.crash: Exception | None = None
        self.is_over_budget = False


class Judge:
    """Judges cases over the tables of a batch; `targets` are what rules read of each declared target.

    The rules over a table are judged together, some rows at a time, so that what they have in common is evaluated once.
    """

    def __init__(self, facts: Facts, constants: Mapping[str, Any], targets: Sequence[Mapping[str, Any]]) -> None:
        self.facts = facts
        self.constants = constants
        self.targets = targets
        self.meter = Meter()
        self.pot_of_users = Pot()

    def judge(self, cases: Iterable[Case]) -> None:
        """Judge cases and write into them what came of it."""
        by_table: dict[str, list[Case]] = {}
        for case in cases:
            by_table.setdefault(case.rule.for_each, []).append(case)
        for table, its_cases in by_table.items():
            try:
                models = self.facts.table(table).model
            except MemoryError:
                raise
            except Exception as error:  # a derived table's function failed: so did each rule over it
                for case in its_cases:
                    case.crash = error
            else:
                self._judge_rows(its_cases, models)
                self.facts.let_go(table)

    def _judge_rows(self, cases: Sequence[Case], models: NDArray[np.int32]) -> None:
        trials = [_Trial(case, models, self.meter, self._pot(case.rule)) for case in cases]
        for begin in range(0, len(models), CHUNK_ROWS):
            rows = np.arange(begin, min(begin + CHUNK_ROWS, len(models)))
            evaluators = {number: self._evaluator(rows, number) for number in {case.target for case in cases}}
            for trial in trials:
                trial.judge(evaluators[trial.case.target])
        for case in cases:
            if case.undecided and not case.reason:
                case.reason = case.unknown_reason or _reason(case.rule, self.facts)

    def _pot(self, rule: Rule) -> Pot:
        """What a rule may spend: users' rules share one, however many they are."""
        return Pot() if rule.is_builtin else self.pot_of_users

    def _evaluator(self, rows: NDArray[Any], target: int) -> Evaluator:
        records = {"target": self.targets[target]}
        return Evaluator(
            self.facts, rows, records=records, constants=self.constants, budget=CHUNK_ELEMENTS, meter=self.meter
        )


class Pot:
    """List elements that are left to spend."""

    def __init__(self) -> None:
        self.left = TOTAL_ELEMENTS

    def spend(self, elements: int) -> None:
        """Take elements out; `BudgetError` if there are not as many."""
        self.left -= elements
        if self.left <= 0:
            raise BudgetError(f"the expressions make more than {TOTAL_ELEMENTS:,} list elements")


def _reason(rule: Rule, facts: Facts) -> str:
    """Why a row may be undecided: what the columns that the rule reads say of themselves."""
    declared = facts.declared()
    reads = [read for expression in (rule.where, rule.require) if expression for read in expression.reads]
    reasons = [declared[table].columns[name].unknown for table, name in reads]
    known = list(dict.fromkeys(reason for reason in reasons if reason))
    return "; or ".join(known) or "a value that the rule needs could not be determined"


class _Trial:
    """Judges one case over the rows of evaluators, and adds to what came of it."""

    def __init__(self, case: Case, models: NDArray[np.int32], meter: Meter, pot: Pot) -> None:
        self.case, self.rule, self.models = case, case.rule, models
        self.meter, self.pot = meter, pot
        self.listed: dict[int, int] = {}
        self.is_over = False

    def judge(self, evaluator: Evaluator) -> None:
        """Judge an evaluator's rows; where that fails, nothing of the case stands."""
        if self.is_over:
            return
        try:
            before = self.meter.elements
            self._judge_or_halve(evaluator)
            self.pot.spend(self.meter.elements - before)
        except MemoryError:
            raise  # not the rule's fault: nothing could be checked any further
        except (BudgetError, FactBudgetError) as error:
            self._end()
            self.case.is_over_budget = True
            self.case.undecided, self.case.reason = dict(Counter(self.models.tolist())), str(error)
        except Exception as error:  # named in a finding: a defect of one rule must not cost the others
            self._end()
            self.case.crash = error

    def _end(self) -> None:
        self.is_over = True
        self.case.hits, self.case.unlisted, self.case.undecided = [], {}, {}

    def _judge_or_halve(self, evaluator: Evaluator) -> None:
        """Judge rows; where they need too many list elements, in two halves."""
        try:
            self._judge(evaluator)
        except BudgetError:
            n = len(evaluator.rows)
            self.pot.spend(CHUNK_ELEMENTS)
            if n == 1:
                raise
            self._judge_or_halve(evaluator.narrowed(np.arange(n // 2)))
            self._judge_or_halve(evaluator.narrowed(np.arange(n // 2, n)))

    def _judge(self, evaluator: Evaluator) -> None:
        undecided: list[NDArray[Any]] = []
        required = None
        if self.rule.where is not None:
            kept, unknown = _split(evaluator.value(self.rule.where.program), wanted=True)
            undecided.append(evaluator.rows[unknown])
            if not len(kept):
                self._leave_undecided(undecided)
                return
            required = self._of_all(evaluator, kept)
            evaluator = evaluator.narrowed(kept)
        if required is None:
            required = evaluator.value(self.rule.require.program)
        broken, unknown = _split(required, wanted=False)
        undecided.append(evaluator.rows[unknown])
        self._leave_undecided(undecided)
        if len(broken):
            broken = broken[self._is_listed(self.models[evaluator.rows[broken]])]
            self.case.hits += self._hits(evaluator.narrowed(broken), evaluator.rows[broken])

    def _of_all(self, evaluator: Evaluator, kept: NDArray[np.intp]) -> Value | None:
        """What the rule requires of the kept ones of few rows, evaluated for all of them: so the rules over a table
        share it. None where that is too much work.
        """
        if len(evaluator.rows) > FEW_ROWS:
            return None
        value = evaluator.small_value(self.rule.require.program)
        return None if value is None else at_rows(value, kept)

    def _leave_undecided(self, parts: Sequence[NDArray[Any]]) -> None:
        """Count rows as undecided; only when nothing can fail any more for which they would be judged again."""
        undecided = self.case.undecided
        for rows in parts:
            for model in self.models[rows].tolist() if len(rows) else ():
                undecided[model] = undecided.get(model, 0) + 1

    def _is_listed(self, models: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which of some rows that break the rule are among the first of their file; the others are counted."""
        listed = np.ones(len(models), dtype=np.bool_)
        for model, count in Counter(models.tolist()).items():
            before = self.listed.get(model, 0)
            room = MAX_PLACES - before
            if count > room:
                listed[np.flatnonzero(models == model)[room:]] = False
                self.case.unlisted[model] = self.case.unlisted.get(model, 0) + count - room
            self.listed[model] = before + min(count, room)
        return listed

    def _hits(self, evaluator: Evaluator, rows: NDArray[Any]) -> Iterator[Hit]:
        table, targets = self._points_at(evaluator, rows)
        expressions = [part.expression for part in self.rule.message if part.expression is not None]
        shown = [_python(evaluator.value(expression.program), expression) for expression in expressions]
        for number, row in enumerate(rows.tolist()):
            on_table, on_row = (table, int(targets[number])) if targets[number] >= 0 else (self.rule.for_each, row)
            yield Hit(row, on_table, on_row, tuple(column[number] for column in shown))

    def _points_at(self, evaluator: Evaluator, rows: NDArray[Any]) -> tuple[str, NDArray[Any]]:
        """What findings point at: the rows themselves, or where report-on leads (-1: nowhere)."""
        expression = self.rule.report_on
        if expression is None:
            return self.rule.for_each, rows
        value = evaluator.value(expression.program)
        targets = value.values if value.state is None else np.where(value.state == PRESENT, value.values, -1)
        return expression.type.table, targets


def _split(value: Value, *, wanted: bool) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows where a condition is definitely what is wanted, and rows where it is unknown."""
    truth = value.values if wanted else ~value.values
    if value.state is None:
        return truth.nonzero()[0], _NO_ROWS
    return (truth & (value.state == PRESENT)).nonzero()[0], (value.state == UNKNOWN).nonzero()[0]


def _python(value: Value, expression: Expression) -> list[Any]:
    """A value as plain Python objects, one a row; None for what is not present."""
    if value.lengths is None:
        return [_element(value, k, expression) for k in range(len(value.values))]
    result: list[Any] = []
    begin = 0
    for row, length in enumerate(value.lengths.tolist()):
        if value.row_state is not None and value.row_state[row] != PRESENT:
            result.append(None)
        else:
            # One more than a message shows, so that it can tell that there are more.
            result.append([_element(value, begin + k, expression) for k in range(min(length, MAX_SHOWN + 1))])
        begin += length
    return result


def _element(value: Value, at: int, expression: Expression) -> Any:
    if value.state is not None and value.state[at] != PRESENT:
        return None
    if expression.type.kind == STRING:
        assert value.labels is not None
        return value.labels[int(value.values[at])]
    return value.values[at].item()
