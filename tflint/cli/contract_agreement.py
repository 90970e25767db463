"""Compares a contract with its model for `tflint contract`: finds rules with findings in the contract, and sums up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tflint.program_name import program_name

if TYPE_CHECKING:
    from tflint.api import Model
    from tflint.config import Config
    from tflint.preprocessing.recipe import Recipe


def contradicting_rules(recipe: Recipe, model: Model | None, config: Config) -> list[str]:
    """Return the ids of rules that report errors or warnings in a contract, or an empty list if `model` is None."""
    if model is None:
        return []
    from tflint.api import check

    report = check(model, contract=recipe.contract, config=config)
    findings = [finding for finding in report.findings() if finding.location.file == recipe.contract.path]
    return sorted({finding.rule for finding in findings if finding.severity != "note" and finding.suppressed is None})


def describe_agreement(recipe: Recipe, rules: Sequence[str]) -> str:
    """Return one line: whether a contract agrees with its model. `rules` is the result of `contradicting_rules`."""
    if recipe.model is None:
        return "no model next to the contract; missing keys are unknown"
    if rules:
        command = f"{program_name()} check {recipe.model}"
        return f"contradicts {recipe.model}: {', '.join(rules)}; '{command}' lists the findings"
    if recipe.is_draft:
        return f"agrees with {recipe.model}; a draft with unconfirmed guesses"
    return f"agrees with {recipe.model}"
