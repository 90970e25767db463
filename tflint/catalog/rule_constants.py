"""Constants that rules read by name: those of their rule file, and the knowledge tables, each loaded on first use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tflint import resources


class Constants(dict[str, Any]):
    """Constants by name of their table. Contains all knowledge tables; each one is loaded on first access."""

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in resources.table_names()

    def __iter__(self) -> Iterator[str]:
        yield from dict.fromkeys((*super().__iter__(), *resources.table_names()))

    def __missing__(self, name: str) -> Any:
        self[name] = resources.table(name)
        return self[name]
