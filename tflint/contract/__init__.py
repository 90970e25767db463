"""Contracts: TOML files that describe the preprocessing of models.

This package finds the contract of a model and validates it against the schema. The result is a `Contract`, which has
the position of every key. The package must not import numpy or read models: facts and rules compare contracts with
models.
"""

from tflint.contract.contract import SUFFIX, Contract
from tflint.contract.contract_loader import load_contract, parse_contract
from tflint.contract.contract_search import Contracts

__all__ = ["SUFFIX", "Contract", "Contracts", "load_contract", "parse_contract"]
