"""Builds the recipe for a path: finds the contract and its model."""

from __future__ import annotations

from pathlib import Path

from tflint.contract import SUFFIX, Contract, load_contract
from tflint.contract.contract_search import contract_beside, load_found, models_of
from tflint.errors import UserError
from tflint.facts.facts import Facts
from tflint.preprocessing.recipe.recipe import Recipe, recipe_of
from tflint.runner.model_loader import Model, load_readable
from tflint.source.checkout_boundary import boundary_of, is_within


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
