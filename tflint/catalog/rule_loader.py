"""Loads the built-in rules, which ship compiled, and the user's rule files into a catalog."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflint.catalog import compiled_rules
from tflint.catalog.rule import CATEGORIES, Rule
from tflint.errors import Place, UserError
from tflint.resources import rules_folder
from tflint.source.checkout_boundary import boundary_of, real_path, require_within
from tflint.userfiles.nearest_word import nearest
from tflint.values import frozen

if TYPE_CHECKING:
    from tflint.facts.plugin_loader import Plugins


@frozen
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
    return sorted(rules_folder().glob("*/*.toml"), key=lambda path: path.name)


@functools.cache
def builtin_catalog() -> Catalog:
    """The rules that ship with tflint; in a checkout whose rule files are newer, compiled from these."""
    files = builtin_files()
    path = compiled_path()
    if not compiled_rules.is_current(path, files) and not compiled_rules.is_current(path, files, _digest(files)):
        return compiled_catalog()
    rules, digest = compiled_rules.load(path)
    return Catalog(rules, {}, digest)


def compiled_path() -> Path:
    """The file of the compiled built-in rules."""
    return rules_folder() / "compiled.json"


def compiled_catalog() -> Catalog:
    """The built-in rules compiled from their sources."""
    from tflint.catalog.rule_compiler import compile_file  # a start that finds the rules compiled does not need it

    files = builtin_files()
    rules = [rule for path in files for rule in compile_file(path, builtin=True).rules]
    return Catalog(tuple(sorted(rules, key=lambda rule: rule.id)), {}, _digest(files))


def write_compiled() -> None:
    """Compile the built-in rules and write them to the file that ships."""
    catalog = compiled_catalog()
    text = compiled_rules.dump(catalog.rules, len(builtin_files()), catalog.digest)
    compiled_path().write_text(text, encoding="utf-8", newline="\n")


def load_catalog(paths: Sequence[str], plugins: Plugins | None = None) -> Catalog:
    """The built-in rules and those in the user's files and folders; `UserError` for the first thing that is wrong.

    `plugins` are facts that the user's rules may read, too.
    """
    builtin = builtin_catalog()
    if not paths:
        return builtin
    from tflint.catalog.rule_compiler import compile_file

    rules = list(builtin.rules)
    constants: dict[str, Mapping[str, Any]] = {}
    files = list(rule_files(paths))
    taken = dict.fromkeys((key for rule in rules for key in (rule.id, rule.name)), "among tflint's own rules")
    for path in files:
        own = compile_file(path, builtin=False, taken=taken, plugins=plugins)
        taken |= dict.fromkeys((key for rule in own.rules for key in (rule.id, rule.name)), f"in {path}")
        rules += own.rules
        constants.update(own.constants)
    _require_muted(rules)
    import hashlib

    parts = builtin.digest + _digest(files) + (plugins.identity if plugins else "")
    digest = hashlib.sha256(parts.encode()).hexdigest()[:32]
    return Catalog(tuple(rules), constants, digest)


def _require_muted(rules: Sequence[Rule]) -> None:
    """`UserError` where a rule mutes a built-in one that is not there; one of the user's may lie in another file."""
    ids = [rule.id for rule in rules]
    for rule in rules:
        for other in rule.mutes:
            if other not in ids and other.rstrip("0123456789") in CATEGORIES:
                message = f"rule '{rule.id}' mutes '{other}', but there is no rule with that id"
                raise UserError(message, place=Place(rule.origin), hint=nearest(other, ids))


def rule_files(paths: Sequence[str]) -> Iterator[Path]:
    """The rule files that paths name, each once: files as they are, of a folder its `*.toml`."""
    seen: set[Path] = set()
    for text in paths:
        for path in _rule_files_of(text):
            real = real_path(path)
            if real not in seen:
                seen.add(real)
                yield path


def _rule_files_of(text: str) -> list[Path]:
    path = Path(text)
    if not text or not path.exists():
        raise UserError(f"the rule file '{text}' does not exist" if text else "a rule file without a name")
    if not path.is_dir():
        return [path]
    found = sorted(path.glob("*.toml"))
    if not found:
        raise UserError(f"the folder of rules '{text}' holds no .toml file", hint="folders in it are not searched")
    boundary = boundary_of(path)
    for file in found:
        require_within(file, boundary)
    return found


def _digest(files: Iterable[Path]) -> str:
    import hashlib

    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]
