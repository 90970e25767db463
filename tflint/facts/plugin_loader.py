"""Loads plugins: reads and checks the facts that allowed distributions declare. Does not import numpy.

Loading a plugin runs its code. The names of plugins therefore come only from the command line or the Python call. They
never come from a configuration, because the configuration belongs to the repository under check.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tflint.columns.column_types import BOOL, NUMBER, REFERENCE, STRING, ColumnDeclaration, ColumnType, TableDeclaration
from tflint.errors import UserError
from tflint.facts.fact_registry import all_tables
from tflint.resources import table_names
from tflint.userfiles.nearest_word import nearest
from tflint.values import frozen, replace

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

    from tflint.columns.column import Column
    from tflint.facts.facts import Facts

#: Entry point group of plugins. The name of an entry point is the prefix of its facts. Its object is a list of `Fact`.
GROUP = "tflint.facts"
_PREFIX = re.compile(r"[a-z][a-z0-9_]*")
_TYPE = re.compile(r"(list of )?(?:(number|bool|string)|reference to ([a-z_]+))")


@frozen
class Fact:
    """A fact that a plugin adds: a column of a table and the function that computes it.

    `table` is a table of `tflint facts`. `name` is the plugin's prefix and a name, such as `acme.sharpness`. `type` is
    `number`, `bool`, `string`, `reference to TABLE`, or `list of` one of these. `meaning` is one line, with units.
    `compute` takes the facts of a batch of models and returns a column with one value per row of the table.

    `needs` names the columns that the fact is derived from, such as `tensor.scale`. `absent` describes when a row does
    not have a value, `unknown` when the value cannot be determined; both are empty for "never". `reads_values` is true
    if the function reads constant data and not only structure.
    """

    table: str
    name: str
    type: str
    meaning: str
    compute: Callable[[Facts], Column]
    needs: Sequence[str] = ()
    absent: str = ""
    unknown: str = ""
    reads_values: bool = False


@frozen
class PluginFact:
    """A checked fact of a plugin: its table, column, function and distribution."""

    table: str
    column: ColumnDeclaration
    compute: Callable[[Facts], Column]
    distribution: str


class Plugins:
    """The facts of all allowed plugins, by table and name.

    `names` are the names of the distributions. `identity` lists them with their versions. Unpickling a `Plugins` object
    in another process loads the distributions again.
    """

    def __init__(self, names: tuple[str, ...], facts: Iterable[PluginFact], identity: str) -> None:
        self.names = names
        self.facts: Mapping[tuple[str, str], PluginFact] = {(fact.table, fact.column.name): fact for fact in facts}
        self.identity = identity

    @functools.cached_property
    def tables(self) -> dict[str, TableDeclaration]:
        """All tables that rules can use, with the facts of the plugins among their columns."""
        tables = dict(all_tables())
        for fact in self.facts.values():
            table = tables[fact.table]
            tables[fact.table] = replace(table, columns={**table.columns, fact.column.name: fact.column})
        return tables

    def __reduce__(self) -> tuple[Callable[[tuple[str, ...]], Plugins], tuple[tuple[str, ...]]]:
        return _load_plugins_once, (self.names,)


@functools.cache
def _load_plugins_once(names: tuple[str, ...]) -> Plugins:
    # Called when a worker process unpickles the plugins. Cached, because every task of the worker contains them.
    return load_plugins(names)


def load_plugins(names: str | Sequence[str]) -> Plugins:
    """Import distributions and return their facts. The import runs the code of the distributions.

    Raises `UserError` if a distribution is not installed, is not a tflint plugin, cannot be imported, or declares an
    invalid fact.
    """
    distributions = {one.name: one for one in map(_find_distribution, [names] if isinstance(names, str) else names)}
    facts: dict[tuple[str, str], PluginFact] = {}
    for distribution in distributions.values():
        for fact in _read_facts(distribution):
            key = (fact.table, fact.column.name)
            if key in facts:
                raise _error(distribution.name, f"'{key[1]}' is already declared by '{facts[key].distribution}'")
            facts[key] = fact
    _check_needs(facts)
    identity = " ".join(f"{name}=={one.version}" for name, one in distributions.items())
    return Plugins(tuple(distributions), facts.values(), identity)


def installed_plugins() -> dict[str, list[str]]:
    """Return the names of installed plugins by the prefix of their facts. This does not run the code of the plugins."""
    from importlib.metadata import entry_points

    names: dict[str, list[str]] = {}
    for point in entry_points(group=GROUP):
        if point.dist is not None:
            names.setdefault(point.name, []).append(point.dist.name)
    return names


def suggest_plugin(names: Sequence[str]) -> str:
    """Return a hint for an unknown column if an installed plugin uses its prefix, otherwise an empty string."""
    distributions = installed_plugins().get(names[0], []) if len(names) > 1 else []
    options = " or ".join(f"--allow-plugin {name}" for name in distributions)
    return f"it may be a fact of an installed plugin that is not allowed: {options}" if options else ""


def _find_distribution(name: str) -> Distribution:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        return distribution(name)
    except (PackageNotFoundError, ValueError):  # ValueError: an empty name
        known = sorted({one for names in installed_plugins().values() for one in names})
        listed = f"installed plugins: {', '.join(known)}" if known else "install it in the environment of tflint"
        raise UserError(f"the plugin '{name}' is not installed", hint=nearest(name, known) or listed) from None


def _read_facts(distribution: Distribution) -> Iterator[PluginFact]:
    points = [point for point in distribution.entry_points if point.group == GROUP]
    if not points:
        message = f"'{distribution.name}' is not a tflint plugin: it has no entry point in the group '{GROUP}'"
        raise UserError(message, hint="docs/plugins.md describes how to write a plugin")
    for point in points:
        if not _PREFIX.fullmatch(point.name) or point.name in _reserved_prefixes():
            raise _error(distribution.name, f"'{point.name}' is not a valid prefix for facts")
        for fact in _load_entry_point(point, distribution.name):
            yield _check_fact(fact, point.name, distribution.name)


def _load_entry_point(point: EntryPoint, distribution: str) -> list[Any]:
    try:
        return list(point.load())
    except (Exception, SystemExit) as error:  # the import runs arbitrary code
        reason = f"{type(error).__name__}: {error}"
        raise UserError(f"the plugin '{distribution}' cannot be loaded ({point.value}): {reason}") from error


def _reserved_prefixes() -> set[str]:
    """Return the first words of all names that a rule can use without plugins."""
    columns = {name.split(".")[0] for table in all_tables().values() for name in table.columns}
    return columns | set(all_tables()) | set(table_names()) | {"target"}


def _check_fact(fact: object, prefix: str, distribution: str) -> PluginFact:
    """Return a declared fact if it is valid. Raises `UserError` otherwise."""
    if not isinstance(fact, Fact):
        raise _error(distribution, f"'{prefix}' lists a {type(fact).__name__}, but only tflint.plugin.Fact is allowed")
    texts = (fact.table, fact.name, fact.type, fact.meaning, fact.absent, fact.unknown)
    if not all(isinstance(text, str) for text in texts):
        raise _error(distribution, f"a field of '{fact.name}' is not a string")
    if fact.table not in all_tables():
        raise _error(distribution, f"there is no table '{fact.table}'", nearest(fact.table, all_tables()))
    start, _, rest = fact.name.partition(".")
    if start != prefix or not _PREFIX.fullmatch(rest):
        hint = f"use '{prefix}.' and a name of lowercase letters, digits and underscores"
        raise _error(distribution, f"'{fact.name}' is not a valid name for a fact", hint)
    if not fact.meaning.strip() or not callable(fact.compute):
        raise _error(distribution, f"'{fact.name}' needs a meaning and a function that computes it")
    column = ColumnDeclaration(
        fact.name,
        _parse_type(fact, distribution),
        fact.meaning,
        fact.absent,
        fact.unknown,
        (fact.needs,) if isinstance(fact.needs, str) else tuple(fact.needs),
        f"{distribution}:{getattr(fact.compute, '__qualname__', type(fact.compute).__name__)}",
        fact.reads_values,
    )
    return PluginFact(fact.table, column, fact.compute, distribution)


def _parse_type(fact: Fact, distribution: str) -> ColumnType:
    match = _TYPE.fullmatch(fact.type)
    if match is None or (match[3] and match[3] not in all_tables()):
        kinds = f"types: {NUMBER}, {BOOL}, {STRING}, reference to TABLE, or 'list of' one of these"
        raise _error(distribution, f"'{fact.name}' has the unknown type '{fact.type}'", kinds)
    return ColumnType(match[2] or REFERENCE, bool(match[1]), match[3] or "")


def _check_needs(facts: Mapping[tuple[str, str], PluginFact]) -> None:
    """Raise `UserError` if a fact needs a column that does not exist."""
    known = {f"{table}.{column}" for table, declared in all_tables().items() for column in declared.columns}
    known |= {f"{table}.{column}" for table, column in facts}
    for fact in facts.values():
        for need in fact.column.needs:
            if need not in known:
                message = f"'{fact.column.name}' needs the column '{need}', which does not exist"
                raise _error(fact.distribution, message, nearest(need, known))


def _error(distribution: str, what: str, hint: str = "") -> UserError:
    return UserError(f"the plugin '{distribution}': {what}", hint=hint)
