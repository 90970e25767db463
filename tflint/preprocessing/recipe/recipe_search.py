"""Builds the recipe for a path: finds the contract and its model."""

from __future__ import annotations

from pathlib import Path

from tflint.contract import SUFFIX, Contract, load_contract
from tflint.contract.contract_search import find_adjacent_contract, find_models, load_discovered_contract
from tflint.errors import UserError
from tflint.facts.facts import Facts
from tflint.preprocessing.recipe.recipe import Recipe, build_recipe
from tflint.runner.model_loader import Model, load_readable
from tflint.source.checkout_boundary import boundary_of, is_within


def load_recipe(path: str, model: str | None = None) -> tuple[Recipe, Model | None]:
    """Return the recipe and the model for the path of a contract, or of a model with a contract next to it.

    `model` is the path of the contract's model. By default, it is the model next to the contract. If there is none, the
    recipe follows from the contract alone, and the returned model is None. Raises `UserError` if a model has no
    contract, or a contract has several models.
    """
    contract = load_contract(path) if path.endswith(".toml") else _load_adjacent_contract(path)
    model_path = model or (path if contract.path != path else _find_model(path))
    if model_path is None:
        return build_recipe(contract), None
    loaded = load_readable(model_path)
    return build_recipe(contract, Facts(loaded.tables, contracts={0: contract}), loaded.name), loaded


def _load_adjacent_contract(model: str) -> Contract:
    path = find_adjacent_contract(model)
    if path is None:
        raise UserError(f"no contract next to '{model}'", hint=f"'tflint contract init {model}' drafts one")
    return load_discovered_contract(path)


def _find_model(contract: str) -> str | None:
    if not Path(contract).name.endswith(SUFFIX):
        return None
    try:
        models = find_models(contract)
    except UserError:
        return None
    if len(models) > 1:
        raise UserError(
            f"there are {len(models)} models for '{contract}'", hint=f"choose one, e.g. --model {models[0]}"
        )
    if not is_within(models[0], boundary_of(Path(contract).parent)):
        raise UserError(
            f"'{models[0]}' is a link to a file outside of the checkout", hint="pass the model's real path with --model"
        )
    return models[0]
