"""Parses the addresses of registries and of versions in them."""

from __future__ import annotations

import importlib.metadata
import os
import re
from collections.abc import Callable, Sequence
from typing import cast

from tflint.errors import UserError
from tflint.registry.adapters.folder_registry import FolderRegistry
from tflint.registry.model_registry import MissingVersionError, ModelVersion, Registry, RegistryError
from tflint.userfiles.nearest_word import nearest
from tflint.values import frozen

#: Entry points of adapters: the name is the scheme of an address, the value a function from an address to a `Registry`.
ENTRY_POINTS = "tflint.registries"
#: Environment variables with the address of the registry; those of MLflow count if they contain a URL.
VARIABLE = "TFLITE_LINT_REGISTRY"
_MLFLOW_VARIABLES = ("MLFLOW_REGISTRY_URI", "MLFLOW_TRACKING_URI")
SCOPES = ("aliased", "latest", "all")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_PREFIX = "models:/"


@frozen
class Target:
    """What a command is about: a model (empty: all models), and a version or an alias of it."""

    name: str = ""
    number: str = ""
    alias: str = ""


def parse_target(text: str | None) -> Target:
    """Parse `models:/name`, `models:/name/version` or `models:/name@alias`. None stands for all models."""
    if text is None:
        return Target()
    name, number, alias = text.removeprefix(_PREFIX), "", ""
    if not text.startswith(_PREFIX) or not name or name.startswith("/"):
        raise UserError(f"'{text}' is not a model in a registry", hint=f"{_PREFIX}NAME/VERSION or {_PREFIX}NAME@ALIAS")
    if "@" in name:
        name, _, alias = name.rpartition("@")
    elif "/" in name:
        name, _, number = name.rpartition("/")
    if not name or (("@" in text) and not alias) or ("/" in text.removeprefix(_PREFIX) and not (number or alias)):
        raise UserError(f"'{text}' lacks a name, a version or an alias", hint=f"{_PREFIX}NAME/VERSION")
    return Target(name, number, alias)


def open_registry(address: str | None) -> Registry:
    """Open the registry at an address: a folder, the URL of an MLflow server, or an address with an adapter's scheme.

    Without an address, environment variables name it. No configuration file does: the address decides where
    credentials are sent.
    """
    address = address or _address_from_environment()
    match = _SCHEME.match(address)
    if match is None:
        if ":/" in address or "@" in address:  # a mistyped URL, which may contain a password
            raise UserError(
                "the address of the registry is neither a folder nor a URL", hint="https://HOST, or ./FOLDER"
            )
        return FolderRegistry(address)
    if match[1] in ("http", "https"):
        from tflint.registry.adapters.mlflow_registry import MlflowRegistry  # needs httpx

        return MlflowRegistry(address)
    return _load_adapter(match[1])(address)


def find_versions(registry: Registry, target: Target, scope: str) -> tuple[list[ModelVersion], list[str]]:
    """Return the versions that a target names, and sentences about models that cannot be read.

    `scope` selects among the versions of a model. If the target names a model, an error is raised instead.
    """
    if target.number:
        return [registry.find_version(target.name, target.number)], []
    if target.alias:
        return [find_aliased(registry, target)], []
    if target.name:
        return list(_in_scope(registry.list_versions(target.name), scope)), []
    versions: list[ModelVersion] = []
    problems = []
    for name in registry.list_models():
        try:
            versions += _in_scope(registry.list_versions(name), scope)
        except RegistryError as error:  # one model must not hide the others
            problems.append(f"the versions of '{name}' cannot be listed: {error.reason}")
    return versions, problems


def find_aliased(registry: Registry, target: Target) -> ModelVersion:
    """Return the version to which an alias points. Raises `MissingVersionError` if there is no such alias."""
    version = registry.find_alias(target.name, target.alias)
    if version is None:
        raise MissingVersionError(f"{target.name} has no alias '{target.alias}'")
    return registry.find_version(target.name, version.number)


def _in_scope(versions: Sequence[ModelVersion], scope: str) -> Sequence[ModelVersion]:
    if scope == "latest":
        return versions[-1:]
    return [version for version in versions if scope == "all" or version.aliases]


def _address_from_environment() -> str:
    address = os.environ.get(VARIABLE, "")
    addresses = [address, *(os.environ.get(name, "") for name in _MLFLOW_VARIABLES)]
    found = next((one for one in addresses if one == address != "" or _SCHEME.match(one)), "")
    if not found:
        raise UserError("no registry is given", hint=f"--registry names a folder or a URL; so does {VARIABLE}")
    return found


def _load_adapter(scheme: str) -> Callable[[str], Registry]:
    known = {entry.name: entry for entry in importlib.metadata.entry_points(group=ENTRY_POINTS)}
    if scheme not in known:
        hint = nearest(scheme, [*known, "https", "http"]) or f"a distribution can add one as entry point {ENTRY_POINTS}"
        raise UserError(f"there is no adapter for registries with '{scheme}://'", hint=hint)
    try:
        return cast(Callable[[str], Registry], known[scheme].load())
    except Exception as error:
        message = f"the adapter for '{scheme}://' cannot be imported: {type(error).__name__}: {error}"
        raise UserError(message) from error
