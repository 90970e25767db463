"""Reads and writes the compiled built-in rules, `rules/compiled.json`.

Parsing and checking the rule files at every start would take longer than linting a model. `compiled.json` ships in the
wheel, and a test compares it with the rule files. tflint never writes it during a run.

Each line of the file is JSON: first the number of rule files and of programs, then a line per compiled expression
(program), then four lines per rule: what selects it, its scope, its condition, and its texts. A run reads the condition
of a rule only if rows are in its scope, and the texts only if it has findings. In a program, a whole number refers to
an earlier program, so that equal parts stay one object.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tflint.catalog.rule import Rule
from tflint.columns.column_types import ColumnType
from tflint.language.expression import Expression, Part, Program

FORMAT = 4
#: Number of bytes at the start of `compiled.json` that contain its format, its number of rule files and their digest.
_HEAD_BYTES = 200

_SELECTION = (
    "id", "name", "severity", "severity_by_runtime", "for_each", "confidence", "category", "failure_class", "since",
    "status", "reads_target", "reads_values", "confirm", "opcodes", "mutes", "refused_by", "runs_on", "keys",
)  # fmt: skip
_EXPRESSIONS = ("where", "require", "report_on")
#: The fields on each of the other lines of a rule.
_PARTS = (("where",), ("require", "report_on"), ("message", "summary", "why", "fix", "limits", "references"))


def dump(rules: Iterable[Rule], n_sources: int, digest: str) -> str:
    """Return the text of `compiled.json` for the rules, the number of rule files and the digest of the rule files.

    The text is ASCII: other text takes twice the time to parse.
    """
    writer = _Writer()
    entries = [json.dumps(part) for rule in rules for part in writer.rule(rule)]
    programs = [json.dumps(program) for program in writer.programs]
    head = f'{{{_head(n_sources)} "digest": "{digest}", "programs": {len(programs)}}}'
    return "\n".join((head, *programs, *entries, ""))


def load(path: Path) -> tuple[tuple[Rule, ...], str]:
    """Return the rules in `compiled.json` and the digest of their rule files."""
    head, *lines, _ = path.read_bytes().decode("ascii").split("\n")
    facts = json.loads(head)
    n_programs = facts["programs"]
    programs = _read_programs(lines[:n_programs])
    selections, *parts = (lines[n_programs + k :: 1 + len(_PARTS)] for k in range(1 + len(_PARTS)))
    rules = [
        _StoredRule(selection, of_rule, programs)
        for selection, of_rule in zip(_read_lines(selections), zip(*parts, strict=True), strict=True)
    ]
    return tuple(rules), facts["digest"]


def _read_lines(lines: Sequence[str]) -> list[Any]:
    """Return the values of some lines. Reading all of them at once takes half the time."""
    values: list[Any] = json.loads(f"[{','.join(lines)}]")
    return values


def _read_programs(lines: Sequence[str]) -> list[Program]:
    programs: list[Program] = []
    for parts in _read_lines(lines):
        programs.append(tuple([programs[part] if type(part) is int else part for part in parts]))
    return programs


class _StoredRule(Rule):
    """A rule whose scope, condition and texts are read from their lines when they are first accessed."""

    __slots__ = ("_lines", "_programs")

    def __init__(self, selection: Sequence[Any], lines: Sequence[str], programs: Sequence[Program]) -> None:
        values = [tuple(value) if type(value) is list else value for value in selection]
        _set_fields(self, (*_SELECTION, "origin"), (*values, ""))
        _set_fields(self, self.__slots__, (lines, programs))

    def __getattr__(self, name: str) -> Any:
        """Return a field that has no value yet, because its line has not been read."""
        for fields, line in zip(_PARTS, self._lines, strict=True):
            if name in fields:
                plain = json.loads(line)
                _set_fields(self, fields, [self._value(*pair) for pair in zip(fields, plain, strict=True)])
                return getattr(self, name)
        raise AttributeError(f"a rule has no field '{name}'")

    def _value(self, field: str, plain: Any) -> Any:
        """Return the value of a field from its plain data."""
        if field == "message":
            return tuple([Part(text, _expression(one, self._programs), form) for text, one, form in plain])
        if field in _EXPRESSIONS:
            return _expression(plain, self._programs)
        return tuple(plain) if field == "references" else plain

    def __reduce__(self) -> tuple[Any, ...]:
        return Rule, tuple([getattr(self, name) for name in Rule.__match_args__])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rule) and self.__reduce__()[1] == other.__reduce__()[1]

    __hash__ = Rule.__hash__


def _set_fields(rule: Rule, names: Sequence[str], values: Sequence[Any]) -> None:
    for name, value in zip(names, values, strict=True):
        object.__setattr__(rule, name, value)


def is_current(path: Path, sources: Sequence[str | Path], digest: str | None = None) -> bool:
    """Return whether the `compiled.json` of a checkout is up to date with the rule files.

    It may be missing or older than a rule file; if it is older, the digests of the rule files are compared.
    """
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head, written = file.read(_HEAD_BYTES), os.fstat(file.fileno()).st_mtime_ns
    if not head.startswith(f"{{{_head(len(sources))}".encode()):
        return False
    if all(os.stat(source).st_mtime_ns <= written for source in sources):  # noqa: PTH116 (half the time of Path.stat)
        return True
    return digest is not None and f'"digest": "{digest}"'.encode() in head


def _head(n_sources: int) -> str:
    return f'"format": {FORMAT}, "sources": {n_sources},'


class _Writer:
    def __init__(self) -> None:
        self.programs: list[list[Any]] = []
        self._numbers: dict[int, int] = {}  # by identity: equal programs are one object

    def rule(self, rule: Rule) -> list[list[Any]]:
        """Return the lines of a rule as plain data."""
        return [[self._plain(getattr(rule, name)) for name in fields] for fields in (_SELECTION, *_PARTS)]

    def _plain(self, value: Any) -> Any:
        if isinstance(value, Expression):
            return self._expression(value)
        if isinstance(value, tuple):
            return [self._plain(item) for item in value]
        if isinstance(value, Part):
            return [value.text, self._plain(value.expression), value.format]
        return value

    def _expression(self, expression: Expression) -> list[Any]:
        type_ = [expression.type.kind, expression.type.is_list, expression.type.table]
        number = self._program(expression.program)
        return [expression.text, type_, number, expression.reads, expression.records]

    def _program(self, program: Program) -> int:
        number = self._numbers.get(id(program))
        if number is None:
            parts = [self._part(part) for part in program]
            self.programs.append(parts)
            number = self._numbers[id(program)] = len(self.programs) - 1
        return number

    def _part(self, part: Any) -> Any:
        assert type(part) is not int, "whole numbers refer to programs"
        return self._program(part) if isinstance(part, tuple) else part


def _expression(plain: Sequence[Any] | None, programs: Sequence[Program]) -> Expression | None:
    if plain is None:
        return None
    text, type_, number, reads, records = plain
    return Expression(text, ColumnType(*type_), programs[number], tuple(map(tuple, reads)), tuple(records))
