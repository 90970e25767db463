"""Contracts: what a caller does before and after a model, as its author wrote it down.

Finds the contract of a model, reads it, checks it against its schema, and gives a value with the position of every key.
It knows no model: what a contract and a model have to do with each other, facts and rules say. No numpy.
"""

from tflint.contract.contract import SUFFIX, Contract
from tflint.contract.contract_loader import load_contract, parse_contract
from tflint.contract.contract_search import Contracts

__all__ = ["SUFFIX", "Contract", "Contracts", "load_contract", "parse_contract"]
