"""Reads and writes the compiled built-in rules, `rules/compiled.json`.

Parsing and checking the rule files at every start would take longer than linting a model. `compiled.json` ships in the
wheel, and a test compares it with the rule files. tflint never writes it during a run.

The file has sections, separated by empty lines: a head, the compiled expressions (programs), what selects each rule,
and, as one line per rule, its scope, its condition, and its texts and what else only findings need. The first three
sections are read as a whole. A run reads the condition of a rule only if rows are in its scope, and the texts only if
it has findings. In a program, a whole number refers to an earlier program, so that equal parts stay one object.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from tflint.catalog.rule import Rule
from tflint.columns.column_types import ColumnType
from tflint.language.expression import Expression, Part, Program

FORMAT = 5
#: Number of bytes at the start of `compiled.json` that contain its format, its number of rule files and their digest.
_HEAD_BYTES = 200

_SELECTION = (
    "id", "name", "severity", "severity_by_runtime", "for_each", "category", "status", "since", "reads_target",
    "reads_values", "opcodes", "refused_by", "origin",
)  # fmt: skip
_EXPRESSIONS = ("where", "require", "report_on", "related")
#: The fields on each line of a rule.
_PARTS = (
    ("where",),
    ("require", "report_on", "related"),
    ("message", "summary", "why", "fix", "limits", "references", "confidence", "failure_class", "mutes", "runs_on",
     "keys", "confirm"),
)  # fmt: skip
#: Functions that set the fields of a rule, for which assignment is refused: the descriptors of its slots.
_SETTERS: dict[str, Callable[[Rule, Any], None]] = {name: getattr(Rule, name).__set__ for name in Rule.__match_args__}
_SELECTION_SETTERS = [_SETTERS[name] for name in _SELECTION]


def dump(rules: Iterable[Rule], n_sources: int, digest: str) -> str:
    """Return the text of `compiled.json` for the rules, the number of rule files and the digest of the rule files.

    The text is ASCII: other text takes twice the time to parse.
    """
    writer = _Writer()
    selections, *parts = zip(*map(writer.rule, rules), strict=True)
    head = f'{{{_head(n_sources)} "digest": "{digest}"}}'
    arrays = [",\n".join(map(json.dumps, items)) for items in (writer.programs, selections)]
    sections = [head, *(f"[\n{items}\n]" for items in arrays), *("\n".join(map(json.dumps, part)) for part in parts)]
    return "\n\n".join(sections) + "\n"


def load(path: Path) -> tuple[tuple[Rule, ...], str]:
    """Return the rules in `compiled.json` and the digest of their rule files."""
    head, programs, selections, *parts = path.read_bytes().decode("ascii").split("\n\n")
    built = _Programs(json.loads(programs))
    lines = zip(*(part.split("\n") for part in parts), strict=False)  # the last part ends with a newline
    rules = [
        _StoredRule(selection, of_rule, built) for selection, of_rule in zip(json.loads(selections), lines, strict=True)
    ]
    return tuple(rules), json.loads(head)["digest"]


class _Programs:
    """The programs of all rules. Each is built from its plain data, a list, when it is first needed."""

    def __init__(self, plain: Iterable[list[Any]]) -> None:
        self._programs: list[Program | list[Any]] = [*plain]

    def program(self, number: int) -> Program:
        """Return a program by its number."""
        stored = self._programs[number]
        if isinstance(stored, tuple):
            return stored
        program = self._programs[number] = tuple([self.program(part) if type(part) is int else part for part in stored])
        return program


class _StoredRule(Rule):
    """A rule whose scope, condition and texts are read from their lines when they are first accessed."""

    __slots__ = ("_lines", "_programs")

    def __init__(self, selection: Sequence[Any], lines: Sequence[str], programs: _Programs) -> None:
        for set_field, value in zip(_SELECTION_SETTERS, selection, strict=True):
            set_field(self, tuple(value) if type(value) is list else value)
        object.__setattr__(self, "_lines", lines)
        object.__setattr__(self, "_programs", programs)

    def __getattr__(self, name: str) -> Any:
        """Return a field that has no value yet, because its line has not been read."""
        for fields, line in zip(_PARTS, self._lines, strict=True):
            if name in fields:
                for field, plain in zip(fields, json.loads(line), strict=True):
                    _SETTERS[field](self, self._value(field, plain))
                return getattr(self, name)
        raise AttributeError(f"a rule has no field '{name}'")

    def _value(self, field: str, plain: Any) -> Any:
        """Return the value of a field from its plain data."""
        if field in _EXPRESSIONS:
            return self._expression(plain)
        if field == "message":
            return tuple([Part(text, self._expression(one), form) for text, one, form in plain])
        return tuple(plain) if type(plain) is list else plain

    def _expression(self, plain: Sequence[Any] | None) -> Expression | None:
        if plain is None:
            return None
        text, type_, number, reads, records = plain
        program = self._programs.program(number)
        return Expression(text, ColumnType(*type_), program, tuple(map(tuple, reads)), tuple(records))

    def __reduce__(self) -> tuple[Any, ...]:
        return Rule, tuple([getattr(self, name) for name in Rule.__match_args__])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rule) and self.__reduce__()[1] == other.__reduce__()[1]

    __hash__ = Rule.__hash__


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
