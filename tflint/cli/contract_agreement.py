"""Compares a contract with its model for the contract verbs: the rules that report it, and a summary line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflint.api import Model
    from tflint.config import Config
    from tflint.preprocessing.recipe import Recipe


def contradicting_rules(recipe: Recipe, model: Model | None, config: Config) -> list[str]:
    """Return the ids of rules that report errors or warnings in a contract; empty without a model."""
    if model is None:
        return []
    from tflint.api import check

    report = check(model, contract=recipe.contract, config=config)
    found = [finding for finding in report.findings() if finding.location.file == recipe.contract.path]
    return sorted({finding.rule for finding in found if finding.severity != "note" and finding.suppressed is None})


def describe_agreement(recipe: Recipe, rules: Sequence[str]) -> str:
    """Return one line about a contract and its model; `rules` are the ids that report the contract."""
    if recipe.model is None:
        return "no model next to it; keys that it leaves out are unknown"
    if rules:
        return f"does not fit {recipe.model}: {', '.join(rules)}; 'tflint check {recipe.model}' lists the findings"
    if recipe.is_draft:
        return f"a draft: nothing in it contradicts {recipe.model}, and its guesses are not confirmed"
    return f"nothing in it contradicts {recipe.model}"
