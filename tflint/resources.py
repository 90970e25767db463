"""Finds the data files that ship with tflint: rules, knowledge tables, named models and JSON schemas.

An installed wheel has these files in `tflint/_data`. A checkout (and an editable install) has them in `rules/` and
`schemas/` next to the package. tflint never searches site-packages for them by name, because an editable install may
leave a stale copy there.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

from tflint.errors import TflintError

_PACKAGE = Path(__file__).resolve().parent
_MODEL_SUFFIXES = (".tflite", ".task", ".litertlm")


class MissingResourceError(TflintError):
    """A data file of tflint itself is missing: the installation is damaged."""


@functools.cache
def rules_folder() -> Path:
    """Return the folder that contains the built-in rules (a folder per category), `tables/` and `models/`."""
    return _folder("rules")


@functools.cache
def schemas_folder() -> Path:
    """Return the folder with the JSON schemas of tflint's files (rule, config, report, baseline, …)."""
    return _folder("schemas")


def is_installed() -> bool:
    """Return whether the data files are those of an installed wheel. In a checkout, a developer may edit them."""
    return rules_folder().parent == _PACKAGE / "_data"


def _folder(name: str) -> Path:
    for candidate in (_PACKAGE / "_data" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise MissingResourceError(f"tflint's own folder '{name}' is missing next to {_PACKAGE}: reinstall tflite-lint")


@functools.cache
def json_schema(name: str) -> dict[str, Any]:
    """Return the JSON schema of a file kind, such as `rule`."""
    return _read_json(schemas_folder() / f"{name}.schema.json")


@functools.cache
def table(name: str) -> dict[str, Any]:
    """Return a knowledge table from `rules/tables`, such as `same_scale`. Its key `source` states its provenance."""
    return _read_json(rules_folder() / "tables" / f"{name}.json")


def runtime_table(name: str) -> dict[str, Any]:
    """Return the data of a runtime, from `rules/tables/runtimes`."""
    return table(f"runtimes/{name}")


@functools.cache
def runtime_file_names() -> list[str]:
    """Return the names of all runtimes with a data file, sorted."""
    return _json_names(rules_folder() / "tables" / "runtimes")


@functools.cache
def first_layer_tables() -> tuple[dict[str, Any], ...]:
    """Return the tables of known first layers, from `rules/tables/first_layers`, sorted by their file names."""
    return tuple(table(f"first_layers/{name}") for name in _json_names(rules_folder() / "tables" / "first_layers"))


@functools.cache
def table_names() -> list[str]:
    """Return the names of all knowledge tables, sorted."""
    return _json_names(rules_folder() / "tables")


def named_model_path(name: str) -> Path:
    """Return the path of a named model or container for rule examples, such as `conv_int8`."""
    return _named_models().get(name, rules_folder() / "models" / f"{name}.tflite")


def named_models() -> list[str]:
    """Return the names of all models and containers for rule examples, sorted."""
    return sorted(_named_models())


@functools.cache
def _named_models() -> dict[str, Path]:
    return {path.stem: path for path in (rules_folder() / "models").iterdir() if path.suffix in _MODEL_SUFFIXES}


def _json_names(folder: Path) -> list[str]:
    """Return the names of the JSON files in a folder without their suffix, sorted."""
    names = os.listdir(folder)  # noqa: PTH208 (Path.glob compiles three patterns)
    return sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))


def _read_json(path: Path) -> dict[str, Any]:
    import json

    try:
        data: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise MissingResourceError(f"tflint's own file {path.name} is missing: reinstall tflite-lint") from error
    return data
