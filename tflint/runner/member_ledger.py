"""Tracks the members of containers in a group of files: which repeat an earlier member, and which exceed a budget.

The decision about a member depends only on the file that it is in and on the earlier members, not on the rest of the
group.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tflint.contract import Contracts
from tflint.engine.plan import Plan
from tflint.findings import FileReport, MemberOrigin
from tflint.findings.report_paths import move_paths
from tflint.model.batch_reader import FoundFile
from tflint.model.tables import Tables
from tflint.values import frozen, replace

if TYPE_CHECKING:  # most groups hold no container
    from tflint.container import Budget, Contents


@frozen
class _Repeated:
    """A member with the same bytes as an earlier member. `first` is the number of the earlier member."""

    first: int
    path: str
    within: MemberOrigin | None


class Ledger:
    """The members of a group by number, and the budget of each file.

    The tables and vector elements of the models in a file count against the file's budget.
    """

    def __init__(self, plan: Plan, contracts: Contracts) -> None:
        self._contracts = contracts
        self._plan = plan
        self._firsts: dict[Hashable, int] = {}
        self._repeated: dict[int, _Repeated] = {}
        self._containers: dict[int, FoundFile] = {}
        self._places: dict[int, tuple[int, int]] = {}  # by model: number of its container, index in the container
        self._budgets: dict[int, Budget] = {}  # by model: the budget of its file
        self._models: dict[int, list[int]] = defaultdict(list)  # by id of a budget: the numbers of its models
        self._n_elements: dict[int, int] = {}

    def enter(self, number: int, found: FoundFile) -> FoundFile | None:
        """Add a file or member. Return it, opened for reading, or None if nothing needs to be read."""
        if found.budget is None:
            return found
        if found.opened.contents is not None:
            self._containers[number] = replace(found, opened=replace(found.opened, source=None))
        else:
            self._add_model(number, found, found.budget)
            if self.is_spent(number):
                return None
        first = self._first(number, found)
        if first != number:
            self._repeated[number] = _Repeated(first, found.path, found.within)
            return None
        if found.reopen is None or found.opened.contents is not None:
            return found
        return replace(found, opened=found.reopen())

    def count(self, numbers: Sequence[int], tables: Tables) -> None:
        """Count the tables and vector elements of each model in a batch."""
        if any(number in self._budgets for number in numbers):
            from tflint.model.element_count import count_elements

            self._n_elements.update(zip(numbers, count_elements(tables), strict=True))

    def is_spent(self, number: int) -> bool:
        """Return whether the earlier models in the same file have used up the budget of the file."""
        budget = self._budgets.get(number)
        return budget is not None and self._n_before(number) > budget.max_elements

    def repeat_reports(self, reports: Mapping[int, FileReport]) -> dict[int, FileReport]:
        """Return the reports of repeated members by number, each with the member's own path."""
        return {
            number: move_report(reports[one.first], one.path, one.within)
            for number, one in self._repeated.items()
            if one.first in reports
        }

    def refused_containers(self) -> Iterator[tuple[int, FoundFile]]:
        """Yield the containers with members that are not checked because of a budget. These members have the reason."""
        refused: dict[int, dict[int, str]] = defaultdict(dict)
        for number, budget in self._budgets.items():
            if self.is_spent(number) and number in self._places:
                container, index = self._places[number]
                refused[container][index] = (
                    f"the earlier models in the file contain {self._n_before(number):,} tables and vector elements;"
                    f" after {budget.max_elements:,}, tflint checks no further models"
                )
        for number, details in refused.items():
            found = self._containers[number]
            assert found.opened.contents is not None
            contents = _refuse_members(found.opened.contents, details)
            yield number, replace(found, opened=replace(found.opened, contents=contents))

    def _add_model(self, number: int, found: FoundFile, budget: Budget) -> None:
        self._budgets[number] = budget
        self._models[id(budget)].append(number)
        container = next((k for k, one in reversed(self._containers.items()) if one.path == found.container), None)
        if container is not None:
            self._places[number] = container, found.index

    def _n_before(self, number: int) -> int:
        """Return the number of elements in the earlier checked models of the same file."""
        budget, total = self._budgets[number], 0
        for other in self._models[id(budget)]:
            if other >= number or total > budget.max_elements:
                break  # whether later models were read depends on which files share their batch
            first = self._repeated[other].first if other in self._repeated else other
            total += self._n_elements.get(first, 0)
        return total

    def _first(self, number: int, found: FoundFile) -> int:
        """Return the number of the first member with the same bytes, or the given number if there is no earlier one."""
        if found.key is None:
            return number
        name = found.opened.name if found.reopen is None else _name_of(found)
        contract = self._contracts.of(found.path)
        key = (
            id(found.budget),
            found.key,
            None if contract is None else contract.path,
            self._name_key(name),
            id(found.opened.contents),  # a repeated container is listed again if the budget does not allow repeating it
        )
        return self._firsts.setdefault(key, number)

    def _name_key(self, name: str) -> Hashable:
        """Return what rules and facts can learn from a file name: the name, or only what facts derive from it."""
        from tflint.facts.interface.language_models import is_language_model_name
        from tflint.facts.quantization.scheme_claim import classify_name

        return name if self._is_name_read else (classify_name(name), is_language_model_name(name))

    @functools.cached_property
    def _is_name_read(self) -> bool:
        return is_name_read(self._plan)


def is_name_read(plan: Plan) -> bool:
    """Return whether a rule or a plugin's fact can read file names."""
    for selected in plan.rules:
        rule = selected.rule
        parts = (rule.where, rule.require, *(part.expression for part in rule.message))
        if any(("file", "name") in expression.reads for expression in parts if expression is not None):
            return True
    return plan.plugins is not None


def move_report(report: FileReport, path: str, within: MemberOrigin | None) -> FileReport:
    """Return a member's report as the report of another member with the same bytes, at `path`."""
    return replace(move_paths(report, lambda file: path if file == report.path else file), within=within)


def _name_of(found: FoundFile) -> str:
    assert found.within is not None
    return found.within.member.rsplit("/", 1)[-1]


def _refuse_members(contents: Contents, details: Mapping[int, str]) -> Contents:
    """Return the contents of a container with some members refused. `details` has the reasons by member index."""
    from tflint.container import refuse_member

    members = tuple(
        refuse_member(member, details[member.index]) if member.index in details else member
        for member in contents.members
    )
    return replace(contents, members=members)
