"""Finds the contract of a model: next to it under the same stem, or by the globs of the configuration."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tflint.contract.contract import SUFFIX, Contract, with_decisions_of
from tflint.contract.contract_loader import invalid_contract, load_contract
from tflint.errors import UserError
from tflint.findings.path_globs import MEMBER, covers, relative_to_folder
from tflint.source.checkout_boundary import boundary_of, require_within
from tflint.source.file_kind import MODEL_SUFFIXES

if TYPE_CHECKING:
    from tflint.source.revision_files import RevisionFiles


class Contracts:
    """The contracts of a run. Each is read once: when the first of its models is checked.

    `globs` maps globs of models, which are relative to `folder`, to paths of contracts. If `contract` is not None, it
    applies to all models, and tflint does not search for other contracts. With `is_searching` false, it never does.
    With `are_limited`, suppressions and targets of contracts count only as they are in `revision`, or not at all.
    `validate` raises `UserError` for a contract that the settings of the run make invalid.
    """

    def __init__(
        self,
        globs: Mapping[str, str],
        folder: str,
        contract: Contract | None = None,
        *,
        is_searching: bool = True,
        are_limited: bool = False,
        revision: RevisionFiles | None = None,
        validate: Callable[[Contract], object] | None = None,
    ) -> None:
        self._globs = globs
        self._folder = folder
        self._contract = contract
        self._is_searching = is_searching
        self._are_limited = are_limited
        self._revision = revision
        self._validate = validate
        self._read: dict[str, Contract] = {}

    def of(self, model: str) -> Contract | None:
        """Return the contract of the model with the path `model`, or None if the model has no contract.

        An invalid contract has a `problem`: it is a finding, so that other files are still reported.
        """
        if self._contract is not None or not self._is_searching:
            return self._contract
        path = self._path(model)
        if path is None:
            return None
        if path not in self._read:
            self._read[path] = self._load(path)
        return self._read[path]

    def _load(self, path: str) -> Contract:
        try:
            contract = load_discovered_contract(path)
            if self._are_limited:
                contract = with_decisions_of(contract, self._find_decisive(path))
            if self._validate is not None:
                self._validate(contract)
        except UserError as error:
            return invalid_contract(path, error)
        return contract

    def _find_decisive(self, path: str) -> Contract | None:
        """Return the contract of the revision, whose suppressions and targets count, or None if there is none."""
        copy = self._revision.locate(Path(path)) if self._revision is not None else None
        try:
            return load_contract(copy.as_posix()) if copy is not None and copy.is_file() else None
        except UserError:
            return None

    def _path(self, model: str) -> str | None:
        adjacent = find_adjacent_contract(model)
        if adjacent is not None:
            return adjacent
        relative = relative_to_folder(self._folder, model)
        is_member = MEMBER in model and not os.path.lexists(model)
        return next((path for glob, path in self._globs.items() if covers(relative, glob, is_member=is_member)), None)


def load_discovered_contract(path: str) -> Contract:
    """Read a contract that tflint found, as opposed to one whose path the user passed.

    Raises `UserError` if the contract is invalid, or is a link to a file outside of the checkout.
    """
    require_within(path, boundary_of(Path(path).parent), "replace the link with the contract itself")
    return load_contract(path)


def find_adjacent_contract(model: str) -> str | None:
    """Return the path of the contract next to a model, or None if there is none.

    A broken link counts as a contract. The error is then raised when the contract is read.
    """
    contract = adjacent_path(model)
    return contract if contract is not None and os.path.lexists(contract) else None


def adjacent_path(model: str) -> str | None:
    """Return the path at which the contract next to a model would be, or None if `model` has no file name."""
    path = Path(model)
    try:
        return path.with_name(path.stem + SUFFIX).as_posix()
    except ValueError:
        return None


def find_models(contract: str) -> list[str]:
    """Return the paths of the models that have the same stem and folder as a contract.

    Raises `UserError` if there are none.
    """
    path = Path(contract)
    stem = path.name.removesuffix(SUFFIX)
    files = path.parent.glob("*")
    models = sorted(p.as_posix() for p in files if p.stem == stem and p.suffix.lower() in MODEL_SUFFIXES)
    if not models:
        raise UserError(
            f"no model next to '{contract}'",
            hint=f"expected {stem}.tflite; or map models to the contract under [contracts] in the configuration",
        )
    return models
