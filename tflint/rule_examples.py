"""Runs the examples of rules.

A rule must report each invalid example at the listed places, and must not report any valid example. Input: rule files.
Output: a result per example. Must not know the command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tflint import resources
from tflint.api import check, diff, judge_run, load
from tflint.catalog import Example, Rule
from tflint.catalog.rule_compiler import compile_file
from tflint.catalog.rule_loader import builtin_files, is_builtin_file, rule_files
from tflint.config import Config
from tflint.contract import Contract, parse_contract
from tflint.contract.contract_loader import invalid_contract
from tflint.errors import Place, UserError
from tflint.facts.fact_registry import CONTRACT_PROBLEM_TABLE
from tflint.facts.run.model_run import parse_run
from tflint.findings import FileReport, Location
from tflint.source.checkout_boundary import boundary_of, is_within
from tflint.userfiles.nearest_word import nearest
from tflint.values import frozen, replace
from tflint.writer.model_edits import edit_model

if TYPE_CHECKING:
    from tflint.facts.plugin_loader import Plugins


#: Maximum number of examples per rule file. An example takes about 8 ms of CPU time; no built-in file has more than 31.
MAX_EXAMPLES = 200


@frozen
class ExampleResult:
    """The result of an example; `problem` is empty if the rule behaved as the example states."""

    rule: str
    example: str
    problem: str


def run_examples(paths: Sequence[str], plugins: Plugins | None = None) -> Iterator[ExampleResult]:
    """Run the examples in rule files and folders; without paths, run the examples of the built-in rules."""
    files = list(rule_files(paths)) if paths else builtin_files()
    for path in files:
        compiled = compile_file(path, builtin=is_builtin_file(path), plugins=plugins)
        _require_few(compiled.examples, path)
        for rule in compiled.rules:
            numbers = {"invalid": 0, "valid": 0}
            for example in compiled.examples[rule.id]:
                kind = "valid" if example.expect is None else "invalid"
                numbers[kind] += 1
                problem = run_example(rule, example, path, plugins.names if plugins else ())
                yield ExampleResult(rule.id, f"{kind} {numbers[kind]} ({example.model})", problem)


def _require_few(examples: Mapping[str, Sequence[Example]], path: Path) -> None:
    count = sum(map(len, examples.values()))
    if count > MAX_EXAMPLES:
        message = f"has {count:,} examples; tflint runs at most {MAX_EXAMPLES} per file"
        raise UserError(message, place=Place(str(path)), hint="move some rules to another file")


def run_example(rule: Rule, example: Example, path: Path, plugins: Sequence[str] = ()) -> str:
    """Return what is wrong with a rule's result on an example; empty if the result is as expected."""
    content = build_model(example, path)
    config = Config(select=(rule.id,), targets=example.targets, rules=() if rule.is_builtin else (rule.origin,))
    if example.run:
        return _find_problem_in_run(rule, example, path, content, config)
    if example.old:
        report = diff(read_old_model(example, path), content, config=config, plugins=plugins)
    else:
        report = check(content, config=config, plugins=plugins, contract=parse_example_contract(example, path, rule))
    return find_problem(merge_reports(report.files), rule, example)


def _find_problem_in_run(rule: Rule, example: Example, path: Path, content: bytes, config: Config) -> str:
    """Return what is wrong with the result of a rule about runs on an example that describes a run."""
    try:
        run = parse_run(example.run)
    except TypeError as error:
        raise UserError(f"the run of an example is invalid: {error}", place=Place(str(path))) from None
    contract = parse_example_contract(example, path, rule)
    findings = judge_run(load(content), run, config=config, contract=contract)
    return find_problem(FileReport("", findings=tuple(findings)), rule, example)


def merge_reports(reports: Sequence[FileReport]) -> FileReport:
    """Return one report that combines the findings of a container and of its members."""
    findings = tuple(finding for report in reports for finding in report.findings)
    return replace(reports[0], findings=findings, not_checked=tuple(n for r in reports for n in r.not_checked))


def find_problem(report: FileReport, rule: Rule, example: Example) -> str:
    """Compare the findings of a rule with what an example expects; return the difference, empty if there is none."""
    places = [_places(finding.location) for finding in report.findings if finding.rule == rule.id]
    undecided = [entry for entry in report.not_checked if entry.rule == rule.id]
    if undecided:
        return f"was not checked: {undecided[0].reason}"
    if example.expect is None:
        return f"should have no finding, but has findings at {_names(places)}" if places else ""
    missing = [expected for expected in example.expect if not any(expected in place for place in places)]
    surplus = [place for place in places if not place & set(example.expect)]
    if missing:
        return f"should have a finding at {', '.join(missing)}, but has {_names(places) or 'none'}"
    return f"should not have a finding at {_names(surplus)}" if surplus else ""


def _places(location: Location) -> set[str]:
    return {location.path or "file", *location.names[-1:]}


def _names(places: Sequence[set[str]]) -> str:
    return ", ".join(min(place, key=len) for place in places)


def build_model(example: Example, path: Path) -> bytes:
    """Return the bytes of an example's model with its edits; `UserError` if the model or a field does not exist."""
    try:
        content = _model_path(example.model, path).read_bytes()
        return edit_model(content, example.edit) if example.edit else content
    except ValueError as error:
        message = f"the model of an example, '{example.model}', cannot be edited: {error}"
        raise UserError(message, place=Place(str(path))) from None


def read_old_model(example: Example, path: Path) -> bytes:
    """Return the bytes of the older version that an example is compared with; `UserError` if it does not exist."""
    return _model_path(example.old, path).read_bytes()


def parse_example_contract(example: Example, path: Path, rule: Rule | None = None) -> Contract | None:
    """Return an example's contract, or None if it has none.

    Raises `UserError` if it is invalid, unless `rule` is about invalid contracts.
    """
    if not example.contract:
        return None
    name = f"{path}: contract of an example"
    try:
        return parse_contract(example.contract, name)
    except UserError as error:
        if rule is None or rule.for_each != CONTRACT_PROBLEM_TABLE:
            raise
        return invalid_contract(name, error)


def _model_path(model: str, path: Path) -> Path:
    named = resources.named_model_path(model)
    if "/" not in model and named.is_file():
        return named
    local = path.parent / model
    if not is_within(local, boundary_of(path.parent)):
        raise UserError(f"the example model '{model}' is outside of the checkout", place=Place(str(path)))
    if local.is_file():
        return local
    hint = nearest(model, resources.named_models()) or "named models: " + ", ".join(resources.named_models())
    raise UserError(f"there is no example model '{model}'", place=Place(str(path)), hint=hint)


def disable_condition(rule: Rule) -> Rule:
    """Return the rule with a condition that always holds: its invalid examples must then fail."""
    return replace(rule, require=replace(rule.require, program=("bool", True)))
