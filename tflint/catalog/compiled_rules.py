"""Reads and writes the compiled built-in rules, `rules/compiled.json`.

Parsing and checking the rule files at every start would take longer than linting a model. `compiled.json` ships in the
wheel, and a test compares it with the rule files. tflint never writes it during a run. In the file, a compiled
expression (a program) refers to an earlier program by a list with its number, so that equal parts stay one object.
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
from tflint.resources import is_installed

FORMAT = 3
#: Number of bytes at the start of `compiled.json` that contain its format, its number of rule files and their digest.
_HEAD_BYTES = 200

_FIELDS = (
    "id", "name", "severity", "for_each", "summary", "why", "fix", "confidence", "category", "failure_class", "since",
    "status", "limits", "reads_target", "severity_by_runtime", "confirm",
)  # fmt: skip
_LISTS = ("mutes", "references", "refused_by", "runs_on", "opcodes", "keys")


def dump(rules: Iterable[Rule], n_sources: int, digest: str) -> str:
    """Return the text of `compiled.json` for the rules, the number of rule files and the digest of the rule files.

    Each rule is on a line of its own, for readable diffs. The text is ASCII: other text takes twice the time to parse.
    """
    writer = _Writer()
    entries = [json.dumps(writer.rule(rule)) for rule in rules]
    programs = [json.dumps(program) for program in writer.programs]
    head = f'{{{_head(n_sources)} "digest": "{digest}",\n"programs": [\n'
    return head + ",\n".join(programs) + '\n],\n"rules": [\n' + ",\n".join(entries) + "\n]}\n"


def load(path: Path) -> tuple[tuple[Rule, ...], str]:
    """Return the rules in `compiled.json` and the digest of their rule files."""
    data = json.loads(path.read_bytes())
    programs: list[Program] = []
    for parts in data["programs"]:
        programs.append(tuple([programs[part[0]] if type(part) is list else part for part in parts]))
    return tuple([_rule(entry, programs) for entry in data["rules"]]), data["digest"]


def is_current(path: Path, sources: Sequence[Path], digest: str | None = None) -> bool:
    """Return whether `compiled.json` is up to date with the rule files.

    In an installed package, it always is. In a checkout, it may be missing or older than a rule file; if it is older,
    the digests of the rule files are compared.
    """
    if is_installed():
        return True
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

    def rule(self, rule: Rule) -> list[Any]:
        """Return the rule as plain data."""
        return [
            [getattr(rule, name) for name in _FIELDS],
            [list(getattr(rule, name)) for name in _LISTS],
            self._expression(rule.require),
            self._expression(rule.where),
            self._expression(rule.report_on),
            [[part.text, self._expression(part.expression), part.format] for part in rule.message],
        ]

    def _expression(self, expression: Expression | None) -> list[Any] | None:
        if expression is None:
            return None
        type_ = [expression.type.kind, expression.type.is_list, expression.type.table]
        number = self._program(expression.program)
        return [expression.text, type_, number, [list(read) for read in expression.reads], list(expression.records)]

    def _program(self, program: Program) -> int:
        number = self._numbers.get(id(program))
        if number is None:
            parts = [[self._program(part)] if isinstance(part, tuple) else part for part in program]
            self.programs.append(parts)
            number = self._numbers[id(program)] = len(self.programs) - 1
        return number


def _rule(entry: Sequence[Any], programs: Sequence[Program]) -> Rule:
    fields, lists, require, where, report_on, message = entry
    checked = _expression(require, programs)
    assert checked is not None
    values: dict[str, Any] = dict(zip(_FIELDS, fields, strict=True))
    values |= {name: tuple(texts) for name, texts in zip(_LISTS, lists, strict=True)}
    return Rule(
        **values,
        require=checked,
        where=_expression(where, programs),
        report_on=_expression(report_on, programs),
        message=tuple([Part(text, _expression(one, programs), format_) for text, one, format_ in message]),
    )


def _expression(plain: Sequence[Any] | None, programs: Sequence[Program]) -> Expression | None:
    if plain is None:
        return None
    text, type_, number, reads, records = plain
    return Expression(text, ColumnType(*type_), programs[number], tuple(map(tuple, reads)), tuple(records))
