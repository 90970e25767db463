"""Facts of plugins: what the distributions that the user named declare, checked before any model is read. No numpy.

To load a plugin is to run its code, so the names come from the user and from nobody else: a configuration lies in the
repository that is checked, and cannot name one.
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

#: The group of entry points that plugins stand in: the name is the prefix of their facts, the value a list of `Fact`.
GROUP = "tflint.facts"
_PREFIX = re.compile(r"[a-z][a-z0-9_]*")
_TYPE = re.compile(r"(list of )?(?:(number|bool|string)|reference to ([a-z_]+))")


@frozen
class Fact:
    """A fact that a plugin adds: a column of a table, with the function that computes it.

    `table` is one of `tflint facts`, `name` the plugin's prefix and a name, such as `acme.sharpness`. `type` is
    `number`, `bool`, `string`, `reference to TABLE`, or `list of` one of these. `meaning` is one line, with units.
    `compute` takes the facts of a batch of models and gives a column with a value for each row of the table.

    `needs` names what it is derived from, such as `tensor.scale`; `absent` says when a row has no value, `unknown` when
    it cannot be determined (empty: never). `reads_values` says that it reads constant data, not only structure.
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
    """A plugin's fact, checked: its column, its function, and the distribution that it is of."""

    table: str
    column: ColumnDeclaration
    compute: Callable[[Facts], Column]
    distribution: str


class Plugins:
    """The facts that a run has besides tflint's own, by table and name; `names` are the distributions they are of.

    `identity` names these with their versions. In another process the distributions are loaded again.
    """

    def __init__(self, names: tuple[str, ...], facts: Iterable[PluginFact], identity: str) -> None:
        self.names = names
        self.facts: Mapping[tuple[str, str], PluginFact] = {(fact.table, fact.column.name): fact for fact in facts}
        self.identity = identity

    @functools.cached_property
    def tables(self) -> dict[str, TableDeclaration]:
        """Every table that rules can use, with these facts among its columns."""
        tables = dict(all_tables())
        for fact in self.facts.values():
            table = tables[fact.table]
            tables[fact.table] = replace(table, columns={**table.columns, fact.column.name: fact.column})
        return tables

    def __reduce__(self) -> tuple[Callable[[tuple[str, ...]], Plugins], tuple[tuple[str, ...]]]:
        return _loaded_once, (self.names,)


@functools.cache
def _loaded_once(names: tuple[str, ...]) -> Plugins:
    """The plugins of a process that got them from another one."""
    return load_plugins(names)


def load_plugins(names: str | Sequence[str]) -> Plugins:
    """The facts of distributions, whose code is run for that.

    `UserError` where one is not installed, is no plugin of tflint's, cannot be loaded, or declares what cannot be.
    """
    wanted = {found.name: found for found in map(_distribution, [names] if isinstance(names, str) else names)}
    facts: dict[tuple[str, str], PluginFact] = {}
    for distribution in wanted.values():
        for fact in _facts_of(distribution):
            key = (fact.table, fact.column.name)
            if key in facts:
                raise _wrong(distribution.name, f"'{key[1]}' is there already, from '{facts[key].distribution}'")
            facts[key] = fact
    _require_needs(facts)
    identity = " ".join(f"{name}=={found.version}" for name, found in wanted.items())
    return Plugins(tuple(wanted), facts.values(), identity)


def available() -> dict[str, list[str]]:
    """The prefixes that installed distributions have facts under, with the names of these; no code is run for it."""
    from importlib.metadata import entry_points

    found: dict[str, list[str]] = {}
    for point in entry_points(group=GROUP):
        if point.dist is not None:
            found.setdefault(point.name, []).append(point.dist.name)
    return found


def hint(names: Sequence[str]) -> str:
    """What to do about a column that nobody knows, where an installed plugin may have it; empty where none does."""
    distributions = available().get(names[0], []) if len(names) > 1 else []
    options = " or ".join(f"--allow-plugin {name}" for name in distributions)
    return f"it may be a fact of a plugin that is not allowed: {options}" if options else ""


def _distribution(name: str) -> Distribution:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        return distribution(name)
    except (PackageNotFoundError, ValueError):  # ValueError: an empty name
        known = sorted({one for names in available().values() for one in names})
        listed = f"plugins that are: {', '.join(known)}" if known else "install it where tflint is installed"
        raise UserError(f"the plugin '{name}' is not installed", hint=nearest(name, known) or listed) from None


def _facts_of(distribution: Distribution) -> Iterator[PluginFact]:
    points = [point for point in distribution.entry_points if point.group == GROUP]
    if not points:
        message = f"the distribution '{distribution.name}' is no plugin: it has no entry point of the group '{GROUP}'"
        raise UserError(message, hint="docs/plugins.md says how one is made")
    for point in points:
        if not _PREFIX.fullmatch(point.name) or point.name in _reserved():
            raise _wrong(distribution.name, f"'{point.name}' cannot be the prefix of its facts")
        for fact in _loaded(point, distribution.name):
            yield _checked(fact, point.name, distribution.name)


def _loaded(point: EntryPoint, distribution: str) -> list[Any]:
    try:
        return list(point.load())
    except (Exception, SystemExit) as error:  # whatever its code does when it is imported
        reason = f"{type(error).__name__}: {error}"
        raise UserError(f"the plugin '{distribution}' cannot be loaded ({point.value}): {reason}") from error


def _reserved() -> set[str]:
    """What begins the name of something else in a rule."""
    columns = {name.split(".")[0] for table in all_tables().values() for name in table.columns}
    return columns | set(all_tables()) | set(table_names()) | {"target"}


def _checked(fact: object, prefix: str, distribution: str) -> PluginFact:
    """A fact as its distribution declares it; `UserError` where that cannot be."""
    if not isinstance(fact, Fact):
        raise _wrong(distribution, f"'{prefix}' has a {type(fact).__name__} where a tflint.plugin.Fact should be")
    texts = (fact.table, fact.name, fact.type, fact.meaning, fact.absent, fact.unknown)
    if not all(isinstance(text, str) for text in texts):
        raise _wrong(distribution, f"'{fact.name}' has something else where a text should be")
    if fact.table not in all_tables():
        raise _wrong(distribution, f"there is no table '{fact.table}'", nearest(fact.table, all_tables()))
    start, _, rest = fact.name.partition(".")
    if start != prefix or not _PREFIX.fullmatch(rest):
        raise _wrong(distribution, f"'{fact.name}' is no name for a fact", f"'{prefix}.' and a word in small letters")
    if not fact.meaning.strip() or not callable(fact.compute):
        raise _wrong(distribution, f"'{fact.name}' needs a meaning, and a function that computes it")
    column = ColumnDeclaration(
        fact.name,
        _type(fact, distribution),
        fact.meaning,
        fact.absent,
        fact.unknown,
        (fact.needs,) if isinstance(fact.needs, str) else tuple(fact.needs),
        f"{distribution}:{getattr(fact.compute, '__qualname__', type(fact.compute).__name__)}",
        fact.reads_values,
    )
    return PluginFact(fact.table, column, fact.compute, distribution)


def _type(fact: Fact, distribution: str) -> ColumnType:
    match = _TYPE.fullmatch(fact.type)
    if match is None or (match[3] and match[3] not in all_tables()):
        kinds = f"{NUMBER}, {BOOL}, {STRING}, reference to TABLE, or a list of one of these"
        raise _wrong(distribution, f"'{fact.type}' of '{fact.name}' is no type", kinds)
    return ColumnType(match[2] or REFERENCE, bool(match[1]), match[3] or "")


def _require_needs(facts: Mapping[tuple[str, str], PluginFact]) -> None:
    """`UserError` where a fact says that it is derived from a column that there is not."""
    known = {f"{table}.{column}" for table, declared in all_tables().items() for column in declared.columns}
    known |= {f"{table}.{column}" for table, column in facts}
    for fact in facts.values():
        for need in fact.column.needs:
            if need not in known:
                message = f"'{fact.column.name}' needs '{need}', which is no column"
                raise _wrong(fact.distribution, message, nearest(need, known))


def _wrong(distribution: str, what: str, hint: str = "") -> UserError:
    return UserError(f"the plugin '{distribution}': {what}", hint=hint)
