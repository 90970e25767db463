"""Finds the recipe of a file: the contract with the model it is for, and what a check says of the two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tflint.api import Model, check, load_readable
from tflint.calling.recipe import Recipe, recipe_of
from tflint.config import Config
from tflint.contract import SUFFIX, Contract, load_contract
from tflint.contract.find import contract_beside, load_found, models_of
from tflint.errors import UserError
from tflint.facts.facts import Facts
from tflint.source.boundary import boundary_of, is_within


def recipe_at(path: str, model: str | None = None) -> tuple[Recipe, Model | None]:
    """The recipe of a contract, or of a model that has one beside it, and that model; `model` is the path of the one
    that it is for.

    `UserError` where there is no contract, or several models are beside it. A contract without a model has a recipe,
    too, of what it says itself.
    """
    contract = load_contract(path) if path.endswith(".toml") else _contract_beside(path)
    beside = model or (path if contract.path != path else _model_of(path))
    if beside is None:
        return recipe_of(contract), None
    loaded = load_readable(beside)
    return recipe_of(contract, Facts(loaded.tables, contracts={0: contract}), loaded.name), loaded


def _contract_beside(model: str) -> Contract:
    path = contract_beside(model)
    if path is None:
        raise UserError(f"there is no contract beside '{model}'", hint=f"'tflint contract init {model}' drafts one")
    return load_found(path)


def _model_of(contract: str) -> str | None:
    """The one model beside a contract; None where there is none."""
    if not Path(contract).name.endswith(SUFFIX):
        return None
    try:
        found = models_of(contract)
    except UserError:
        return None
    if len(found) > 1:
        raise UserError(f"'{contract}' is for {len(found)} models", hint=f"--model {found[0]} chooses one")
    if not is_within(found[0], boundary_of(Path(contract).parent)):
        raise UserError(
            f"'{found[0]}' is a link that leads out of the checkout", hint="--model with the model's real path opens it"
        )
    return found[0]


def contradicting(recipe: Recipe, model: Model | None, config: Config) -> list[str]:
    """The rules whose errors and warnings stand in a contract that is compared with its model."""
    if model is None:
        return []
    report = check(model, contract=recipe.contract, config=config)
    found = [finding for finding in report.findings() if finding.location.file == recipe.contract.path]
    return sorted({finding.rule for finding in found if finding.severity != "note" and finding.suppressed is None})


def standing(recipe: Recipe, against: Sequence[str]) -> str:
    """What is to be said of a contract beside its model, in a line; `against` are the rules that it breaks."""
    if recipe.model is None:
        return "no model beside it; what it leaves unsaid is unknown"
    if against:
        return f"does not fit {recipe.model}: {', '.join(against)}; 'tflint check {recipe.model}' says more"
    if recipe.is_draft:
        return f"a draft: nothing in it contradicts {recipe.model}, and its guesses are not confirmed"
    return f"nothing in it contradicts {recipe.model}"
