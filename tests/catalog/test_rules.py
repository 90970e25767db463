"""Test the built-in rules: their examples, a mutation of each, and the conventions of the catalog."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from tflint import resources
from tflint.api import check
from tflint.catalog import Example, Rule, builtin_catalog
from tflint.catalog.rule import CATEGORIES
from tflint.catalog.rule_compiler import compile_file
from tflint.catalog.rule_index import failure_classes_page, index_pages
from tflint.catalog.rule_loader import builtin_files
from tflint.catalog.rule_pages import rule_pages
from tflint.engine.run import Plan, run_batch
from tflint.engine.select import Selected
from tflint.facts.run.model_run import parse_run
from tflint.findings import CRASH_RULE, FileReport
from tflint.model.batch_reader import expand, open_model, read_one, read_together
from tflint.rule_examples import (
    build_model,
    disable_condition,
    find_problem,
    merge_reports,
    parse_example_contract,
    read_old_model,
    run_example,
)
from tflint.source import BytesSource
from tflint.targets.target import resolve_targets

FILES = [compile_file(path, builtin=True) for path in builtin_files()]
RULES = [rule for file in FILES for rule in file.rules]
EXAMPLES = [
    pytest.param(rule, example, path, id=f"{rule.id}-{number}-{example.model}")
    for path, file in zip(builtin_files(), FILES, strict=True)
    for rule in file.rules
    for number, example in enumerate(file.examples[rule.id])
]
INVALID = [parameters for parameters in EXAMPLES if parameters.values[1].expect is not None]
#: Rules that no file can be made to break: the engine or `diff` itself reports them, or the file system decides.
WITHOUT_INVALID = {"G000", "G102", "G109", "G119", "K136", "K137"}
REQUIRED_CLASSES = [
    "G01", "G02", "G03", "G05", "G06", "G07", "G08", "G09", "G10", "G14", "G15", "G16", "G17", "G24", "Q01", "Q02",
    "Q04", "Q05", "Q06", "Q07", "Q08", "Q09", "Q10", "Q11", "Q13", "Q14", "Q15", "Q16", "Q17", "Q18", "Q19", "Q20",
    "Q21", "Q25", "Q27", "Q28", "Q29", "Q31", "Q33", "Q34", "Q35", "Q38", "Q41", "D01", "D02", "D03", "D04", "D05",
    "D06", "D07", "D09", "D10", "D12", "D14", "D15", "D16", "K01", "K02", "K03", "K04", "K05", "K06", "M01", "M02",
    "M03", "M04", "M07", "M08", "M09", "M11", "M13", "O01", "O02", "O03", "O04", "P01", "P02", "P03", "P04", "P05",
    "P06", "P07", "P08", "P09", "P10", "P11", "P12", "P13", "P14", "P15", "P16", "P17", "P18", "S06", "X02", "X04",
    "X07", "M05", "M06",
]  # fmt: skip


def judged(rule: Rule, example: Example, path: Path) -> FileReport:
    """The report of one rule, as it is given, over an example."""
    content = build_model(example, path)
    plan = Plan(
        (Selected(rule, rule.severity),),
        resolve_targets(example.targets, {}),
        {},
        builtin_catalog().rule(CRASH_RULE),
    )
    contract = parse_example_contract(example, path, rule)
    contracts = {} if contract is None else {0: contract}
    if example.old:
        both = [open_model(BytesSource(side)) for side in (content, read_old_model(example, path))]
        return run_batch(read_together(both), ["example", "old"], plan, pairs={0: 1})[0]
    if example.run:
        tables = read_one(open_model(BytesSource(content)))
        return run_batch(tables, ["example"], plan, contracts, runs={0: (parse_run(example.run),)})[0]
    found = expand(BytesSource(content), "", "example")
    return merge_reports([run_batch(read_one(one.opened), [one.path], plan, contracts)[0] for one in found])


@pytest.mark.parametrize(("rule", "example", "path"), EXAMPLES)
def test_a_rule_does_at_each_example_what_it_says(rule, example, path):
    assert run_example(rule, example, path) == ""


@pytest.mark.parametrize(("rule", "example", "path"), INVALID)
def test_the_invalid_examples_fail_without_the_condition(rule, example, path):
    assert find_problem(judged(rule, example, path), rule, example) == ""
    assert find_problem(judged(disable_condition(rule), example, path), rule, example) != ""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
class TestEveryRule:
    def test_has_examples_of_both_kinds(self, rule):
        examples = next(file.examples[rule.id] for file in FILES if rule.id in file.examples)
        kinds = {example.expect is None for example in examples}
        if rule.id == "G000":
            assert not examples
        elif rule.id in WITHOUT_INVALID:
            assert kinds == {True}
        else:
            assert kinds == {True, False}

    def test_tells_why_and_what_to_do_and_its_limits(self, rule):
        for text in (rule.summary, rule.why, rule.fix, rule.limits):
            assert len(text) >= 5
        assert rule.summary.endswith(".")
        assert rule.why.endswith(".")
        assert not rule.fix.endswith(".")

    def test_has_an_id_of_its_category_and_class(self, rule):
        assert re.fullmatch(r"[A-Z]\d{3}", rule.id)
        assert rule.category == CATEGORIES[rule.id[0]]
        number = int(rule.id[1:])
        if rule.id == "G000":
            return
        classes = resources.table("failure_classes")["classes"]
        assert rule.failure_class in classes
        if number < 100:
            assert rule.failure_class == f"{rule.id[0]}{number:02d}"

    def test_names_a_bad_pattern_and_a_ruleset(self, rule):
        assert not re.match(r"(no|check|require|valid)-", rule.name)
        assert rule.since == "0.1"

    def test_mutes_rules_that_exist(self, rule):
        assert set(rule.mutes) <= {other.id for other in RULES} - {rule.id}


def test_ids_and_names_are_unique():
    for field in ("id", "name"):
        counts = Counter(getattr(rule, field) for rule in RULES)
        assert [value for value, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("failure_class", REQUIRED_CLASSES)
def test_a_failure_class_has_a_rule_of_its_number(failure_class):
    assert any(rule.id == f"{failure_class[0]}0{failure_class[1:]}" for rule in RULES)


def test_the_good_named_models_have_notes_at_most():
    good = [name for name in resources.named_models() if name not in NOT_GOOD]
    assert len(good) >= 20
    report = check([resources.named_model_path(name) for name in good])
    assert [(f.location.file, f.rule) for f in report.findings() if f.severity != "note"] == []


NOT_GOOD = {
    "custom_op", "empty_file", "flex_op", "git_lfs_pointer", "gzip_data", "html_page", "island_int8",
    "labels_longer_float32", "no_identifier", "older_schema", "truncated", "unused_input", "zip_archive",
    "bundle_bomb", "bundle_broken_header", "bundle_compressed", "bundle_deep", "bundle_encrypted", "bundle_escaping",
    "bundle_llm_one_signature", "bundle_overlapping", "bundle_same_names", "bundle_without_models",
    "bundle_wrong_checksum",
}  # fmt: skip


def test_the_pages_in_docs_are_those_of_the_rules():
    folder = ROOT / "docs" / "rules"
    pages = rule_pages() | index_pages()
    assert {path.name for path in folder.iterdir()} == set(pages)
    stale = [name for name, text in pages.items() if (folder / name).read_text(encoding="utf-8") != text]
    assert stale == [], "write them again: python -m tools.regenerate pages"
    assert (folder.parent / "failure-classes.md").read_text(encoding="utf-8") == failure_classes_page()
