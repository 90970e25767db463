"""Chooses the contract of a model in a registry: from the linting side, else from the artifacts, else from a signature.

What lies next to a model is the uploader's: it is checked, but its `[[allow]]` entries and its targets do not count.
"""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from tflint.config import Config
from tflint.contract import SUFFIX, Contract, load_contract, parse_contract
from tflint.contract.contract import with_decisions_of
from tflint.contract.contract_files import hash_contract
from tflint.contract.contract_search import adjacent_path
from tflint.errors import MissingExtraError, UserError
from tflint.findings.path_globs import covers
from tflint.registry.artifacts import Fetched
from tflint.registry.model_registry import ModelVersion
from tflint.userfiles.userfile import read_text
from tflint.values import frozen

_SIGNATURE_FILE = "MLmodel"
#: Metadata of a model that MLflow registers without its files. MLflow gives it the signature of a bool.
_EXTERNAL_MODEL = "mlflow.model.isExternal"


@frozen
class ChosenContracts:
    """The contracts of a model. With a `contract`, only findings about the `signature` itself count.

    `problem` is a sentence about a contract that cannot be read, and `note` one about a signature that is not used.
    """

    contract: Contract | None = None
    signature: Contract | None = None
    problem: str = ""
    note: str = ""


class ContractSource:
    """The contracts of the linting side: `paths` are folders, files and globs, `globs` those of the configuration.

    A file `bird.contract.toml` is the contract of the registered model `bird`. If its versions have several models,
    `bird/wing.contract.toml` is the contract of the artifact `wing.tflite`. The name of an artifact alone never selects
    a contract, because the uploader chooses it. Raises `UserError` for an invalid contract and for two files with the
    same name.
    """

    def __init__(self, paths: Sequence[str], config: Config) -> None:
        self._globs = config.contracts
        self._files: dict[tuple[str, str], str] = {}  # by the name of the folder and the stem
        for path in _expand(paths):
            key = Path(path).absolute().parent.name, Path(path).name.removesuffix(SUFFIX)
            if key in self._files:
                raise UserError(f"two contracts have the same name and folder name: '{self._files[key]}' and '{path}'")
            self._files[key] = path
        self._read: dict[str, Contract] = {}
        self._hashes: dict[str, str] = {}

    def find(self, version: ModelVersion, path: str) -> Contract | None:
        """Return the contract of the model at the path `path` in a version, or None."""
        named = f"{version.name}/{path}"
        found = next((file for pattern, file in self._globs.items() if covers(named, pattern, is_member=False)), None)
        found = found or self._files.get((version.name, PurePosixPath(path).stem)) or self._find_registered(version)
        if found is None:
            return None
        if found not in self._read:
            self._read[found] = load_contract(found)
            self._hashes[found] = hash_contract(self._read[found])
        return self._read[found]

    def _find_registered(self, version: ModelVersion) -> str | None:
        """Return the contract with the name of a registered model. Raises `UserError` if there are several."""
        found = [path for (_, stem), path in self._files.items() if stem == version.name]
        if len(found) > 1:
            raise UserError(f"two contracts have the name '{version.name}{SUFFIX}': '{found[0]}' and '{found[1]}'")
        return found[0] if found else None

    def are_unchanged(self, present: ContractSource) -> bool:
        """Return whether `present` has the same files, and those that were read still have the same content."""
        try:
            return present._files == self._files and all(
                hash_contract(load_contract(path)) == self._hashes[path] for path in self._read
            )
        except UserError:
            return False


def choose(source: ContractSource, version: ModelVersion, fetched: Fetched, path: str) -> ChosenContracts:
    """Return the contracts of the model at the path `path` in a version."""
    own = source.find(version, path)
    signature, note = _read_signature(fetched, path)
    if own is not None:
        return ChosenContracts(own, signature, note=note)
    try:
        uploaded = _read_uploaded(fetched, path)
    except UserError as error:
        line = f" in line {error.place.line}" if error.place is not None and error.place.line else ""
        problem = f"the contract in the artifacts is not valid{line}: {error.message}"
        return ChosenContracts(None, signature, problem, note)
    return ChosenContracts(uploaded, signature, note=note)


def _read_uploaded(fetched: Fetched, path: str) -> Contract | None:
    """Return the contract next to a model, without what only the linting side decides."""
    contract_path = adjacent_path(path)
    if contract_path is None or all(file.path != contract_path for file in fetched.files):
        return None
    real = fetched.real_path(contract_path)
    return with_decisions_of(parse_contract(read_text(real), real), None)


def _read_signature(fetched: Fetched, path: str) -> tuple[Contract | None, str]:
    """Return the signature of the MLflow model around a model as a contract, and a note if it is not used.

    If the MLflow model runs a Python function, the signature is that of the function, which may preprocess.
    """
    folders = PurePosixPath(path).parents
    known = {file.path for file in fetched.files}
    found = next((name for folder in folders if (name := (folder / _SIGNATURE_FILE).as_posix()) in known), None)
    if found is None:
        return None, ""
    from tflint.preprocessing.importers import import_preprocessing
    from tflint.preprocessing.importers.contract_filling import build_draft
    from tflint.preprocessing.importers.ecosystem_files import read_yaml

    real = fetched.real_path(found)
    try:
        fields = read_yaml(real)
        if _has_key(fields.get("flavors"), "python_function"):
            return None, "the signature in MLmodel is that of a Python function, which may preprocess"
        if _has_key(fields.get("metadata"), _EXTERNAL_MODEL):
            return None, "the signature in MLmodel is a placeholder: the model is external"
        return build_draft(import_preprocessing("mlflow", real), real), ""
    except MissingExtraError:
        raise  # the result must not depend on the installed packages
    except UserError as error:
        return None, f"the signature in MLmodel is not used: {error.message}"


def _has_key(table: object, key: str) -> bool:
    return isinstance(table, Mapping) and key in table


def _expand(paths: Sequence[str]) -> list[str]:
    """Return the contract files that folders, files and globs name."""
    files: list[str] = []
    for path in paths:
        if Path(path).is_dir():
            found = sorted(one.as_posix() for one in Path(path).rglob(f"*{SUFFIX}"))
        elif Path(path).exists():
            found = [path]
        else:
            found = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 (the pattern may be absolute)
        if not found:
            raise UserError(f"no contract at '{path}'", hint=f"name a folder with files *{SUFFIX}")
        files += found
    return list(dict.fromkeys(files))
