"""Finds the data files that ship with tflint: rules, knowledge tables, named models and JSON schemas.

In an installed wheel they lie in `tflint/_data`; in a checkout (and in an editable install) in `rules/` and `schemas/`
beside the package. Nothing is looked up in site-packages by name: an editable install may leave a stale copy there.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from tflint.errors import TflintError

_PACKAGE = Path(__file__).resolve().parent
_MODEL_SUFFIXES = (".tflite", ".task", ".litertlm")


class MissingResourceError(TflintError):
    """A data file that belongs to tflint itself is not there: the installation is damaged."""


@functools.cache
def rules_folder() -> Path:
    """The folder of the built-in rule files (`*.toml`), with `tables/` and `models/` in it."""
    return _folder("rules")


@functools.cache
def schemas_folder() -> Path:
    """The folder of the JSON schemas of tflint's own files (rule, config, report, baseline)."""
    return _folder("schemas")


def is_installed() -> bool:
    """Whether the data files come from an installed wheel; in a checkout they may be edited."""
    return rules_folder().parent == _PACKAGE / "_data"


def _folder(name: str) -> Path:
    for candidate in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise MissingResourceError(f"tflint's own folder '{name}' is missing beside {_PACKAGE}: reinstall tflite-lint")


@functools.cache
def json_schema(name: str) -> dict[str, Any]:
    """The JSON schema of one of tflint's own file kinds, such as `rule`."""
    return _read_json(schemas_folder() / f"{name}.schema.json")


@functools.cache
def table(name: str) -> dict[str, Any]:
    """A knowledge table of `rules/tables`, such as `op_versions`: data with its provenance under `source`."""
    return _read_json(rules_folder() / "tables" / f"{name}.json")


def runtime_table(name: str) -> dict[str, Any]:
    """Return the data of a runtime, from `rules/tables/runtimes`."""
    return table(f"runtimes/{name}")


@functools.cache
def runtime_file_names() -> list[str]:
    """Return the names of all runtimes with a data file, sorted."""
    return sorted(path.stem for path in (rules_folder() / "tables" / "runtimes").glob("*.json"))


@functools.cache
def table_names() -> list[str]:
    """Names of all knowledge tables, sorted."""
    return sorted(path.stem for path in (rules_folder() / "tables").glob("*.json"))


def named_model_path(name: str) -> Path:
    """Path of a named small model, or container of models, that ships for rule examples, such as `conv_int8`."""
    return _named_models().get(name, rules_folder() / "models" / f"{name}.tflite")


def named_models() -> list[str]:
    """Names of all small models and containers that ship for rule examples, sorted."""
    return sorted(_named_models())


@functools.cache
def _named_models() -> dict[str, Path]:
    return {path.stem: path for path in (rules_folder() / "models").iterdir() if path.suffix in _MODEL_SUFFIXES}


def _read_json(path: Path) -> dict[str, Any]:
    import json

    try:
        data: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise MissingResourceError(f"tflint's own file {path.name} is missing: reinstall tflite-lint") from error
    return data
