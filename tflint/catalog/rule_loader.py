"""Loads the built-in rules, which ship compiled, and the user's rule files into a catalog."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tflint.catalog import compiled_rules
from tflint.catalog.rule import CATEGORIES, Rule
from tflint.errors import Place, UserError
from tflint.resources import is_installed, rules_folder
from tflint.source.checkout_boundary import boundary_of, real_path, require_within
from tflint.userfiles.nearest_word import nearest
from tflint.values import frozen

if TYPE_CHECKING:
    from tflint.facts.plugin_loader import Plugins


@frozen
class Catalog:
    """Rules sorted by id, the constants of users' rule files, and a digest of all their sources."""

    rules: tuple[Rule, ...]
    constants: Mapping[str, Mapping[str, Any]]
    digest: str

    def rule(self, token: str) -> Rule:
        """Return a rule by id or name. If there is no such rule, raises `UserError` with the most similar name."""
        for rule in self.rules:
            if token in (rule.id, rule.name) or token.upper() == rule.id:
                return rule
        known = [name for rule in self.rules for name in (rule.id, rule.name)]
        raise UserError(f"there is no rule '{token}'", hint=nearest(token, known) or "'tflint rules' lists them")


class Catalogs:
    """The catalogs of a run, by the paths of users' rules. Each is loaded once. `plugins` adds facts."""

    def __init__(self, plugins: Plugins | None = None) -> None:
        self._plugins = plugins
        self._loaded: dict[tuple[str, ...], Catalog] = {}

    def of(self, paths: Sequence[str]) -> Catalog:
        """Return the built-in rules and those in the user's files and folders; see `load_catalog`."""
        key = tuple(paths)
        if key not in self._loaded:
            self._loaded[key] = load_catalog(key, self._plugins)
        return self._loaded[key]

    def rules(self) -> tuple[Rule, ...]:
        """Return the rules of all loaded catalogs. Of rules with the same id, the first one counts."""
        by_id: dict[str, Rule] = {}
        for catalog in self._loaded.values():
            for rule in catalog.rules:
                by_id.setdefault(rule.id, rule)
        return tuple(by_id[name] for name in sorted(by_id))


def builtin_files() -> list[Path]:
    """Return the built-in rule files, sorted by name."""
    return [Path(folder, name) for name, folder in sorted(_builtin_names())]


def _builtin_names() -> Iterator[tuple[str, str]]:
    """Yield the name and folder of each built-in rule file. Path.glob takes longer than reading the compiled rules."""
    for folder in os.scandir(rules_folder()):
        if folder.is_dir():
            yield from ((name, folder.path) for name in os.listdir(folder) if name.endswith(".toml"))  # noqa: PTH208


@functools.cache
def _real_builtin_files() -> frozenset[Path]:
    return frozenset(map(real_path, builtin_files()))


def is_builtin_file(path: Path) -> bool:
    """Return whether a path is one of the built-in rule files."""
    return real_path(path) in _real_builtin_files()


@functools.cache
def builtin_catalog() -> Catalog:
    """Return the rules that ship with tflint. If a rule file of the checkout is newer, compile them again."""
    path = compiled_path()
    if not is_installed() and not _is_current(path):
        return compiled_catalog()
    rules, digest = compiled_rules.load(path)
    return Catalog(rules, {}, digest)


def _is_current(path: Path) -> bool:
    """Return whether the compiled rules are up to date with the rule files, by times or else by digests."""
    sources = [f"{folder}/{name}" for name, folder in _builtin_names()]
    return compiled_rules.is_current(path, sources) or compiled_rules.is_current(
        path, sources, _digest(builtin_files())
    )


def compiled_path() -> Path:
    """Return the path of the compiled built-in rules."""
    return rules_folder() / "compiled.json"


def compiled_catalog() -> Catalog:
    """Compile the built-in rules from their sources."""
    from tflint.catalog.rule_compiler import compile_file  # imported here because compiled rules do not need it

    files = builtin_files()
    rules = [rule for path in files for rule in compile_file(path, builtin=True).rules]
    return Catalog(tuple(sorted(rules, key=lambda rule: rule.id)), {}, _digest(files))


def write_compiled() -> None:
    """Compile the built-in rules and write them to `rules/compiled.json`, which ships in the wheel."""
    catalog = compiled_catalog()
    text = compiled_rules.dump(catalog.rules, len(builtin_files()), catalog.digest)
    compiled_path().write_text(text, encoding="utf-8", newline="\n")


def load_catalog(paths: Sequence[str], plugins: Plugins | None = None) -> Catalog:
    """Return the built-in rules and the rules in the user's files and folders.

    `plugins` adds facts that the user's rules may read. Raises `UserError` for the first mistake in a user's rule.
    """
    builtin = builtin_catalog()
    if not paths:
        return builtin
    from tflint.catalog.rule_compiler import compile_file

    rules = list(builtin.rules)
    constants: dict[str, Mapping[str, Any]] = {}
    files = [path for path in rule_files(paths) if not is_builtin_file(path)]
    taken = dict.fromkeys((key for rule in rules for key in (rule.id, rule.name)), "among the built-in rules")
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
    """Raise `UserError` if a rule mutes a built-in rule that does not exist.

    Rules with other ids are not required to exist, because they may be in other files.
    """
    ids = [rule.id for rule in rules]
    for rule in rules:
        for other in rule.mutes:
            if other not in ids and other.rstrip("0123456789") in CATEGORIES:
                message = f"rule '{rule.id}' mutes '{other}', but there is no rule with that id"
                raise UserError(message, place=Place(rule.origin), hint=nearest(other, ids))


def rule_files(paths: Sequence[str]) -> Iterator[Path]:
    """Yield the rule files at paths, each only once. A folder stands for the `.toml` files in it."""
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
        raise UserError(f"the rule file '{text}' does not exist" if text else "the path of a rule file is empty")
    if not path.is_dir():
        return [path]
    found = sorted(path.glob("*.toml"))
    if not found:
        raise UserError(
            f"the folder of rules '{text}' contains no .toml file", hint="tflint does not search its subfolders"
        )
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
