"""Loads the built-in rules (compiled once and cached) and the user's rule files into a catalogue."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tflint.catalog import cache
from tflint.catalog.compile import compile_file
from tflint.catalog.rule import Rule, from_plain, to_plain
from tflint.documents.wording import nearest
from tflint.errors import Place, UserError
from tflint.resources import rules_folder


@dataclass(frozen=True)
class Catalog:
    """Rules in order, the constants that they read, and a digest of both."""

    rules: tuple[Rule, ...]
    constants: Mapping[str, Mapping[str, Any]]
    digest: str

    def rule(self, token: str) -> Rule:
        """A rule by id or name; `UserError` with the nearest names where there is none."""
        for rule in self.rules:
            if token in (rule.id, rule.name) or token.upper() == rule.id:
                return rule
        known = [name for rule in self.rules for name in (rule.id, rule.name)]
        raise UserError(f"there is no rule '{token}'", hint=nearest(token, known) or "'tflint rules' lists them")


def builtin_files() -> list[Path]:
    """The built-in rule files, sorted."""
    return sorted(rules_folder().glob("*.toml"))


@functools.cache
def builtin_catalog() -> Catalog:
    """The rules that ship with tflint."""
    files = builtin_files()
    stored = cache.read(files)
    if stored is None:
        rules = [rule for path in files for rule in compile_file(path, builtin=True).rules]
        stored = (tuple(to_plain(rule) for rule in rules), _digest(files))
        cache.write(files, stored)
    plain, digest = stored
    return Catalog(tuple(sorted((from_plain(rule) for rule in plain), key=lambda rule: rule.id)), {}, digest)


def load_catalog(paths: Sequence[str]) -> Catalog:
    """The built-in rules and those in the user's files and folders; `UserError` for the first thing that is wrong."""
    builtin = builtin_catalog()
    if not paths:
        return builtin
    rules = list(builtin.rules)
    constants: dict[str, Mapping[str, Any]] = {}
    files = list(rule_files(paths))
    origins = {rule.id: "tflint's own rules" for rule in rules} | {rule.name: "tflint's own rules" for rule in rules}
    for path in files:
        compiled = compile_file(path, builtin=False)
        _require_new(compiled.rules, origins, path)
        rules += compiled.rules
        constants.update(compiled.constants)
    digest = hashlib.sha256((builtin.digest + _digest(files)).encode()).hexdigest()[:32]
    return Catalog(tuple(rules), constants, digest)


def _require_new(rules: Iterable[Rule], origins: dict[str, str], path: Path) -> None:
    for rule in rules:
        for key in (rule.id, rule.name):
            if key in origins:
                raise UserError(f"rule '{key}' is already in {origins[key]}", place=Place(str(path)))
            origins[key] = str(path)


def rule_files(paths: Sequence[str]) -> Iterator[Path]:
    """The rule files that paths name: files as they are, of a folder its `*.toml`."""
    for text in paths:
        path = Path(text)
        if path.is_dir():
            found = sorted(path.glob("*.toml"))
            if not found:
                raise UserError(f"the folder of rules '{text}' holds no .toml file")
            yield from found
        elif path.exists():
            yield path
        else:
            raise UserError(f"the rule file '{text}' does not exist")


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]
