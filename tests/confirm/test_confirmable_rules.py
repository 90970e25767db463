"""Rules that name a probe: a real runtime confirms their invalid examples, and their valid ones have no finding."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
from pathlib import Path

import pytest

from tflint.api import check
from tflint.catalog import Example, Rule
from tflint.catalog.rule_compiler import compile_file
from tflint.catalog.rule_loader import builtin_files
from tflint.config import Config
from tflint.confirm import ConfirmOptions
from tflint.findings import Finding
from tflint.rule_examples import build_model, parse_example_contract

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ai_edge_litert") is None, reason="ai-edge-litert is not installed"
)


@functools.cache
def confirmable() -> list[tuple[Rule, tuple[Example, ...], Path]]:
    compiled = [(path, compile_file(path, builtin=True)) for path in builtin_files()]
    return [
        (rule, content.examples[rule.id], path) for path, content in compiled for rule in content.rules if rule.confirm
    ]


@pytest.mark.parametrize(
    ("rule", "examples", "path"), [pytest.param(*entry, id=entry[0].id) for entry in confirmable()]
)
def test_the_runtime_confirms_the_invalid_examples_only(rule: Rule, examples: tuple[Example, ...], path: Path) -> None:
    installed = f"litert=={importlib.metadata.version('ai-edge-litert')}"
    for targets in {example.targets for example in examples}:
        group = [example for example in examples if example.targets == targets]
        for example, findings in zip(group, _check(rule, group, path), strict=True):
            verdicts = {finding.verdict for finding in findings}
            if example.expect is None:
                assert not findings
            elif not targets or installed in targets:
                assert verdicts == {"confirmed"}, [finding.probe for finding in findings]
            else:
                assert verdicts == {"could-not-run"}
                assert all(targets[0] in str((finding.probe or {})["message"]) for finding in findings)


def _check(rule: Rule, examples: list[Example], path: Path) -> list[list[Finding]]:
    """Return the findings of a rule per example. Examples without a contract share a child process."""
    config = Config(select=(rule.id,), targets=examples[0].targets)
    contracts = [parse_example_contract(example, path) for example in examples]
    models = [build_model(example, path) for example in examples]
    if any(contracts):
        pairs = zip(models, contracts, strict=True)
        reports = [check(model, config=config, contract=one, confirm=ConfirmOptions()) for model, one in pairs]
        return [[found for found in report.findings() if found.rule == rule.id] for report in reports]
    report = check(models, config=config, confirm=ConfirmOptions())
    return [[found for found in file.findings if found.rule == rule.id] for file in report.files]


def test_many_rules_can_be_confirmed() -> None:
    assert len(confirmable()) >= 40
