"""Functions of the Python API that describe models and contracts, as `tflint show` and `tflint contract` do."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from tflint.api import check
from tflint.config import Config
from tflint.contract import Contract, load_contract
from tflint.errors import UserError
from tflint.runner.model_loader import Checkable, Model, load

if TYPE_CHECKING:
    from tflint.preprocessing.recipe import Recipe
    from tflint.summary.summary_values import Summary


def show(source: Checkable) -> dict[str, Any]:
    """Return the summary of a model as data (`schemas/show.schema.json`): interface, scheme, sizes and operators.

    Raises `UserError` if the source is not a readable model.
    """
    from tflint.summary.summary_json import to_data

    return to_data(_summarize(source))


def draft_contract(source: Checkable) -> str:
    """Return the text of a contract that a model's metadata and graph suggest, as `tflint contract init` writes it.

    The contract is a draft. Raises `UserError` if the source is not a readable model.
    """
    from tflint.preprocessing.draft import draft_contract as draft

    return draft(_summarize(source))


def read_contract(path: str | PurePath) -> Contract:
    """Return the contract at a path, as `tflint contract check` does. Raises `UserError` if the contract is invalid.

    `tflint.check(model, contract=contract)` compares it with a model.
    """
    return load_contract(str(path))


def recipe(path: str | PurePath, model: str | PurePath | None = None) -> dict[str, Any]:
    """Return the preprocessing steps of a contract as data, as `tflint contract show --format json` prints them.

    `path` is that of a contract, or of a model with a contract next to it. `model` is the path of the contract's model;
    by default, it is the one next to the contract. Raises `UserError` if there is no contract, or it is invalid.
    """
    from tflint.preprocessing.codegen.recipe_json import to_data
    from tflint.preprocessing.recipe.recipe_search import load_recipe

    found, loaded = load_recipe(str(path), None if model is None else str(model))
    return to_data(found, contradicting_rules(found, loaded, Config()))


def contradicting_rules(recipe: Recipe, model: Model | None, config: Config) -> list[str]:
    """Return the ids of rules that report errors or warnings in a contract, or an empty list if `model` is None."""
    if model is None:
        return []
    report = check(model, contract=recipe.contract, config=config)
    findings = [finding for finding in report.findings() if finding.location.file == recipe.contract.path]
    return sorted({finding.rule for finding in findings if finding.severity != "note" and finding.suppressed is None})


def _summarize(source: Checkable) -> Summary:
    from tflint.facts.facts import Facts
    from tflint.summary.summarize import summarize

    model = source if isinstance(source, Model) else load(source)
    if not model.is_readable:
        raise UserError(f"'{model.name}' is not a readable model", hint="tflint.check reports the reason")
    return summarize(Facts(model.tables), model.name)
