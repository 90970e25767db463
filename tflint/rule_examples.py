"""Runs the examples of rules: each invalid one must be spoken of exactly where it says, each valid one not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tflint import resources
from tflint.api import check, diff
from tflint.catalog import Example, Rule
from tflint.catalog.rule_compiler import compile_file
from tflint.catalog.rule_loader import builtin_files, rule_files
from tflint.config import Config
from tflint.contract import Contract, parse_contract
from tflint.errors import Place, UserError
from tflint.findings import FileReport, Location
from tflint.source.checkout_boundary import boundary_of, is_within
from tflint.userfiles.nearest_word import nearest
from tflint.values import frozen, replace
from tflint.writer.model_edits import edit_model

if TYPE_CHECKING:
    from tflint.facts.plugin_loader import Plugins


#: Examples of one file: each takes some 8 ms of CPU time, and none of tflint's own files has more than 31.
MAX_EXAMPLES = 200


@frozen
class Trial:
    """What became of an example: `problem` is empty where the rule did as it says."""

    rule: str
    example: str
    problem: str


def try_files(paths: Sequence[str], plugins: Plugins | None = None) -> Iterator[Trial]:
    """Try the rules in files and folders (none: the built-in ones) on their examples; `plugins` are further facts."""
    files = list(rule_files(paths)) if paths else builtin_files()
    for path in files:
        compiled = compile_file(path, builtin=not paths, plugins=plugins)
        _require_few(compiled.examples, path)
        for rule in compiled.rules:
            numbers = {"invalid": 0, "valid": 0}
            for example in compiled.examples[rule.id]:
                kind = _kind(example)
                numbers[kind] += 1
                problem = try_example(rule, example, path, plugins.names if plugins else ())
                yield Trial(rule.id, f"{kind} {numbers[kind]} ({example.model})", problem)


def _require_few(examples: Mapping[str, Sequence[Example]], path: Path) -> None:
    count = sum(map(len, examples.values()))
    if count > MAX_EXAMPLES:
        message = f"has {count:,} examples; at most {MAX_EXAMPLES} per file are run"
        raise UserError(message, place=Place(str(path)), hint="move some rules to another file")


def _kind(example: Example) -> str:
    return "valid" if example.expect is None else "invalid"


def try_example(rule: Rule, example: Example, path: Path, plugins: Sequence[str] = ()) -> str:
    """What is wrong with a rule at an example; empty where nothing is."""
    content = example_bytes(example, path)
    config = Config(select=(rule.id,), targets=example.targets, rules=() if rule.is_builtin else (rule.origin,))
    if example.old:
        report = diff(example_old(example, path), content, config=config, plugins=plugins)
    else:
        report = check(content, config=config, plugins=plugins, contract=example_contract(example, path))
    return judge_example(merged(report.files), rule, example)


def merged(reports: Sequence[FileReport]) -> FileReport:
    """One report for an example: of a container what was found in it and in its members."""
    findings = tuple(finding for report in reports for finding in report.findings)
    return replace(reports[0], findings=findings, not_checked=tuple(n for r in reports for n in r.not_checked))


def judge_example(report: FileReport, rule: Rule, example: Example) -> str:
    """Compare what a rule said of an example with what it should say."""
    places = [_places(finding.location) for finding in report.findings if finding.rule == rule.id]
    undecided = [entry for entry in report.not_checked if entry.rule == rule.id]
    if undecided:
        return f"could not be decided: {undecided[0].reason}"
    if example.expect is None:
        return f"should have no finding, but reports {_names(places)}" if places else ""
    missing = [expected for expected in example.expect if not any(expected in place for place in places)]
    surplus = [place for place in places if not place & set(example.expect)]
    if missing:
        return f"should report {', '.join(missing)}, but reports {_names(places) or 'nothing'}"
    return f"should not report {_names(surplus)}" if surplus else ""


def _places(location: Location) -> set[str]:
    return {location.path or "file", *location.names[-1:]}


def _names(places: Sequence[set[str]]) -> str:
    return ", ".join(min(place, key=len) for place in places)


def example_bytes(example: Example, path: Path) -> bytes:
    """The bytes of an example's model, with its edits; `UserError` where the model or a field is not there."""
    try:
        content = _model_path(example.model, path).read_bytes()
        return edit_model(content, example.edit) if example.edit else content
    except ValueError as error:
        raise UserError(f"an example on '{example.model}' cannot be made: {error}", place=Place(str(path))) from None


def example_old(example: Example, path: Path) -> bytes:
    """The bytes of the older version that an example is compared with; `UserError` where it is not there."""
    return _model_path(example.old, path).read_bytes()


def example_contract(example: Example, path: Path) -> Contract | None:
    """An example's contract; None where it has none. `UserError` where it is wrong."""
    return parse_contract(example.contract, f"{path}: contract of an example") if example.contract else None


def _model_path(model: str, path: Path) -> Path:
    named = resources.named_model_path(model)
    if "/" not in model and named.is_file():
        return named
    beside = path.parent / model
    if not is_within(beside, boundary_of(path.parent)):
        raise UserError(f"the example model '{model}' leads out of the checkout", place=Place(str(path)))
    if beside.is_file():
        return beside
    hint = nearest(model, resources.named_models()) or "models that ship: " + ", ".join(resources.named_models())
    raise UserError(f"there is no example model '{model}'", place=Place(str(path)), hint=hint)


def disabled(rule: Rule) -> Rule:
    """The rule with a condition that always holds: its invalid examples must then fail."""
    return replace(rule, require=replace(rule.require, program=("bool", True)))
