"""Evaluates rules over all rows of a batch: which rows violate them, and which could not be decided."""

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
from tflint.language.expression_value import Value, take_rows
from tflint.language.message_text import MAX_LIST_ELEMENTS
from tflint.values import frozen

#: Rows per evaluation: enough for speed, and few enough to keep the values of shared subexpressions small.
CHUNK_ROWS = 4096
#: Up to this many rows, `require` is evaluated for all rows, not only for those for which `where` holds.
FEW_ROWS = 256
#: Maximum number of list elements per expression and chunk of rows. A chunk that needs more is halved.
CHUNK_ELEMENTS = 2_000_000
#: Maximum number of list elements per built-in rule, and of all users' rules together. Bounds the cost of hostile
#: models.
TOTAL_ELEMENTS = 40_000_000

_NO_ROWS = np.zeros(0, dtype=np.intp)
_NO_FILES = np.zeros(0, dtype=np.bool_)


@frozen
class Hit:
    """A row that violates a rule, the row that the finding points at, and the values of the message, in order.

    `related` are further rows with the same cause, each with its table.
    """

    row: int
    on_table: str
    on_row: int
    values: tuple[Any, ...]
    related: tuple[tuple[str, int], ...] = ()


class Case:
    """A rule with a declared target (by number) and the result of evaluating it.

    `unknown_reason` is why tflint knows too little about the target; empty if it knows enough. If `is_claimed` is
    false, tflint does not know whether the target refuses violations of the rule: they are undecided, not hits.
    `hits` are the rows that violate the rule, at most `MAX_PLACES` per file. `unlisted` is the number of further such
    rows per file. `undecided` is the number of undecided rows per file, and `reason` is why they may be undecided.
    `crash` is the exception that the rule, or a fact that the rule reads, raised; then there are no hits.
    `is_over_budget` is true if tflint stopped evaluating the rule because of its cost. `in_scope` tells, per file,
    whether the rule applies to a row of the file.
    """

    def __init__(self, rule: Rule, target: int = 0, unknown_reason: str = "", *, is_claimed: bool = True) -> None:
        self.rule, self.target = rule, target
        self.unknown_reason = unknown_reason
        self.is_claimed = is_claimed
        self.hits: list[Hit] = []
        self.unlisted: dict[int, int] = {}
        self.undecided: dict[int, int] = {}
        self.reason = ""
        self.crash: Exception | None = None
        self.is_over_budget = False
        self.in_scope: NDArray[np.bool_] = _NO_FILES


class Judge:
    """Evaluates cases over the tables of a batch; `targets` are the records of the declared targets.

    The rules of a table are evaluated together, some rows at a time, so that common subexpressions are computed once.
    """

    def __init__(self, facts: Facts, constants: Mapping[str, Any], targets: Sequence[Mapping[str, Any]]) -> None:
        self.facts = facts
        self.constants = constants
        self.targets = targets
        self.meter = Meter()
        self.users_allowance = Allowance()

    def judge(self, cases: Iterable[Case]) -> None:
        """Evaluate cases and store the results in them."""
        by_table: dict[str, list[Case]] = {}
        for case in cases:
            by_table.setdefault(case.rule.for_each, []).append(case)
        with np.errstate(all="ignore"):  # the language uses IEEE arithmetic
            self._judge_tables(by_table)

    def _judge_tables(self, by_table: Mapping[str, Sequence[Case]]) -> None:
        for table, its_cases in by_table.items():
            try:
                models = self.facts.table(table).model
            except MemoryError:
                raise
            except Exception as error:  # the function of a derived table failed, and with it every rule of the table
                for case in its_cases:
                    case.crash = error
            else:
                self._judge_rows(its_cases, models)
                self.facts.release_table(table)

    def _judge_rows(self, cases: Sequence[Case], models: NDArray[np.int32]) -> None:
        n_files = len(self.facts.tables.files)
        for case in cases:
            case.in_scope = np.zeros(n_files, dtype=np.bool_)
        evaluations = [_Evaluation(case, models, self.meter, self._allowance(case.rule)) for case in cases]
        for begin in range(0, len(models), CHUNK_ROWS):
            rows = np.arange(begin, min(begin + CHUNK_ROWS, len(models)))
            evaluators = {number: self._evaluator(rows, number) for number in {case.target for case in cases}}
            for evaluation in evaluations:
                evaluation.judge(evaluators[evaluation.case.target])
        for case in cases:
            if case.undecided and not case.reason:
                case.reason = case.unknown_reason or _reason(case.rule, self.facts)

    def _allowance(self, rule: Rule) -> Allowance:
        """Return the allowance of a rule. All users' rules share one allowance."""
        return Allowance() if rule.is_builtin else self.users_allowance

    def _evaluator(self, rows: NDArray[Any], target: int) -> Evaluator:
        records = {"target": self.targets[target]}
        return Evaluator(
            self.facts, rows, records=records, constants=self.constants, budget=CHUNK_ELEMENTS, meter=self.meter
        )


class Allowance:
    """The number of list elements that rules may still compute."""

    def __init__(self) -> None:
        self.left = TOTAL_ELEMENTS

    def spend(self, elements: int) -> None:
        """Subtract a number of elements. Raises `BudgetError` if fewer are left."""
        self.left -= elements
        if self.left <= 0:
            raise BudgetError(f"the expressions compute more than {TOTAL_ELEMENTS:,} list elements")


def _reason(rule: Rule, facts: Facts) -> str:
    """Return why a row may be undecided, from the declarations of the columns that the rule reads."""
    declared = facts.declarations()
    reads = [read for expression in (rule.where, rule.require) if expression for read in expression.reads]
    reasons = [declared[table].columns[name].unknown for table, name in reads]
    known = list(dict.fromkeys(reason for reason in reasons if reason))
    return "; or ".join(known) or "a value that the rule needs is unknown"


class _Evaluation:
    """Evaluates one case over the rows of several evaluators and collects its result."""

    def __init__(self, case: Case, models: NDArray[np.int32], meter: Meter, allowance: Allowance) -> None:
        self.case, self.rule, self.models = case, case.rule, models
        self.meter, self.allowance = meter, allowance
        self.listed: dict[int, int] = {}
        self.is_over = False

    def judge(self, evaluator: Evaluator) -> None:
        """Evaluate the case over an evaluator's rows; a failure discards all results of the case."""
        if self.is_over:
            return
        try:
            before = self.meter.elements
            self._judge_or_halve(evaluator)
            self.allowance.spend(self.meter.elements - before)
        except MemoryError:
            raise  # the rule did not cause this error
        except (BudgetError, FactBudgetError) as error:
            self._end()
            self.case.is_over_budget = True
            self.case.undecided, self.case.reason = dict(Counter(self.models.tolist())), str(error)
        except Exception as error:  # reported as a finding: a defect in one rule must not stop the others
            self._end()
            self.case.crash = error

    def _end(self) -> None:
        self.is_over = True
        self.case.hits, self.case.unlisted, self.case.undecided = [], {}, {}

    def _judge_or_halve(self, evaluator: Evaluator) -> None:
        """Evaluate the rows; if they need too many list elements, evaluate them in two halves."""
        try:
            self._judge(evaluator)
        except BudgetError:
            n = len(evaluator.rows)
            self.allowance.spend(CHUNK_ELEMENTS)
            if n == 1:
                raise
            self._judge_or_halve(evaluator.narrow(np.arange(n // 2)))
            self._judge_or_halve(evaluator.narrow(np.arange(n // 2, n)))

    def _judge(self, evaluator: Evaluator) -> None:
        undecided: list[NDArray[Any]] = []
        required = None
        if self.rule.where is not None:
            kept, unknown = _split(evaluator.value(self.rule.where.program), wanted=True)
            undecided.append(evaluator.rows[unknown])
            self._note_scope(evaluator.rows[kept], evaluator.rows[unknown])
            if not len(kept):
                self._leave_undecided(undecided)
                return
            required = self._of_all(evaluator, kept)
            evaluator = evaluator.narrow(kept)
        else:
            self._note_scope(evaluator.rows)
        if required is None:
            required = evaluator.value(self.rule.require.program)
        broken, unknown = _split(required, wanted=False)
        undecided.append(evaluator.rows[unknown])
        if not self.case.is_claimed:
            undecided.append(evaluator.rows[broken])
            broken = _NO_ROWS
        self._leave_undecided(undecided)
        if len(broken):
            broken = broken[self._is_listed(self.models[evaluator.rows[broken]])]
            self.case.hits += self._hits(evaluator.narrow(broken), evaluator.rows[broken])

    def _note_scope(self, *parts: NDArray[Any]) -> None:
        for rows in parts:
            if len(rows):
                self.case.in_scope[self.models[rows]] = True

    def _of_all(self, evaluator: Evaluator, kept: NDArray[np.intp]) -> Value | None:
        """Return the value of `require` for the kept rows, or None if there are too many rows to evaluate all.

        It is evaluated for all rows, so that the rules of a table share the value.
        """
        if len(evaluator.rows) > FEW_ROWS:
            return None
        value = evaluator.small_value(self.rule.require.program)
        return None if value is None else take_rows(value, kept)

    def _leave_undecided(self, parts: Sequence[NDArray[Any]]) -> None:
        """Count rows as undecided. Call this last: a failure would repeat the evaluation and count them twice."""
        undecided = self.case.undecided
        for rows in parts:
            for model in self.models[rows].tolist() if len(rows) else ():
                undecided[model] = undecided.get(model, 0) + 1

    def _is_listed(self, models: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Return, per hit, whether it is one of the first `MAX_PLACES` of its file. Count the others in `unlisted`."""
        listed = np.ones(len(models), dtype=np.bool_)
        for model, count in Counter(models.tolist()).items():
            before = self.listed.get(model, 0)
            n_free = MAX_PLACES - before
            if count > n_free:
                listed[np.flatnonzero(models == model)[n_free:]] = False
                self.case.unlisted[model] = self.case.unlisted.get(model, 0) + count - n_free
            self.listed[model] = before + min(count, n_free)
        return listed

    def _hits(self, evaluator: Evaluator, rows: NDArray[Any]) -> Iterator[Hit]:
        table, targets = self._points_at(evaluator, rows)
        expressions = [part.expression for part in self.rule.message if part.expression is not None]
        shown = [_python(evaluator.value(expression.program), expression) for expression in expressions]
        related = self._find_related(evaluator, len(rows))
        for number, row in enumerate(rows.tolist()):
            place = (table, int(targets[number])) if targets[number] >= 0 else (self.rule.for_each, row)
            others = tuple(other for other in related[number] if other != place)
            yield Hit(row, place[0], place[1], tuple(column[number] for column in shown), others)

    def _points_at(self, evaluator: Evaluator, rows: NDArray[Any]) -> tuple[str, NDArray[Any]]:
        """Return the table and rows that findings point at: the rows themselves or `report-on` (-1: absent)."""
        expression = self.rule.report_on
        if expression is None:
            return self.rule.for_each, rows
        value = evaluator.value(expression.program)
        targets = value.values if value.state is None else np.where(value.state == PRESENT, value.values, -1)
        return expression.type.table, targets

    def _find_related(self, evaluator: Evaluator, n_rows: int) -> list[list[tuple[str, int]]]:
        """Return the rows that `related` refers to, per row. Like lists in messages, they are limited in number."""
        expression = self.rule.related
        if expression is None:
            return [[]] * n_rows
        rows = _python(evaluator.value(expression.program), expression)
        return [[(expression.type.table, row) for row in of_row or () if row is not None] for of_row in rows]


def _split(value: Value, *, wanted: bool) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows for which a condition has the wanted value, and the rows for which the condition is unknown."""
    truth = value.values if wanted else ~value.values
    if value.state is None:
        return truth.nonzero()[0], _NO_ROWS
    return (truth & (value.state == PRESENT)).nonzero()[0], (value.state == UNKNOWN).nonzero()[0]


def _python(value: Value, expression: Expression) -> list[Any]:
    """Return a value as plain Python objects, one per row. Absent and unknown values become None."""
    if value.lengths is None:
        return [_element(value, k, expression) for k in range(len(value.values))]
    result: list[Any] = []
    begin = 0
    for row, length in enumerate(value.lengths.tolist()):
        if value.row_state is not None and value.row_state[row] != PRESENT:
            result.append(None)
        else:
            # One element more than a message shows, so that the message can mark the rest.
            result.append([_element(value, begin + k, expression) for k in range(min(length, MAX_LIST_ELEMENTS + 1))])
        begin += length
    return result


def _element(value: Value, at: int, expression: Expression) -> Any:
    if value.state is not None and value.state[at] != PRESENT:
        return None
    if expression.type.kind == STRING:
        assert value.labels is not None
        return value.labels[int(value.values[at])]
    return value.values[at].item()
