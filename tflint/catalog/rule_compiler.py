"""Compiles rule files: validates them, type-checks their expressions, and reports errors with positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tflint import resources
from tflint.catalog.contract_keys import contract_keys
from tflint.catalog.rule import CATEGORIES, Example, Rule
from tflint.catalog.rule_constants import Constants
from tflint.catalog.rule_family import Path as KeyPath
from tflint.catalog.rule_family import RuleEntry, rule_entries
from tflint.columns.column_types import REFERENCE, STRING, TableDeclaration
from tflint.errors import Place, UserError
from tflint.facts.fact_registry import all_tables
from tflint.language.expression import Expression, Part, Program
from tflint.language.message_template import compile_template
from tflint.language.scope import Scope
from tflint.language.syntax import ExpressionError
from tflint.language.type_check import check, check_condition
from tflint.targets.runtime import runtime_names
from tflint.targets.target import is_runtime_spec
from tflint.targets.target_fields import TARGET_FIELDS
from tflint.userfiles.nearest_word import nearest
from tflint.userfiles.schema_errors import check as check_schema
from tflint.userfiles.toml_positions import content_position, locate
from tflint.userfiles.userfile import error_at, load_toml, printable, read_text
from tflint.values import frozen

if TYPE_CHECKING:
    from tflint.facts.plugin_loader import Plugins


@frozen
class RuleFile:
    """A compiled rule file: rules, examples by rule id, and tables of constants."""

    rules: tuple[Rule, ...]
    examples: Mapping[str, tuple[Example, ...]]
    constants: Mapping[str, Mapping[str, Any]]


def compile_file(
    path: Path, *, builtin: bool, taken: Mapping[str, str] = MappingProxyType({}), plugins: Plugins | None = None
) -> RuleFile:
    """Compile a rule file. Raises `UserError` for the first mistake, with file, line, column and the marked text.

    `taken` maps the ids and names of other rules to a text about where those rules are. `plugins` adds facts.
    """
    text = read_text(str(path))
    data = load_toml(str(path), text)
    check_schema(data, resources.json_schema("rule"), path=str(path), text=text, what="rule file")
    compiler = _Compiler(path, text, data, builtin, taken, plugins.tables if plugins else all_tables())
    entries = list(rule_entries(data))
    if not entries:
        raise UserError("a rule file needs a [[rule]] or a [[family]]", place=Place(str(path)))
    rules = tuple(compiler.rule(entry) for entry in entries)
    examples = {entry.data["id"]: tuple(_examples(entry.data)) for entry in entries}
    return RuleFile(rules, examples, data.get("tables", {}))


def _examples(entry: Mapping[str, Any]) -> list[Example]:
    return [
        Example(
            example["model"],
            example.get("edit", {}),
            tuple(example.get("targets", ())),
            tuple(example["expect"]) if kind == "invalid" else None,
            example.get("note", ""),
            example.get("contract", ""),
            example.get("old", ""),
            example.get("run", {}),
        )
        for kind in ("invalid", "valid")
        for example in entry.get(kind, ())
    ]


class _Compiler:
    def __init__(
        self,
        path: Path,
        text: str,
        data: Mapping[str, Any],
        builtin: bool,
        taken: Mapping[str, str],
        tables: Mapping[str, TableDeclaration],
    ) -> None:
        self.path = str(path)
        self.text = text
        self.data = data
        self.builtin = builtin
        self.tables = tables
        self.constants = Constants(data.get("tables", {}))
        self.taken = dict(taken)

    def rule(self, source: RuleEntry) -> Rule:
        entry = source.data
        self._check_complete(source)
        self._check_id(source)
        self._check_runtimes(source)
        if entry["for-each"] not in self.tables:
            self._fail(source, "for-each", f"there is no table {_quote_value(entry['for-each'])}",
                       nearest(entry["for-each"], self.tables) or "'tflint facts' lists the tables")  # fmt: skip
        scope = Scope(self.tables, entry["for-each"], self.constants, {"target": TARGET_FIELDS}, _plugin_hint)
        where = self._expression(source, "where", scope) if "where" in entry else None
        require = self._expression(source, "require", scope)
        assert require is not None
        report_on = self._reference(source, "report-on", scope, many=False)
        related = self._reference(source, "related", scope, many=True)
        message = self._message(source, scope)
        expressions = (where, require, report_on, related, *(part.expression for part in message))
        severities = entry["severity"] if isinstance(entry["severity"], dict) else {"default": entry["severity"]}
        category = entry.get("category", CATEGORIES.get(entry["id"][0], "graph") if self.builtin else "graph")
        return Rule(
            id=entry["id"],
            name=entry["name"],
            severity=severities["default"],
            severity_by_runtime={name: severity for name, severity in severities.items() if name != "default"},
            for_each=entry["for-each"],
            require=require,
            where=where,
            report_on=report_on,
            related=related,
            message=message,
            summary=entry["summary"].strip(),
            why=entry["why"].strip(),
            fix=entry["fix"].strip(),
            category=category,
            confidence=entry.get("confidence", "high"),
            status=entry.get("status", "stable"),
            since=entry.get("since", ""),
            limits=entry.get("limits", "").strip(),
            failure_class=entry.get("failure-class", ""),
            mutes=tuple(entry.get("mutes", ())),
            references=tuple(entry.get("references", ())),
            refused_by=tuple(entry.get("refused-by", ())),
            runs_on=tuple(entry.get("runs-on", ())),
            opcodes=_opcodes(where.program) or () if where and entry["for-each"] == "operator" else (),
            keys=self._keys(source, entry["for-each"] if report_on is None else report_on.type.table),
            confirm=entry.get("confirm", ""),
            reads_target=any("target" in expression.records for expression in expressions if expression),
            reads_values=any(self._reads_values(expression) for expression in (where, require) if expression),
            origin="" if self.builtin else self.path,
        )

    def _reads_values(self, expression: Expression) -> bool:
        return any(self.tables[table].columns[column].values for table, column in expression.reads)

    def _keys(self, source: RuleEntry, table: str) -> tuple[str, ...]:
        """Return the contract keys that findings at rows of a table point at.

        Raises `UserError` if the schema of contracts lacks a key.
        """
        keys: tuple[str, ...] = tuple(source.data.get("keys", ()))
        known = contract_keys(table)
        for key in keys:
            if key not in known:
                what = (
                    f"a contract has no key {_quote_value(key)} here"
                    if known
                    else "only rules about contracts can have 'keys'"
                )
                self._fail(source, "keys", what, nearest(key, known))
        return keys

    def _check_id(self, source: RuleEntry) -> None:
        entry = source.data
        identifier = entry["id"]
        for key in ("id", "name"):
            if entry[key] in self.taken:
                self._fail(source, key, f"there is already a rule '{entry[key]}', {self.taken[entry[key]]}",
                           f"choose another {key}")  # fmt: skip
            self.taken[entry[key]] = "in this file"
        prefix = identifier.rstrip("0123456789")
        if not self.builtin and prefix in CATEGORIES:
            self._fail(source, "id", f"the prefix '{prefix}' is reserved for built-in rules",
                       "choose another prefix, such as ACME001")  # fmt: skip
        if ("refused-by" in entry) != ("runs-on" in entry):
            self._fail(source, "id", f"rule '{identifier}' needs both 'refused-by' and 'runs-on', or neither",
                       "'runs-on' lists the runtimes that run the model")  # fmt: skip

    def _check_complete(self, source: RuleEntry) -> None:
        """Raise `UserError` if a side of a family lacks a text that the schema of rules requires."""
        for key in ("require", "message", "summary", "why", "fix"):
            if key not in source.data:
                self._fail(source, "id", f"the family has no '{key}' for its {source.side}",
                           f"write '{key}' in the family or in [family.{source.side}]")  # fmt: skip

    def _check_runtimes(self, source: RuleEntry) -> None:
        """Raise `UserError` if a key of a rule names a runtime that tflint does not know."""
        named = [(key, spec) for key in ("refused-by", "runs-on") for spec in source.data.get(key, ())]
        severity = source.data["severity"]
        named += [("severity", name) for name in severity if name != "default"] if isinstance(severity, dict) else []
        for key, spec in named:
            if not is_runtime_spec(spec):
                known = runtime_names()
                self._fail(source, key, f"{_quote_value(spec)} names a runtime that tflint does not know",
                           nearest(spec, known) or f"runtimes: {', '.join(known)}")  # fmt: skip

    def _expression(self, source: RuleEntry, key: str, scope: Scope) -> Expression:
        try:
            return check_condition(source.data[key], scope)
        except ExpressionError as error:
            raise self._at(source, key, error) from None

    def _reference(self, source: RuleEntry, key: str, scope: Scope, *, many: bool) -> Expression | None:
        """Return the expression of a key that refers to one row, or to many rows; None without the key."""
        if key not in source.data:
            return None
        try:
            expression = check(source.data[key], scope)
            if expression.type.kind != REFERENCE or expression.type.is_list != many:
                rows = "a list of rows" if many else "one row"
                raise ExpressionError(f"'{key}' must refer to {rows}, but this is a {expression.type}")
        except ExpressionError as error:
            raise self._at(source, key, error) from None
        return expression

    def _message(self, source: RuleEntry, scope: Scope) -> tuple[Part, ...]:
        try:
            return compile_template(source.data["message"], scope)
        except ExpressionError as error:
            raise self._at(source, "message", error) from None

    def _fail(self, source: RuleEntry, key: str, message: str, hint: str = "") -> None:
        raise self._at(source, key, ExpressionError(message, 0, 1, hint))

    def _at(self, source: RuleEntry, key: str, error: ExpressionError) -> UserError:
        """Return an error about a value of a rule, with the position of the value in the file."""
        message, hint = printable(error.message), printable(error.hint)  # both may quote text from the rule file
        keys = source.path(key)
        span = locate(self.text, {keys}).get(keys)
        if span is None:
            return UserError(message, place=Place(self.path), hint=hint)
        offset = source.source_offset(self._text_before_expansion(keys), error.offset)
        line, column = content_position(self.text, span, offset)
        return error_at(f"{key}: {message}", self.path, self.text, line, column, width=error.length, hint=hint)

    def _text_before_expansion(self, keys: KeyPath) -> str:
        """Return a text of the rule file as it was before its family was expanded; empty if the value is not a text."""
        value: Any = self.data
        for key in keys:
            value = value[key]
        return value if isinstance(value, str) else ""


def _quote_value(value: object) -> str:
    from tflint.userfiles.error_wording import show  # imported here because only errors need it

    return show(value)


def _plugin_hint(names: Sequence[str]) -> str:
    """Return a hint that names the plugins that may define an unknown field."""
    from tflint.facts.plugin_loader import suggest_plugin

    return suggest_plugin(names)


_OPCODE = ("column", ("row",), "operator", "opcode", STRING)


def _opcodes(condition: Program) -> tuple[str, ...] | None:
    """Return the only operators for which a condition over operators can hold, or None if it can hold for all."""
    operation = condition[0]
    if operation == "in" and condition[1] == _OPCODE and condition[2][0] == "constants":
        return tuple(condition[2][1])
    if operation == "==" and condition[1] == _OPCODE and condition[2][0] == "string":
        return (condition[2][1],)
    if operation not in ("and", "or"):
        return None
    parts = [_opcodes(part) for part in condition[1:]]
    if operation == "and":
        return next((part for part in parts if part is not None), None)
    return None if None in parts else tuple(opcode for part in parts if part is not None for opcode in part)
