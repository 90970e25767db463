"""Finds the contract of a model: beside it under the same stem, or where the configuration's globs say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tflint.contract.contract import SUFFIX, Contract
from tflint.contract.contract_loader import load_contract
from tflint.errors import UserError
from tflint.findings.path_globs import MEMBER, covers, relative_to_folder
from tflint.source.checkout_boundary import boundary_of, require_within
from tflint.source.file_kind import MODEL_SUFFIXES


class Contracts:
    """The contracts of a run, each read once, when its model is looked at.

    `globs` leads from globs of models, as the folder of the configuration sees them, to paths of contracts. `given` is
    one contract for all models, whatever lies beside them.
    """

    def __init__(self, globs: Mapping[str, str], folder: str, given: Contract | None = None) -> None:
        self._globs = globs
        self._folder = folder
        self._given = given
        self._read: dict[str, Contract] = {}

    def of(self, model: str) -> Contract | None:
        """The contract of the model at a path; None where there is none. `UserError` where it is wrong."""
        if self._given is not None:
            return self._given
        path = self._path(model)
        if path is None:
            return None
        if path not in self._read:
            self._read[path] = load_found(path)
        return self._read[path]

    def _path(self, model: str) -> str | None:
        beside = contract_beside(model)
        if beside is not None:
            return beside
        seen = relative_to_folder(self._folder, model)
        is_member = MEMBER in model and not os.path.lexists(model)
        return next((path for glob, path in self._globs.items() if covers(seen, glob, is_member=is_member)), None)


def load_found(path: str) -> Contract:
    """Read a contract that was found, not named; `UserError` also for a link out of its folder's checkout."""
    require_within(path, boundary_of(Path(path).parent), "replace the link with the contract itself")
    return load_contract(path)


def contract_beside(model: str) -> str | None:
    """The contract that lies beside a model under its stem; None where none does. A link that leads nowhere is one:
    reading it says what is wrong.
    """
    path = Path(model)
    try:
        beside = path.with_name(path.stem + SUFFIX)
    except ValueError:  # it has no name
        return None
    return beside.as_posix() if os.path.lexists(beside) else None


def models_of(contract: str) -> list[str]:
    """The models beside a contract that it is for; `UserError` where there is none."""
    path = Path(contract)
    stem = path.name.removesuffix(SUFFIX)
    found = sorted(p.as_posix() for p in path.parent.glob("*") if p.stem == stem and p.suffix.lower() in MODEL_SUFFIXES)
    if not found:
        raise UserError(
            f"there is no model beside '{contract}'", hint=f"it is for {stem}.tflite; or map it under [contracts]"
        )
    return found
