"""Groups the items of a run by configuration. Each configuration has its own rules, targets, contracts and baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING

from tflint.catalog import Catalog
from tflint.config import Config, Configurations
from tflint.contract import Contracts
from tflint.engine.plan import Plan
from tflint.runner.model_loader import Item
from tflint.source.model_search import UnopenedPath
from tflint.values import frozen, replace

if TYPE_CHECKING:
    from tflint.findings.baseline import Counts


@frozen(eq=False)
class Scope:
    """What applies to the files of one configuration. `number` counts the scopes of a run from 0.

    `baseline` has the known findings, if there are any, by paths relative to `baseline_folder`.
    """

    config: Config
    catalog: Catalog
    plan: Plan
    contracts: Contracts
    baseline: Counts | None = None
    baseline_folder: str = "."
    number: int = 0

    @property
    def exclude(self) -> tuple[tuple[str, str], ...]:
        """The globs of excluded files, each after the folder to which it is relative."""
        return tuple((self.config.folder, glob) for glob in self.config.exclude)


class Scopes:
    """The scopes of a run, by configuration. `make` creates the scope of a configuration."""

    def __init__(self, configurations: Configurations, make: Callable[[Config], Scope]) -> None:
        self._configurations = configurations
        self._make = make
        self._scopes: dict[int, Scope] = {}  # by identity of the configuration, which the scope keeps alive

    def all(self) -> list[Scope]:
        """Return the scopes that have files, or that of the current folder if no file has one."""
        return list(self._scopes.values()) or [self._of_config(self._configurations.of_folder("."))]

    def of(self, path: str) -> Scope:
        """Return the scope of a path."""
        return self._of_config(self._configurations.of(path))

    def split(self, items: Iterable[Item]) -> Iterator[tuple[Scope, list[Item]]]:
        """Yield the items in order, in sequences that have the same scope."""
        present: Scope | None = None
        waiting: list[Item] = []
        for item in items:
            scope = self.of(_path_of(item))
            if present is not None and scope is not present:
                yield present, waiting
                waiting = []
            present = scope
            waiting.append(item)
        if present is not None:
            yield present, waiting

    def _of_config(self, config: Config) -> Scope:
        scope = self._scopes.get(id(config))
        if scope is None:
            scope = replace(self._make(config), number=len(self._scopes))
            self._scopes[id(config)] = scope
        return scope


def _path_of(item: Item) -> str:
    """Return the path that decides the configuration of an item: its own, or that of the current folder."""
    if isinstance(item, UnopenedPath):
        return item.path
    return str(item) if isinstance(item, str | PurePath) else ""
