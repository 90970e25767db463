"""Contracts: TOML files that describe the preprocessing of models.

Finds the contract of a model and validates it against the schema. Gives a `Contract` with the position of every key.
Must not know models, which facts and rules compare with contracts, and must not import numpy.
"""

from tflint.contract.contract import SUFFIX, Contract
from tflint.contract.contract_loader import load_contract, parse_contract
from tflint.contract.contract_search import Contracts

__all__ = ["SUFFIX", "Contract", "Contracts", "load_contract", "parse_contract"]
